import {
  type Fetch,
  type Open,
  peerKey,
  type Peer,
  type PresenceEntry,
  type RefusalReason,
  type ToGateway,
  type ToWorker,
} from '@weft/protocol';
import { partitionOf, sliceOf } from '@weft/ring';
import type { StoredDocument } from '@weft/store';
import { MalformedStateVector, MalformedUpdate } from '@weft/updates';
import type { LogRecord } from '@weft/wal';
import { AnswerSource } from './answer-source.ts';
import type { OpenDocument } from './document.ts';
import { GatewayLinks } from './gateway-links.ts';
import type { HeldDocument } from './held-document.ts';
import { type Question, Questions } from './questions.ts';
import { type BackfillRange, Slice, type SliceListener } from './slice.ts';
import type { Tail } from './tail.ts';

/**
 * The sync-worker without its edges: log records, questions, store answers and the clock in; messages and wishes out.
 *
 *   records -> Slice (tails) -> GatewayLinks (relays)
 *   question -> wait for the position -> load the document -> register the gateway and answer, in one step
 *
 * Nothing here writes: a worker is a cache of the log. Being wrong about ownership costs duplicates only (architecture.md, invariant 3).
 */
export class WorkerCore {
  readonly #self: Peer;
  readonly #limits: WorkerLimits;
  readonly #effects: WorkerEffects;
  readonly #slices = new Map<number, Slice>();
  readonly #links: GatewayLinks;
  readonly #questions: Questions;
  /** Presence that changed since the last flush: newest entry a client id, with the gateway it came from. */
  readonly #presence = new Map<HeldDocument, Map<number, { entry: PresenceEntry; from: string }>>();

