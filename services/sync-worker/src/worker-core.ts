import { type Close, peerKey, type Peer, type ToGateway, type ToWorker } from '@weft/protocol';
import { partitionOf, sliceOf } from '@weft/ring';
import type { StoredDocument } from '@weft/store';
import type { LogRecord } from '@weft/wal';
import { Answering } from './answering.ts';
import { GatewayLinks } from './gateway-links.ts';
import type { HeldDocument } from './held-document.ts';
import { PresenceRelays } from './presence-relays.ts';
import { type BackfillRange, Slice, type SliceListener } from './slice.ts';
import type { Tail } from './tail.ts';

/** How often documents are looked over for what can be let go. */
const tendEveryMs = 1_000;

/**
 * The sync-worker without its edges: log records, questions, store answers and the clock in; messages and wishes out.
 *
 *   records -> Slice (tails) -> GatewayLinks (relays)
 *   question -> Answering (position, document, registration) -> answer
 *
 * Nothing here writes: a worker is a cache of the log. Being wrong about ownership costs duplicates only (architecture.md, invariant 3).
 */
export class WorkerCore {
  readonly #self: Peer;
  readonly #limits: WorkerLimits;
  readonly #effects: WorkerEffects;
  readonly #slices = new Map<number, Slice>();
  readonly #links: GatewayLinks;
  readonly #presence: PresenceRelays;
  readonly #answering: Answering;
  #tendedAtMs = Number.NEGATIVE_INFINITY;

