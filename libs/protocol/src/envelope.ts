/**
 * The internal envelope: what gateways and workers say to one another on the bus. Pure types here; `envelope-codec.ts` turns them
 * into bytes and back (lib0 encodings, first byte: message kind).
 *
 * Subjects:  weft.worker.<id>.<incarnation>    gateway -> worker     (ToWorker)
 *            weft.gateway.<id>.<incarnation>   worker -> gateway     (ToGateway)
 *            weft.ring                         every member -> all   (Heartbeat)
 *
 * All messages of one worker to one gateway share one subject, so they arrive in order as far as they arrive. That carries the house's
 * gapless relays: a worker numbers, for each (gateway, slice) link, the log positions it has covered; an answer and the relays after it join up,
 * and whatever core NATS drops shows as a hole between `from` and `to` and is asked for again.
 */

/** Who speaks: id is stable over restarts (host or pod name), incarnation is new at each start. */
export interface Peer {
  readonly id: string;
  readonly incarnation: string;
}

/** One presence entry as y-protocols encodes it. `json` is opaque ("null" = gone). */
export interface PresenceEntry {
  readonly clientId: number;
  readonly clock: number;
  readonly json: string;
}

export type ToWorker =
  | Open
  | Fetch
  | Contains
  | Close
  | { readonly kind: 'presence'; readonly gateway: Peer; readonly document: string; readonly entries: readonly PresenceEntry[] }
  | { readonly kind: 'stateless'; readonly gateway: Peer; readonly document: string; readonly payload: string }
  /** "I am here, and I still have documents open with you": keeps the link's registrations and presence alive. */
  | { readonly kind: 'keep-alive'; readonly gateway: Peer };

/**
 * "Register me for this document, and give me its state." Asked at a client's join (stateVector: what the client has), after an owner change, a hole
 * or a slow client's pause (since: everything after that position).
 */
export interface Open {
  readonly kind: 'open';
  readonly gateway: Peer;
  readonly question: number;
  readonly document: string;
  /** The answer must stand at this position of the slice or later. 0: any. Meaningless across log identities. */
  readonly atLeast: number;
  readonly logIdentity: string;
  readonly want: Want;
  /** The gateway's own connections' presence: rebuilds the table of a new owner. */
  readonly presence: readonly PresenceEntry[];
}

/**
 * "I do not have this document open with you any more." It may come late, from a connection to the bus that was lost and a server that had kept it: so it ends only what was registered by questions up to `asked`, the newest
 * this gateway had asked when it said so.
 */
export interface Close {
  readonly kind: 'close';
  readonly gateway: Peer;
  readonly document: string;
  readonly asked: number;
}

export type Want =
  | { readonly kind: 'state-vector'; readonly stateVector: Uint8Array }
  /** Everything after `position`. Where that lies too far back, what `stateVector`, a lower bound of what the asker has, lacks. */
  | { readonly kind: 'since'; readonly position: number; readonly stateVector: Uint8Array }
  /** Only register and tell where you stand. */
  | { readonly kind: 'nothing' };

/** The next bytes of an answer too large for one message. Offsets in bytes. */
export interface Fetch {
  readonly kind: 'fetch';
  readonly gateway: Peer;
  readonly question: number;
  readonly offset: number;
  /** At most so many bytes; fewer only at the end of the answer. Must fit a message. */
  readonly bytesMax: number;
}

/** "Does the document hold all of this update already?" (a read-only client's Step2; a Step2 that carries only deletes). */
export interface Contains {
  readonly kind: 'contains';
  readonly gateway: Peer;
  readonly question: number;
  readonly document: string;
  readonly atLeast: number;
  readonly logIdentity: string;
  readonly update: Uint8Array;
}

export type ToGateway = Answer | AnswerBytes | Refusal | ContainsAnswer | Relay | PresenceRelay | StatelessRelay;

/**
 * `updates`, framed (`frameUpdates`) as one byte string of `totalBytes`, of which this message bears the first `bytes.length`; the gateway
 * fetches the rest. Together they bring who asked to `position`. The link stands at `position` too: a hole between what the gateway was relayed
 * and `position` is a lost relay.
 */
