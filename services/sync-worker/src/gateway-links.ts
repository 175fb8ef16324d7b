import { mergeUpdatesInTree } from '@weft/updates';
import { peerKey, type Peer, type Relay } from '@weft/protocol';
import type { HeldDocument } from './held-document.ts';

/** Room for a relay's own fields and for each document's, bytes. */
const relayOverheadBytes = 512;
const documentOverheadBytes = 32;
/** Names in one relay: a name has at most 255 bytes, so they fit any bus. */
const releasedMax = 500;

/**
 * The gateways that have documents open here, and how far each has been relayed, slice by slice. A link's relays are numbered and say from which position to
 * which they cover, so that whatever the bus drops is seen by the gateway and asked for again.
 */
export class GatewayLinks {
  readonly #links = new Map<string, Link>();
  /** Links ever begun: each has a number of its own. */
  #begun = 0;
  readonly #worker: Peer;
  readonly #payloadBytesMax: number;
  readonly #send: (gateway: Peer, relay: Relay) => void;

  constructor(worker: Peer, payloadBytesMax: number, send: (gateway: Peer, relay: Relay) => void) {
    this.#worker = worker;
    this.#payloadBytesMax = payloadBytesMax;
    this.#send = send;
  }

  get size(): number {
    return this.#links.size;
  }

  has(gateway: Peer): boolean {
    return this.#links.has(peerKey(gateway));
  }

  heard(gateway: Peer, nowMs: number): boolean {
    const link = this.#links.get(peerKey(gateway));
    if (link) link.heardAtMs = nowMs;
    return link !== undefined;
  }

  peer(key: string): Peer | undefined {
    return this.#links.get(key)?.gateway;
  }

  /** Registers and gives the link and the sequence the answer bears. From here on the gateway is relayed what comes after `slice.position`. */
  register(
    { gateway, question }: { readonly gateway: Peer; readonly question: number },
    slice: { number: number; identity: string; position: number },
    document: HeldDocument,
    nowMs: number,
  ): { readonly link: number; readonly sequence: number } {
    const key = peerKey(gateway);
    let link = this.#links.get(key);
    if (!link) this.#links.set(key, (link = { number: ++this.#begun, gateway, heardAtMs: nowMs, slices: new Map(), documents: new Map() }));
    link.heardAtMs = nowMs;
    let progress = link.slices.get(slice.number);
    if (!progress)
      link.slices.set(slice.number, (progress = { identity: slice.identity, sequence: 0, sentTo: 0, sentAtMs: nowMs, batch: new Map() }));
    progress.sentTo = slice.position;
    const before = link.documents.get(document.name)?.question ?? 0;
    link.documents.set(document.name, { document, slice: slice.number, question: Math.max(before, question) });
    document.gateways.add(key);
    return { link: link.number, sequence: progress.sequence };
  }

  /** False: it was said before the question that registered the document, and came late. */
  unregister({ gateway, asked }: { readonly gateway: Peer; readonly asked: number }, document: HeldDocument): boolean {
    const key = peerKey(gateway);
    const link = this.#links.get(key);
    if ((link?.documents.get(document.name)?.question ?? 0) > asked) return false;
    document.gateways.delete(key);
    link?.documents.delete(document.name);
    return true;
  }

  /** Notes an update for everybody who has the document open but the gateway that wrote it. Goes out with `flush`. */
  queue(document: HeldDocument, slice: number, origin: string, update: Uint8Array): void {
    for (const key of document.gateways) {
      if (key === origin) continue;
      const batch = this.#links.get(key)?.slices.get(slice)?.batch;
      const updates = batch?.get(document.name);
      if (updates) updates.push(update);
      else batch?.set(document.name, [update]);
    }
  }

  /** Sends each link of the slice what was queued; with `idleMs` also an empty relay to links that heard nothing for so long. */
  flush(slice: { number: number; position: number }, nowMs: number, idleMs = Number.POSITIVE_INFINITY): void {
    for (const link of this.#links.values()) {
      const progress = link.slices.get(slice.number);
      if (!progress || (progress.batch.size === 0 && nowMs - progress.sentAtMs < idleMs)) continue;
      const documents: RelayedDocument[] = [];
      for (const [document, updates] of progress.batch) documents.push({ document, update: mergeUpdatesInTree(updates) });
      progress.batch.clear();
      this.#relay(link, slice.number, progress, slice.position, documents, [], nowMs);
    }
  }