  constructor(self: Peer, limits: WorkerLimits, effects: WorkerEffects) {
    this.#self = self;
    this.#limits = limits;
    this.#effects = effects;
    this.#links = new GatewayLinks(self, limits.payloadBytesMax, (gateway, relay) => effects.send(gateway, relay));
    this.#presence = new PresenceRelays(self, this.#links, limits.payloadBytesMax, effects);
    this.#answering = new Answering(self, limits, this.#links, this.#presence, {
      placeOf: (document) => this.#placeOf(document),
      slice: (number) => this.#slices.get(number),
      send: (gateway, message) => effects.send(gateway, message),
      load: (slice, held) => effects.load(slice, held),
      completeDeletes: (updates, done) => effects.completeDeletes(updates, done),
    });
  }

  /** A slice is followed from `position` on. A second call for a slice means that its log was replaced: nothing of the old one counts. */
  follow(slice: number, identity: string, position: number): void {
    const before = this.#slices.get(slice);
    this.#slices.set(slice, new Slice(slice, identity, position, this.#limits));
    if (before) {
      this.#links.clear();
      for (const partition of before.partitions.values()) for (const held of partition.documents.values()) held.gateways.clear();
    }
  }

  slice(number: number): Slice | undefined {
    return this.#slices.get(number);
  }

  get registrations(): number {
    return this.#links.registrations;
  }

  get documentsOpen(): number {
    let count = 0;
    for (const held of this.#held()) if (held.state.kind === 'open') count++;
    return count;
  }

  takeRecords(slice: number, records: readonly LogRecord[], nowMs: number): void {
    const followed = this.#slices.get(slice)!;
    followed.take(records, nowMs, this.#listener(slice));
    this.#links.flush(followed, nowMs);
    this.#answering.retry(slice, nowMs);
  }

  /** Partitions lost are released to the gateways that have their documents open. */
  lose(slice: number, partitions: readonly number[], nowMs: number): void {
    const followed = this.#slices.get(slice);
    if (!followed) return;
    for (const number of partitions) {
      const partition = followed.partitions.get(number);
      followed.partitions.delete(number);
      if (!partition) continue;
      const documents = [...partition.documents.values()];
      for (const held of documents) this.#presence.forget(held);
      this.#links.release(followed, documents, nowMs);
    }
    this.#answering.retry(slice, nowMs);
  }

  /** A backfill of gained partitions is done; see Slice.filled. */
  filled(slice: number, range: BackfillRange, partitions: ReadonlyMap<number, ReadonlyMap<string, Tail>>, nowMs: number): void {
    const followed = this.#slices.get(slice);
    if (!followed) return;
    for (const [partition, tails] of partitions) followed.filled(partition, range, tails);
    this.#answering.retry(slice, nowMs);
  }

  /** See Slice.takeLate. */
  takeLate(slice: number, late: { partition: number; document: string; origin: string; update: Uint8Array }, nowMs: number): void {
    const followed = this.#slices.get(slice);
    if (!followed) return;
    followed.takeLate(late.partition, late.document, late.origin, late.update, this.#listener(slice));
    this.#links.flush(followed, nowMs);
  }

  floor(slice: number, identity: string, position: number, nowMs: number): void {
    const followed = this.#slices.get(slice);
    if (followed?.identity === identity) followed.trim(position, nowMs);
  }

  /** The store's answer to `effects.load` or `effects.refresh`, for the very document it was asked for. */
  loaded(slice: number, held: HeldDocument, stored: StoredDocument, nowMs: number): void {
    const followed = this.#slices.get(slice);
    const partition = followed?.partitions.get(held.partition);
    // Lost meanwhile, perhaps gained again: what was read may be older than the new tail reaches back to.
    if (!followed || partition?.documents.get(held.name) !== held) return;
    try {
      held.loaded(stored, { identity: followed.identity, base: held.reachesBackTo(partition.base) }, nowMs);
    } catch (error) {
      this.loadFailed(slice, held, String(error), nowMs);
      return;
    }
    this.#answering.retry(slice, nowMs);
  }

  loadFailed(slice: number, held: HeldDocument, detail: string, nowMs: number): void {
    if (held.refreshing) {
      // The document is open and right without it: only its tail stays long a while.
      held.refreshing = false;
      return;
    }
    held.attempts += 1;
    const pauseMs = Math.min(this.#limits.loadRetryMaxMs, this.#limits.loadRetryMs * 2 ** Math.min(held.attempts, 10));
    held.state = { kind: 'failed', detail, retryAtMs: nowMs + pauseMs };
    this.#answering.retry(slice, nowMs);
  }

  hear(message: ToWorker, nowMs: number): void {
    switch (message.kind) {
      case 'open':
      case 'contains':
        return this.#answering.ask(message, nowMs);
      case 'fetch':
        return this.#answering.fetch(message, nowMs);
      case 'close':
        return this.#close(message);
      case 'presence': {
        const held = this.#heldBy(message.gateway, message.document, nowMs);
        if (held) this.#presence.apply(held, message.gateway, message.entries);
        return;
      }
      case 'stateless': {
        const held = this.#heldBy(message.gateway, message.document, nowMs);
        if (held)
          this.#toOthers(held, message.gateway, {
            kind: 'stateless-relay',
            worker: this.#self,
            document: held.name,
            payload: message.payload,
          });
        return;
      }
      case 'keep-alive':
        if (!this.#links.heard(message.gateway, nowMs))
          this.#answering.refuse({ gateway: message.gateway, question: 0 }, 'unknown-link', '');
        return;
    }
  }

  /** Called a few times a second. */
  tick(nowMs: number): void {
    for (const [number, slice] of this.#slices) {
      slice.mark(nowMs);
      this.#links.flush(slice, nowMs, this.#limits.linkIdleMs);
      this.#answering.retry(number, nowMs);
    }
    for (const gone of this.#links.sweep(nowMs, this.#limits.gatewaySilentMs)) this.#gatewayGone(gone.key, gone.documents);
    this.#answering.sweep(nowMs);
    if (nowMs - this.#tendedAtMs < tendEveryMs) return;
    this.#tendedAtMs = nowMs;
    for (const slice of this.#slices.values()) this.#tend(slice, nowMs);
  }

  /** Sends the presence that changed. Called a few milliseconds after `effects.wake`. */
  flushPresence(): void {
    this.#presence.flush();
  }

  #listener(slice: number): SliceListener {
    return {
      update: (held, origin, update) => this.#links.queue(held, slice, origin, update),
      malformed: (document, position, error) =>
        this.#effects.report('malformed-update', { document, slice, position, error: error.message }),
    };
  }

  #close(message: Close): void {
    const held = this.#find(message.document);
    if (held && this.#links.unregister(message, held)) this.#presence.gone(held, peerKey(message.gateway));
  }

  /** The document, if this gateway has it open here; otherwise the gateway learns that its link is void. */
  #heldBy(gateway: Peer, document: string, nowMs: number): HeldDocument | undefined {
    if (!this.#links.heard(gateway, nowMs)) {
      this.#answering.refuse({ gateway, question: 0 }, 'unknown-link', '');
      return undefined;
    }
    const held = this.#find(document);
    return held?.gateways.has(peerKey(gateway)) ? held : undefined;
  }

  #gatewayGone(key: string, documents: readonly HeldDocument[]): void {
    // One that had closed everything simply has nothing to say any more.
    if (documents.length > 0) this.#effects.report('gateway-gone', { gateway: key, documents: documents.length });
    for (const held of documents) this.#presence.gone(held, key);
  }

  #toOthers(held: HeldDocument, from: Peer, message: ToGateway): void {
    for (const key of held.gateways) {
      const gateway = this.#links.peer(key);
      if (gateway && key !== peerKey(from)) this.#effects.send(gateway, message);
    }
  }

  /** Lets go of documents nobody uses, and swaps long tails for the store's newer snapshot. */
  #tend(slice: Slice, nowMs: number): void {
    for (const partition of slice.partitions.values())
      for (const held of partition.documents.values()) {
        if (held.state.kind !== 'open') continue;
        const { document } = held.state;
        if (held.gateways.size > 0) held.usedAtMs = nowMs;
        if (held.gateways.size === 0 && nowMs - held.usedAtMs > this.#limits.documentIdleMs) held.forgetOpen();
        else if (
          !held.refreshing &&
          document.tail.bytes > Math.max(this.#limits.tailBytesMax, document.snapshotBytes / 2) &&
          nowMs - held.refreshedAtMs > this.#limits.refreshMs
        ) {
          held.refreshing = true;
          held.refreshedAtMs = nowMs;
          this.#effects.refresh(slice.number, held, document.snapshotVersion);
        }
      }
  }

  #find(document: string): HeldDocument | undefined {
    const { slice, partition } = this.#placeOf(document);
    return this.#slices.get(slice)?.document(partition, document);
  }

  #placeOf(document: string): { slice: number; partition: number } {
    const partition = partitionOf(document, this.#limits.partitions);
    return { slice: sliceOf(partition, this.#limits.slices), partition };
  }

  *#held(): Iterable<HeldDocument> {
    for (const slice of this.#slices.values()) for (const partition of slice.partitions.values()) yield* partition.documents.values();
  }
}

export interface WorkerEffects {
  /** Encodes the message, or copies it, within the call: an answer's bytes lie where the next answer's will. */
  send(gateway: Peer, message: ToGateway): void;
  /** Read the document from the store; then `loaded` or `loadFailed`. */
  load(slice: number, held: HeldDocument): void;
  /** Read it if the store's snapshot is newer than `version`, then `loaded` or `loadFailed`; else `held.refreshing` ends. */
  refresh(slice: number, held: HeldDocument, version: number): void;
  /** `completeDeletes` off the main thread; undefined when that failed. */
  completeDeletes(updates: readonly Uint8Array[], done: (deletes: Uint8Array | undefined, nowMs: number) => void): void;
  /** Call `flushPresence` in some milliseconds. */
  wake(): void;
  report(event: 'malformed-update' | 'gateway-gone', fields: Record<string, unknown>): void;
}

export interface WorkerLimits {
  readonly partitions: number;
  readonly slices: number;
  readonly payloadBytesMax: number;
  readonly lookbackMs: number;
  readonly pieceBytesMax: number;
  readonly waitingMax: number;
  readonly waitMs: number;
  readonly waitingBytesMax: number;
  readonly transfersMax: number;
  readonly transfersBytesMax: number;
  readonly transferMs: number;
  readonly loadRetryMs: number;
  readonly loadRetryMaxMs: number;
  /** An idle link gets an empty relay this often. */
  readonly linkIdleMs: number;
  /** A gateway silent for so long has no documents open here any more. */
  readonly gatewaySilentMs: number;
  /** An open document nobody has open any more is kept so long. */
  readonly documentIdleMs: number;
  /** A tail above this, and above half the snapshot, is worth a look at the store for a newer snapshot, at most every `refreshMs`. */
  readonly tailBytesMax: number;
  readonly refreshMs: number;
}