  constructor(self: Peer, limits: WorkerLimits, effects: WorkerEffects) {
    this.#self = self;
    this.#limits = limits;
    this.#effects = effects;
    this.#links = new GatewayLinks(self, limits.payloadBytesMax, (gateway, relay) => effects.send(gateway, relay));
    this.#questions = new Questions(limits);
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
    this.#retry(slice, nowMs);
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
      for (const held of documents) this.#presence.delete(held);
      this.#links.release(followed, documents, nowMs);
    }
    this.#retry(slice, nowMs);
  }

  /** A backfill of gained partitions is done; see Slice.filled. */
  filled(slice: number, range: BackfillRange, partitions: ReadonlyMap<number, ReadonlyMap<string, Tail>>, nowMs: number): void {
    const followed = this.#slices.get(slice);
    if (!followed) return;
    for (const [partition, tails] of partitions) followed.filled(partition, range, tails);
    this.#retry(slice, nowMs);
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

  loaded(slice: number, partition: number, name: string, stored: StoredDocument, nowMs: number): void {
    const followed = this.#slices.get(slice);
    const held = followed?.document(partition, name);
    if (!followed || !held) return;
    try {
      held.loaded(stored, { identity: followed.identity, base: held.reachesBackTo(followed.partitions.get(partition)!.base) }, nowMs);
    } catch (error) {
      this.loadFailed(slice, partition, name, String(error), nowMs);
      return;
    }
    this.#retry(slice, nowMs);
  }

  /** The store has no newer snapshot than the open document has. */
  notNewer(slice: number, partition: number, name: string): void {
    const held = this.#slices.get(slice)?.document(partition, name);
    if (held) held.refreshing = false;
  }

  loadFailed(slice: number, partition: number, name: string, detail: string, nowMs: number): void {
    const held = this.#slices.get(slice)?.document(partition, name);
    if (!held) return;
    if (held.refreshing) {
      // The document is open and right without it: only its tail stays long a while.
      held.refreshing = false;
      return;
    }
    const attempts = held.attempts + 1;
    held.attempts = attempts;
    const pauseMs = Math.min(this.#limits.loadRetryMaxMs, this.#limits.loadRetryMs * 2 ** Math.min(attempts, 10));
    held.state = { kind: 'failed', detail, retryAtMs: nowMs + pauseMs };
    this.#retry(slice, nowMs);
  }

  hear(message: ToWorker, nowMs: number): void {
    switch (message.kind) {
      case 'open':
      case 'contains':
        return this.#ask(message, nowMs);
      case 'fetch':
        return this.#fetch(message, nowMs);
      case 'close':
        return this.#close(message.gateway, message.document);
      case 'presence': {
        const held = this.#heldBy(message.gateway, message.document, nowMs);
        if (held) this.#applyPresence(held, message.gateway, message.entries);
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
        if (!this.#links.heard(message.gateway, nowMs)) this.#refuse({ gateway: message.gateway, question: 0 }, 'unknown-link', '');
        return;
    }
  }

  /** Called a few times a second. */
  tick(nowMs: number): void {
    for (const [number, slice] of this.#slices) {
      slice.mark(nowMs);
      this.#links.flush(slice, nowMs, this.#limits.linkIdleMs);
      this.#retry(number, nowMs);
    }
    for (const gone of this.#links.sweep(nowMs, this.#limits.gatewaySilentMs)) this.#gatewayGone(gone.key, gone.documents);
    this.#questions.sweep(nowMs);
    for (const slice of this.#slices.values()) this.#tend(slice, nowMs);
  }

  /** Sends the presence that changed. Called a few milliseconds after `effects.wake`. */
  flushPresence(): void {
    for (const [held, changes] of this.#presence) {
      for (const key of held.gateways) {
        const gateway = this.#links.peer(key);
        const entries = [...changes.values()].filter((change) => change.from !== key).map((change) => change.entry);
        if (gateway && entries.length > 0)
          for (const part of presenceParts(entries, this.#limits.payloadBytesMax))
            this.#effects.send(gateway, { kind: 'presence-relay', worker: this.#self, document: held.name, entries: part });
      }
    }
    this.#presence.clear();
  }

  #listener(slice: number): SliceListener {
    return {
      update: (held, origin, update) => this.#links.queue(held, slice, origin, update),
      malformed: (document, position, error) =>
        this.#effects.report('malformed-update', { document, slice, position, error: error.message }),
    };
  }

  #ask(question: Question, nowMs: number): void {
    if (this.#tryAnswer(question, nowMs)) return;
    const slice = this.#sliceOf(question.document);
    if (!this.#questions.wait(slice, question, nowMs)) this.#refuse(question, 'unavailable', 'too many questions are waiting');
  }

  #retry(slice: number, nowMs: number): void {
    const late = this.#questions.retry(slice, nowMs, (question) => this.#tryAnswer(question, nowMs));
    for (const question of late) this.#refuse(question, 'unavailable', 'the log position or the document did not come in time');
  }

  /** True when the question is done with: answered or refused. */
  #tryAnswer(question: Question, nowMs: number): boolean {
    const partitionNumber = partitionOf(question.document, this.#limits.partitions);
    const slice = this.#slices.get(sliceOf(partitionNumber, this.#limits.slices));
    const partition = slice?.partitions.get(partitionNumber);
    if (!slice || !partition) return this.#refuse(question, 'not-owner', '');
    if (!slice.isReady(partition)) return false;
    if (question.logIdentity === slice.identity && question.atLeast > slice.position) return false;
    const held = slice.hold(partitionNumber, question.document);
    held.usedAtMs = nowMs;
    switch (held.state.kind) {
      case 'open':
        return this.#answer(question, slice, held, held.state.document, nowMs);
      case 'loading':
        return false;
      case 'failed':
        if (nowMs < held.state.retryAtMs) return this.#refuse(question, 'unavailable', held.state.detail);
        break;
      case 'tail':
        break;
    }
    held.state = { kind: 'loading' };
    this.#effects.load(slice.number, partitionNumber, question.document);
    return false;
  }

  #answer(question: Question, slice: Slice, held: HeldDocument, document: OpenDocument, nowMs: number): boolean {
    try {
      if (question.kind === 'contains') {
        const contained = document.contains(question.update);
        if (contained === 'unknown') return this.#findDeletes(slice, held, document);
        this.#effects.send(question.gateway, { kind: 'contains-answer', worker: this.#self, question: question.question, contained });
        return true;
      }
      const source = new AnswerSource(this.#wanted(question, slice, document));
      this.#register(question, slice, held, document, source, nowMs);
    } catch (error) {
      if (!(error instanceof MalformedUpdate) && !(error instanceof MalformedStateVector)) throw error;
      this.#refuse(question, 'unavailable', error.message);
    }
    return true;
  }

  /** The question waits until a thread has found out what is deleted in the document. */
  #findDeletes(slice: Slice, held: HeldDocument, document: OpenDocument): false {
    if (held.findingDeletes) return false;
    held.findingDeletes = true;
    const { changes, updates } = document.everything();
    this.#effects.completeDeletes(updates, (deletes, nowMs) => {
      held.findingDeletes = false;
      document.deletesKnown(changes, deletes);
      this.#retry(slice.number, nowMs);
    });
    return false;
  }

  #wanted(question: Open, slice: Slice, document: OpenDocument): readonly Uint8Array[] {
    const { want } = question;
    switch (want.kind) {
      case 'nothing':
        return [];
      case 'state-vector':
        return document.forStateVector(want.stateVector);
      case 'since':
        return (
          (question.logIdentity === slice.identity ? document.since(want.position) : undefined) ?? document.forStateVector(want.stateVector)
        );
    }
  }

  /** Registers and answers in one step: what comes after `slice.position` will be relayed (architecture.md, section 3). */
  #register(question: Open, slice: Slice, held: HeldDocument, document: OpenDocument, source: AnswerSource, nowMs: number): void {
    const sequence = this.#links.register(question.gateway, slice, held, nowMs);
    this.#applyPresence(held, question.gateway, question.presence);
    const presence = held.presence.others(peerKey(question.gateway));
    const fitting = presenceParts(presence, this.#limits.payloadBytesMax / 2)[0] ?? [];
    const stateVector = document.stateVector();
    const room = this.#limits.payloadBytesMax - envelopeOverheadBytes - presenceBytes(fitting) - stateVector.byteLength;
    const bytes = source.slice(0, Math.max(0, room));
    if (bytes.byteLength < source.totalBytes) this.#questions.keep(question, source, nowMs);
    this.#effects.send(question.gateway, {
      kind: 'answer',
      worker: this.#self,
      question: question.question,
      slice: slice.number,
      logIdentity: slice.identity,
      position: slice.position,
      sequence,
      stateVector,
      totalBytes: source.totalBytes,
      bytes,
      presence: fitting,
    });
    if (fitting.length < presence.length)
      for (const entries of presenceParts(presence.slice(fitting.length), this.#limits.payloadBytesMax))
        this.#effects.send(question.gateway, { kind: 'presence-relay', worker: this.#self, document: held.name, entries });
  }

  #fetch(request: Fetch, nowMs: number): void {
    const bytes = this.#questions.fetch(
      request,
      request.offset,
      Math.min(request.bytesMax, this.#limits.payloadBytesMax - envelopeOverheadBytes),
      nowMs,
    );
    if (!bytes) return void this.#refuse(request, 'expired', '');
    this.#effects.send(request.gateway, {
      kind: 'answer-bytes',
      worker: this.#self,
      question: request.question,
      offset: request.offset,
      bytes,
    });
  }

  #close(gateway: Peer, document: string): void {
    const held = this.#find(document);
    if (!held) return;
    this.#links.unregister(gateway, held);
    this.#noteGone(held, peerKey(gateway));
  }

  /** The document, if this gateway has it open here; otherwise the gateway learns that its link is void. */
  #heldBy(gateway: Peer, document: string, nowMs: number): HeldDocument | undefined {
    if (!this.#links.heard(gateway, nowMs)) {
      this.#refuse({ gateway, question: 0 }, 'unknown-link', '');
      return undefined;
    }
    const held = this.#find(document);
    return held?.gateways.has(peerKey(gateway)) ? held : undefined;
  }

  #applyPresence(held: HeldDocument, gateway: Peer, entries: readonly PresenceEntry[]): void {
    const from = peerKey(gateway);
    this.#notePresence(held, from, held.presence.apply(from, entries));
  }

  #gatewayGone(key: string, documents: readonly HeldDocument[]): void {
    // One that had closed everything simply has nothing to say any more.
    if (documents.length > 0) this.#effects.report('gateway-gone', { gateway: key, documents: documents.length });
    for (const held of documents) this.#noteGone(held, key);
  }

  #noteGone(held: HeldDocument, key: string): void {
    this.#notePresence(held, key, held.presence.dropGateway(key));
  }

  #notePresence(held: HeldDocument, from: string, entries: readonly PresenceEntry[]): void {
    if (entries.length === 0 || held.gateways.size === 0) return;
    if (this.#presence.size === 0) this.#effects.wake();
    let changes = this.#presence.get(held);
    if (!changes) this.#presence.set(held, (changes = new Map()));
    for (const entry of entries) changes.set(entry.clientId, { entry, from });
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
        if (held.gateways.size === 0 && nowMs - held.usedAtMs > this.#limits.documentIdleMs) held.forgetOpen();
        else if (
          !held.refreshing &&
          document.tail.bytes > Math.max(this.#limits.tailBytesMax, document.snapshotBytes / 2) &&
          nowMs - held.refreshedAtMs > this.#limits.refreshMs
        ) {
          held.refreshing = true;
          held.refreshedAtMs = nowMs;
          this.#effects.refresh(slice.number, partition.number, held.name, document.snapshotVersion);
        }
      }
  }

  #find(document: string): HeldDocument | undefined {
    const partition = partitionOf(document, this.#limits.partitions);
    return this.#slices.get(sliceOf(partition, this.#limits.slices))?.document(partition, document);
  }

  #sliceOf(document: string): number {
    return sliceOf(partitionOf(document, this.#limits.partitions), this.#limits.slices);
  }

  *#held(): Iterable<HeldDocument> {
    for (const slice of this.#slices.values()) for (const partition of slice.partitions.values()) yield* partition.documents.values();
  }

  #refuse(question: { gateway: Peer; question: number }, reason: RefusalReason, detail: string): true {
    this.#effects.send(question.gateway, { kind: 'refusal', worker: this.#self, question: question.question, reason, detail });
    return true;
  }
}

