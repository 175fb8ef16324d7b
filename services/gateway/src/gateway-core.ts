import type { Changed, Decision } from '@weft/grants';
import { CLOSE, type Peer, peerKey, type PresenceEntry, type ToGateway, type ToWorker } from '@weft/protocol';
import { partitionOf, sliceOf } from '@weft/ring';
import { AppendLane, type AppendLimits } from './append-lane.ts';
import type { Batch } from './append-queue.ts';
import type { ClientSocket, Publish } from './client-socket.ts';
import { CollabConnection } from './collab-connection.ts';
import type { ConnectionHandler, ConnectionLimits, ConnectionWorld } from './connection-world.ts';
import type { TooMany } from './connection-count.ts';
import type { Connection } from './connection.ts';
import { type DocumentLimits, GatewayDocument } from './document.ts';
import { Editing, type EditingLimits } from './editing.ts';
import { LiveRights } from './live-rights.ts';
import type { Member } from './member.ts';
import type { Brought } from './right.ts';
import { WorkerLinks, type WorkerLinkLimits } from './worker-links.ts';
import { YjsConnection } from './yjs-connection.ts';

/**
 * The gateway without its edges: client frames, answers, relays and append results in; frames, questions and batches for the log out.
 *
 *   client frame -> CollabConnection | YjsConnection -> Editing -> GatewayDocument.fanOut (own sockets, at once)
 *                                                               -> AppendLane -> effects.append -> appended -> SyncStatus
 *   other gateways' edits -> WorkerLinks -> GatewayDocument.fanOut
 *
 * It holds nothing that matters (invariant 6): what is not acknowledged, the clients have.
 */
export class GatewayCore {
  readonly #limits: GatewayLimits;
  readonly #effects: GatewayEffects;
  readonly #documents = new Map<string, GatewayDocument>();
  readonly #connections = new Map<number, ConnectionHandler>();
  /** By slice. */
  readonly #lanes: AppendLane[];
  readonly #links: WorkerLinks;
  readonly #rights: LiveRights;
  readonly #world: ConnectionWorld;
  #owners: readonly (Peer | undefined)[] = [];
  #leaving: ReadonlySet<string> = new Set();
  #nextConnection = 1;

