import { type Fetch, type Open, type Peer, peerKey, type RefusalReason, type ToGateway } from '@weft/protocol';
import { MalformedStateVector, MalformedUpdate } from '@weft/updates';
import { AnswerSource } from './answer-source.ts';
import type { OpenDocument } from './document.ts';
import type { GatewayLinks } from './gateway-links.ts';
import type { HeldDocument } from './held-document.ts';
import { presenceBytes, presenceParts, type PresenceRelays } from './presence-relays.ts';
import { type Question, type QuestionLimits, Questions } from './questions.ts';
import type { Slice } from './slice.ts';

/** Room for an answer's fixed fields, bytes. */
const overheadBytes = 1024;
/** A bus may take larger messages; what they bear is then allocated for each. */
const chunkBytesMax = 4 * 1024 * 1024;

/**
 * Questions and their answers: wait for the position -> load the document -> register the gateway and answer, in one step.
 * A question that cannot be answered in its time is refused with a reason; a document that cannot be read is never taken for an empty one.
 */
export class Answering {
  readonly #self: Peer;
  readonly #limits: AnsweringLimits;
  readonly #questions: Questions;
  readonly #links: GatewayLinks;
  readonly #presence: PresenceRelays;
  readonly #house: AnsweringHouse;
  /** What one message bears of an answer lies here until it is sent. */
  readonly #chunk: Uint8Array;

  constructor(self: Peer, limits: AnsweringLimits, links: GatewayLinks, presence: PresenceRelays, house: AnsweringHouse) {
    this.#self = self;
    this.#limits = limits;
    this.#questions = new Questions(limits);
    this.#links = links;
    this.#presence = presence;
    this.#house = house;
    this.#chunk = new Uint8Array(Math.min(limits.payloadBytesMax, chunkBytesMax));
  }

  ask(question: Question, nowMs: number): void {
    if (this.#tryAnswer(question, nowMs)) return;
    const { slice } = this.#house.placeOf(question.document);
    if (!this.#questions.wait(slice, question, nowMs)) this.refuse(question, 'unavailable', 'too many questions are waiting');
  }

  /** Something changed in this slice: whoever waits is offered an answer again. */
  retry(slice: number, nowMs: number): void {
    const late = this.#questions.retry(slice, nowMs, (question) => this.#tryAnswer(question, nowMs));
    for (const question of late) this.refuse(question, 'unavailable', 'the log position or the document did not come in time');
  }

  fetch(request: Fetch, nowMs: number): void {
    const source = this.#questions.fetch(request, nowMs);
    if (!source) return void this.refuse(request, 'expired', '');
    const { question, offset } = request;
    const bytes = source.slice(offset, Math.min(request.bytesMax, this.#limits.payloadBytesMax - overheadBytes), this.#chunk);
    this.#house.send(request.gateway, { kind: 'answer-bytes', worker: this.#self, question, offset, bytes });
  }

  sweep(nowMs: number): void {
    this.#questions.sweep(nowMs);
  }

  refuse(question: { gateway: Peer; question: number }, reason: RefusalReason, detail: string): true {
    this.#house.send(question.gateway, { kind: 'refusal', worker: this.#self, question: question.question, reason, detail });
    return true;
  }

  /** True when the question is done with: answered or refused. */
  #tryAnswer(question: Question, nowMs: number): boolean {
    const place = this.#house.placeOf(question.document);
    const slice = this.#house.slice(place.slice);
    const partition = slice?.partitions.get(place.partition);
    if (!slice || !partition) return this.refuse(question, 'not-owner', '');
    if (!slice.isReady(partition)) return false;
    if (question.logIdentity === slice.identity && question.atLeast > slice.position) return false;
    const held = slice.hold(place.partition, question.document);
    held.usedAtMs = nowMs;
    switch (held.state.kind) {
      case 'open':
        return this.#answer(question, slice, held, held.state.document, nowMs);
      case 'loading':
        return false;
      case 'failed':
        if (nowMs < held.state.retryAtMs) return this.refuse(question, 'unavailable', held.state.detail);
        break;
      case 'tail':
        break;
    }
    held.state = { kind: 'loading' };
    this.#house.load(slice.number, held);
    return false;
  }

  #answer(question: Question, slice: Slice, held: HeldDocument, document: OpenDocument, nowMs: number): boolean {
    try {
      if (question.kind === 'contains') {
        const contained = document.contains(question.update);
        if (contained === 'unknown') return this.#findDeletes(slice, held, document);
        this.#house.send(question.gateway, { kind: 'contains-answer', worker: this.#self, question: question.question, contained });
        return true;
      }
      const source = new AnswerSource(wanted(question, slice, document));
      this.#register(question, slice, held, document, source, nowMs);
    } catch (error) {
      if (!(error instanceof MalformedUpdate) && !(error instanceof MalformedStateVector)) throw error;
      this.refuse(question, 'unavailable', error.message);
    }
    return true;
  }

  /** The question waits until a thread has found out what is deleted in the document. */
  #findDeletes(slice: Slice, held: HeldDocument, document: OpenDocument): false {
    if (held.findingDeletes) return false;
    held.findingDeletes = true;
    const { changes, updates } = document.everything();
    this.#house.completeDeletes(updates, (deletes, nowMs) => {
      held.findingDeletes = false;
      document.deletesKnown(changes, deletes);
      this.retry(slice.number, nowMs);
    });
    return false;
  }

  /** Registers and answers in one step: what comes after `slice.position` will be relayed (architecture.md, section 3). */
  #register(question: Open, slice: Slice, held: HeldDocument, document: OpenDocument, source: AnswerSource, nowMs: number): void {
    const { link, sequence } = this.#links.register(question, slice, held, nowMs);
    this.#presence.apply(held, question.gateway, question.presence);
    const presence = held.presence.others(peerKey(question.gateway));
    const fitting = presenceParts(presence, this.#limits.payloadBytesMax / 2)[0] ?? [];
    const stateVector = document.stateVector();
    const room = this.#limits.payloadBytesMax - overheadBytes - presenceBytes(fitting) - stateVector.byteLength;
    const bytes = source.slice(0, Math.max(0, room), this.#chunk);
    if (bytes.byteLength < source.totalBytes) this.#questions.keep(question, source, nowMs);
    this.#house.send(question.gateway, {
      kind: 'answer',
      worker: this.#self,
      question: question.question,
      slice: slice.number,
      logIdentity: slice.identity,
      position: slice.position,
      link,
      sequence,
      stateVector,
      totalBytes: source.totalBytes,
      bytes,
      presence: fitting,
    });
    this.#presence.send(question.gateway, held, presence.slice(fitting.length));
  }
}

function wanted({ want, logIdentity }: Open, slice: Slice, document: OpenDocument): readonly Uint8Array[] {
  switch (want.kind) {
    case 'nothing':
      return [];
    case 'state-vector':
      return document.forStateVector(want.stateVector);
    case 'since':
      return (logIdentity === slice.identity ? document.since(want.position) : undefined) ?? document.forStateVector(want.stateVector);
  }
}

/** What answering needs of the rest of the worker. */
export interface AnsweringHouse {
  placeOf(document: string): { readonly slice: number; readonly partition: number };
  slice(number: number): Slice | undefined;
  /** See WorkerEffects. */
  send(gateway: Peer, message: ToGateway): void;
  load(slice: number, held: HeldDocument): void;
  completeDeletes(updates: readonly Uint8Array[], done: (deletes: Uint8Array | undefined, nowMs: number) => void): void;
}

export interface AnsweringLimits extends QuestionLimits {
  readonly payloadBytesMax: number;
}