export interface WorkerEffects {
  send(gateway: Peer, message: ToGateway): void;
  /** Read the document from the store; then `loaded` or `loadFailed`. */
  load(slice: number, partition: number, document: string): void;
  /** Read it if the store's snapshot is newer than `version`; then `loaded`, `notNewer` or `loadFailed`. */
  refresh(slice: number, partition: number, document: string, version: number): void;
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
  readonly transfersMax: number;
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

/** Room for an answer's fixed fields, bytes. */
const envelopeOverheadBytes = 1024;

function presenceBytes(entries: readonly PresenceEntry[]): number {
  return entries.reduce((bytes, entry) => bytes + entry.json.length * 3 + 24, 0);
}

/** Cuts a list of entries so that each part fits `bytesMax` (JSON counted at three bytes a UTF-16 unit). */
function presenceParts(entries: readonly PresenceEntry[], bytesMax: number): PresenceEntry[][] {
  const parts: PresenceEntry[][] = [];
  let room = 0;
  for (const entry of entries) {
    const bytes = presenceBytes([entry]);
    if (parts.length === 0 || bytes > room) {
      parts.push([]);
      room = bytesMax - envelopeOverheadBytes;
    }
    parts.at(-1)!.push(entry);
    room -= bytes;
  }
  return parts;
}