export interface Answer {
  readonly kind: 'answer';
  readonly worker: Peer;
  readonly question: number;
  readonly slice: number;
  readonly logIdentity: string;
  readonly position: number;
  /** The number of the link: higher each time the worker begins one anew, with no document registered, and numbers its relays from 1 again. */
  readonly link: number;
  /** The sequence of the last relay sent on this (gateway, slice) link, 0 for none. */
  readonly sequence: number;
  /** The document's state vector at `position` (may understate while updates wait for others; never overstates). */
  readonly stateVector: Uint8Array;
  readonly totalBytes: number;
  readonly bytes: Uint8Array;
  /** Presence of the other gateways' connections. */
  readonly presence: readonly PresenceEntry[];
}

export interface AnswerBytes {
  readonly kind: 'answer-bytes';
  readonly worker: Peer;
  readonly question: number;
  readonly offset: number;
  readonly bytes: Uint8Array;
}

export type RefusalReason =
  /** Ask your ring again. */
  | 'not-owner'
  /** The worker could not load the document or reach the position in time: try again with backoff. */
  | 'unavailable'
  /** The worker no longer knows this question (fetch after its bound): ask anew. */
  | 'expired'
  /** The worker does not know this gateway's link (it was silent too long): open all documents anew. `question` is 0. */
  | 'unknown-link';

export interface Refusal {
  readonly kind: 'refusal';
  readonly worker: Peer;
  readonly question: number;
  readonly reason: RefusalReason;
  readonly detail: string;
}

export interface ContainsAnswer {
  readonly kind: 'contains-answer';
  readonly worker: Peer;
  readonly question: number;
  readonly contained: boolean;
}

/**
 * What the log brought for the documents this gateway has registered with this worker in one slice, positions (from, to], but what it wrote
 * itself. With no documents: an idle heartbeat of the link. `part`: a relay over the bus's size goes as several messages; all but the last
 * have `to === from`, so that only the whole moves the link.
 */
export interface Relay {
  readonly kind: 'relay';
  readonly worker: Peer;
  readonly slice: number;
  readonly logIdentity: string;
  /** As in Answer. */
  readonly link: number;
  /** Grows by one a relay of this (gateway, slice) link, from 1. A jump is a lost message. */
  readonly sequence: number;
  readonly from: number;
  readonly to: number;
  /** `update` undefined: too large for a relay; open it again with `since`. */
  readonly documents: readonly { readonly document: string; readonly update: Uint8Array | undefined }[];
  /** Documents this worker no longer answers for: ask the ring, open them there `since` the link's position before this relay. */
  readonly released: readonly string[];
}

export interface PresenceRelay {
  readonly kind: 'presence-relay';
  readonly worker: Peer;
  readonly document: string;
  readonly entries: readonly PresenceEntry[];
}

export interface StatelessRelay {
  readonly kind: 'stateless-relay';
  readonly worker: Peer;
  readonly document: string;
  readonly payload: string;
}

/** Every 0.5 s from each worker and gateway, on weft.ring. */
export interface Heartbeat {
  readonly kind: 'heartbeat';
  readonly role: 'worker' | 'gateway';
  readonly peer: Peer;
  readonly draining: boolean;
  /** Documents open (worker) or connections (gateway): a hint for people and autoscalers; the assignment does not use it. */
  readonly load: number;
}

/** Where a worker hears its questions. The incarnation is part of it, so that nobody hears what was meant for a predecessor of the same name. */
export function workerSubject(peer: Peer): string {
  return `weft.worker.${peer.id}.${peer.incarnation}`;
}

export function gatewaySubject(peer: Peer): string {
  return `weft.gateway.${peer.id}.${peer.incarnation}`;
}

export const ringSubject = 'weft.ring';

/** One string for one life of a peer; also the origin of a gateway's records in the log. */
export function peerKey(peer: Peer): string {
  return `${peer.id}/${peer.incarnation}`;
}