  constructor(self: Peer, limits: GatewayLimits, effects: GatewayEffects) {
    this.#limits = limits;
    this.#effects = effects;
    this.#lanes = Array.from(
      { length: limits.slices },
      (_, slice) =>
        new AppendLane(limits, {
          nowMs: () => effects.nowMs(),
          atEndOfTick: (run) => effects.atEndOfTick(run),
          after: (ms, run) => effects.after(ms, run),
          append: (batch) => effects.append(slice, batch),
        }),
    );
    this.#links = new WorkerLinks(self, limits, {
      nowMs: () => effects.nowMs(),
      after: (ms, run) => effects.after(ms, run),
      owner: (partition) => this.#owners[partition],
      isLeaving: (worker) => this.#leaving.has(peerKey(worker)),
      sendToWorker: (worker, message) => effects.sendToWorker(worker, message),
      appended: (slice) => this.#lanes[slice]!.position,
      presence: (document, entries) => this.#presenceFromElsewhere(document, entries),
      report: (event, fields) => effects.report(event, fields),
    });
    const editing = new Editing(limits, {
      hasRoom: (document, bytes) => this.#lane(document).hasRoom(bytes),
      append: (document, update, member, acks) => this.#lane(document).append(document, update, member, acks),
      acknowledgeKnown: (document, member, acks) => this.#lane(document).acknowledgeKnown(document, member, acks),
      contains: (document, update, answer) => this.#links.contains(document, update, answer),
      presenceChanged: (document, entries) => this.#links.tellPresence(document, entries),
      stateless: (document, payload) => this.#links.tell(document, { kind: 'stateless', gateway: self, document: document.name, payload }),
    });
    this.#rights = new LiveRights({
      nowMs: () => effects.nowMs(),
      wallMs: () => effects.wallMs(),
      after: (ms, run) => effects.after(ms, run),
      check: (token, document) => effects.authorize(token, document, { fresh: true }),
      report: (event, fields) => effects.report(event, fields),
    });
    this.#world = {
      editing,
      rights: this.#rights,
      nowMs: () => effects.nowMs(),
      after: (ms, run) => effects.after(ms, run),
      authorize: (token, document) => effects.authorize(token, document),
      document: (name) => this.#document(name),
      enter: (document, member, connection, brought) => this.#enter(document, member, connection, brought),
      leave: (document, member, connection) => this.#leave(document, member, connection),
      report: (event, fields) => effects.report(event, fields),
    };
  }

  get connections(): number {
    return this.#connections.size;
  }

  get documents(): number {
    return this.#documents.size;
  }

  get unacknowledgedBytes(): number {
    return this.#lanes.reduce((sum, lane) => sum + lane.unacknowledgedBytes, 0);
  }

  /** Bytes the clients' sockets have accepted and not sent. */
  get bufferedBytes(): number {
    let bytes = 0;
    for (const { connection } of this.#connections.values()) bytes += connection.socket.bufferedBytes();
    return bytes;
  }

  /** True when every edit taken is in the log (and, with `ackAfter: database`, acknowledged). */
  get isSettled(): boolean {
    return this.#lanes.every((lane) => lane.isSettled);
  }

  connectCollab(socket: ClientSocket): ConnectionHandler {
    const id = this.#nextConnection++;
    return this.#register(id, new CollabConnection(id, socket, this.#limits, this.#world));
  }

  /** `brought.allowed` was decided at the upgrade, for this document. */
  connectYjs(socket: ClientSocket, document: string, brought: Brought): ConnectionHandler {
    const id = this.#nextConnection++;
    return this.#register(id, new YjsConnection(id, socket, document, brought, this.#limits, this.#world));
  }

  disconnected(handler: ConnectionHandler): void {
    if (!this.#connections.delete(handler.connection.id)) return;
    for (const user of handler.connection.users) this.#effects.userLeft(user);
    handler.closed();
  }

  hearWorker(message: ToGateway): void {
    this.#links.hear(message, this.#effects.nowMs());
  }

  /** Who answers for each partition now; and workers that drain, which go on answering and relaying what they owned. */
  setOwners(owners: readonly (Peer | undefined)[], leaving: readonly Peer[] = []): void {
    this.#owners = owners;
    this.#leaving = new Set(leaving.map(peerKey));
    this.#links.ownersChanged();
  }

  /** The batch in flight of this slice is in the log, up to this position: acknowledge, and send the next. */
  appended(slice: number, logIdentity: string, position: number): void {
    this.#lanes[slice]!.appended(logIdentity, position);
  }

  /** Everything whole up to here is committed in Postgres. */
  floor(slice: number, identity: string, position: number): void {
    this.#lanes[slice]!.floor(identity, position);
  }

  /** Auth says that something changed: who has it open is asked for again. */
  rightsChanged(changed: Changed): void {
    this.#rights.changed(changed);
  }

  /** Everybody's rights are asked for again, in turns, `turn` running through 0..turns-1. */
  recheckRights(turn: number, turns: number): void {
    this.#rights.recheck(turn, turns);
  }

  /** Called a few times a second. */
  tick(): void {
    const nowMs = this.#effects.nowMs();
    this.#rights.tick();
    this.#links.tick(nowMs);
    for (const document of this.#documents.values()) {
      const gone = document.presence.expire(nowMs, this.#limits.presenceSilentMs);
      if (gone.length > 0) document.showPresence(gone);
    }
    for (const { connection } of this.#connections.values()) {
      connection.watch(nowMs);
      if (connection.slowSinceMs !== undefined && nowMs - connection.slowSinceMs > this.#limits.slowClientMs) {
        this.#effects.report('slow-client', { connection: connection.id, bufferedBytes: connection.socket.bufferedBytes() });
        connection.close(CLOSE.tryAgainLater, `too slow: the connection did not take what was sent for ${this.#limits.slowClientMs} ms`);
      }
    }
  }

  /** Called in turns, `turn` running through 0..turns-1, so that ten thousand connections are not spoken to at once. */
  keepAlive(turn: number, turns: number): void {
    for (const [id, handler] of this.#connections) if (id % turns === turn && !handler.connection.outbox.isFull) handler.keepAlive();
  }

  /** Everyone connected now, for a drain to close one by one. */
  handlers(): ConnectionHandler[] {
    return [...this.#connections.values()];
  }

  authorize(token: string, document: string): Promise<Decision> {
    return this.#effects.authorize(token, document);
  }

  #register(id: number, handler: ConnectionHandler): ConnectionHandler {
    this.#connections.set(id, handler);
    return handler;
  }

  #document(name: string): GatewayDocument {
    let document = this.#documents.get(name);
    if (document) return document;
    const partition = partitionOf(name, this.#limits.partitions);
    document = new GatewayDocument(
      name,
      { partition, slice: sliceOf(partition, this.#limits.slices) },
      this.#effects.publish,
      this.#limits,
      {
        nowMs: () => this.#effects.nowMs(),
        atEndOfTick: (run) => this.#effects.atEndOfTick(run),
        after: (ms, run) => this.#effects.after(ms, run),
        ask: (of, want, handler) => this.#links.ask(of, want, handler),
        unacknowledged: (of) => this.#lane(of).unacknowledged(of.name),
        coveredPosition: (of) => this.#links.coveredPosition(of),
        slow: (member) => this.#slow(member),
      },
    );
    this.#documents.set(name, document);
    this.#links.open(document);
    return document;
  }

  #enter(document: GatewayDocument, member: Member, connection: Connection, { token, allowed: { who } }: Brought): void {
    document.add(member);
    connection.members.set(member, document);
    this.#effects.report('entered', { connection: connection.id, document: document.name, who: who.id, mayEdit: member.mayEdit });
    if (token !== '' && !connection.users.has(who.id)) void this.#countUser(connection, who.id);
  }

  /** It goes on meanwhile. */
  async #countUser(connection: Connection, user: string): Promise<void> {
    connection.users.add(user);
    const tooMany = await this.#effects.userCame(user);
    if (!tooMany || connection.closed) return;
    this.#effects.report('rate-limited', { connection: connection.id, user, reason: tooMany.sentence });
    connection.close(CLOSE.rateLimited, tooMany.sentence);
  }

  #leave(document: GatewayDocument, member: Member, connection: Connection): void {
    connection.members.delete(member);
    const gone = document.remove(member);
    this.#effects.report('left', { connection: connection.id, document: document.name });
    if (document.members.size > 0) return this.#links.tellPresence(document, gone);
    this.#documents.delete(document.name);
    this.#links.close(document);
  }

  #presenceFromElsewhere(document: GatewayDocument, entries: readonly PresenceEntry[]): void {
    const { changed, takenOver } = document.presence.fromElsewhere(entries, this.#effects.nowMs());
    document.showPresence([...changed, ...takenOver]);
    this.#links.tellPresence(document, takenOver);
  }

  #slow(member: Member): void {
    for (const { connection } of this.#connections.values())
      if (connection.socket === member.socket) connection.slowSinceMs ??= this.#effects.nowMs();
  }

  #lane(document: GatewayDocument): AppendLane {
    return this.#lanes[document.slice]!;
  }
}

export interface GatewayEffects {
  nowMs(): number;
  /** Ms since the epoch. */
  wallMs(): number;
  /** After the frames that arrived together have been handled. */
  atEndOfTick(run: () => void): void;
  after(ms: number, run: () => void): void;
  readonly publish: Publish;
  sendToWorker(worker: Peer, message: ToWorker): void;
  /** Append the batch, for as long as it takes, then call `appended`. One at a time for a slice. */
  append(slice: number, batch: Batch<unknown>): void;
  /** `fresh`: not out of what is kept. Rejects when nobody can say. */
  authorize(token: string, document: string, options?: { readonly fresh?: boolean }): Promise<Decision>;
  /** A connection acts for this user; `userLeft` follows. Never rejects. */
  userCame(user: string): Promise<TooMany | undefined>;
  userLeft(user: string): void;
  report(event: GatewayEvent, fields: Record<string, unknown>): void;
}

export type GatewayEvent =
  | 'entered'
  | 'left'
  | 'denied'
  | 'auth-unavailable'
  | 'bad-frame'
  | 'rate-limited'
  | 'banned'
  | 'limits-unavailable'
  | 'slow-client'
  | 'document-unavailable'
  | 'relay-lost'
  | 'link-lost'
  | 'log-replaced'
  | 'reopen';

export interface GatewayLimits extends ConnectionLimits, DocumentLimits, EditingLimits, WorkerLinkLimits, AppendLimits {
  readonly partitions: number;
  readonly slices: number;
  /** A connection over its high-water mark for so long is closed with 1013. */
  readonly slowClientMs: number;
  /** Presence from other gateways that nobody renewed for so long is taken for gone. */
  readonly presenceSilentMs: number;
}