  /** The worker no longer owns these documents: tells who has them open, as a numbered relay, so that it cannot be lost unseen. */
  release(slice: { number: number; position: number }, documents: readonly HeldDocument[], nowMs: number): void {
    for (const link of this.#links.values()) {
      const released = documents.filter((document) => link.documents.delete(document.name)).map((document) => document.name);
      const progress = link.slices.get(slice.number);
      for (let i = 0; progress && i < released.length; i += releasedMax)
        this.#relay(link, slice.number, progress, slice.position, [], released.slice(i, i + releasedMax), nowMs);
    }
    for (const document of documents) document.gateways.clear();
  }

  /** Gateways not heard of for `silentMs`: forgotten, with the documents they had open, for presence to be cleared. */
  sweep(nowMs: number, silentMs: number): { key: string; documents: HeldDocument[] }[] {
    const gone = [...this.#links].filter(([, link]) => nowMs - link.heardAtMs > silentMs).map(([key]) => key);
    return gone.map((key) => ({ key, documents: this.drop(key) }));
  }

  drop(key: string): HeldDocument[] {
    const link = this.#links.get(key);
    this.#links.delete(key);
    const documents = [...(link?.documents.values() ?? [])].map(({ document }) => document);
    for (const document of documents) document.gateways.delete(key);
    return documents;
  }

  /** Every link is void: the log was replaced. Gateways hear `unknown-link` at their next word and open everything anew. */
  clear(): void {
    for (const key of this.#links.keys()) this.drop(key);
  }

  get registrations(): number {
    let count = 0;
    for (const link of this.#links.values()) count += link.documents.size;
    return count;
  }

  /** One relay, in as many messages as the bus's size asks for; only the last moves the link's position. */
  #relay(
    link: Link,
    slice: number,
    progress: Progress,
    to: number,
    documents: readonly RelayedDocument[],
    released: readonly string[],
    nowMs: number,
  ): void {
    const room = this.#payloadBytesMax - relayOverheadBytes;
    if (relayBytes(documents, released) > room) {
      const parts = relayParts(documents, released, room);
      for (const part of parts.slice(0, -1)) this.#sendPart(link, slice, progress, progress.sentTo, part, []);
      this.#sendPart(link, slice, progress, to, parts.at(-1)!, released);
    } else this.#sendPart(link, slice, progress, to, documents, released);
    progress.sentTo = to;
    progress.sentAtMs = nowMs;
  }

  #sendPart(
    link: Link,
    slice: number,
    progress: Progress,
    to: number,
    documents: readonly RelayedDocument[],
    released: readonly string[],
  ): void {
    progress.sequence += 1;
    this.#send(link.gateway, {
      kind: 'relay',
      worker: this.#worker,
      slice,
      logIdentity: progress.identity,
      link: link.number,
      sequence: progress.sequence,
      from: progress.sentTo,
      to,
      documents,
      released,
    });
  }
}

type RelayedDocument = Relay['documents'][number];

/** At most: a name is at most 255 bytes, whatever its characters. */
function documentBytes({ update }: RelayedDocument): number {
  return documentOverheadBytes + 255 + (update?.byteLength ?? 0);
}

function releasedBytes(released: readonly string[]): number {
  let bytes = 0;
  for (const name of released) bytes += name.length * 3 + 4;
  return bytes;
}

function relayBytes(documents: readonly RelayedDocument[], released: readonly string[]): number {
  let bytes = releasedBytes(released);
  for (const document of documents) bytes += documentBytes(document);
  return bytes;
}

/** At least one part. An update too large for any is left out: it is asked for. */
function relayParts(documents: readonly RelayedDocument[], released: readonly string[], room: number): RelayedDocument[][] {
  const parts: RelayedDocument[][] = [[]];
  let used = releasedBytes(released);
  for (const relayed of documents) {
    const fits = documentBytes(relayed) <= room;
    const bytes = fits ? documentBytes(relayed) : documentOverheadBytes + 255;
    if (fits && used + bytes > room) {
      parts.push([]);
      used = 0;
    }
    parts.at(-1)!.push(fits ? relayed : { document: relayed.document, update: undefined });
    used += bytes;
  }
  return parts;
}

interface Link {
  readonly number: number;
  readonly gateway: Peer;
  heardAtMs: number;
  readonly slices: Map<number, Progress>;
  readonly documents: Map<string, { readonly document: HeldDocument; readonly slice: number; readonly question: number }>;
}

interface Progress {
  readonly identity: string;
  sequence: number;
  sentTo: number;
  sentAtMs: number;
  readonly batch: Map<string, Uint8Array[]>;
}
