import {
  type Answer,
  type AnswerBytes,
  type ContainsAnswer,
  type Peer,
  peerKey,
  type PresenceEntry,
  type Refusal,
  type ToWorker,
  UpdateDeframer,
} from '@weft/protocol';
import type { GatewayDocument, QuestionHandler } from './document.ts';
import { type Question, wantOf } from './log-position.ts';
import { type Pending, PendingQuestions } from './pending-questions.ts';
import { presenceParts } from './presence-parts.ts';

/** Answers that come later than so many abandoned questions leave a registration that ends with the next relay for it. */
const abandonedMax = 1_000;
/** Room for a question's other fields in a message, bytes. */
const overheadBytes = 1_024;

/**
 * Questions to workers, asked until they are answered: again after silence, after a pause when refused, at once when another worker owns the document. Large answers are
 * fetched in chunks, some ahead.
 */
export class WorkerQuestions {
  readonly #self: Peer;
  readonly #limits: QuestionLimits;
  readonly #world: QuestionWorld;
  readonly #pending = new PendingQuestions();
  /** Questions whose document was closed before the answer, with its name: the worker will register us all the same, and has to be told. */
  readonly #abandoned = new Map<number, string>();
  #containsBytes = 0;
  #next = 1;

  constructor(self: Peer, limits: QuestionLimits, world: QuestionWorld) {
    this.#self = self;
    this.#limits = limits;
    this.#world = world;
  }

  get size(): number {
    return this.#pending.size;
  }

  /** The number of the newest question. */
  get newest(): number {
    return this.#next - 1;
  }

  ask(document: GatewayDocument, question: Question, handler: QuestionHandler): void {
    this.#begin({ document, handler, body: { kind: 'open', question } });
  }

  /** Whether the document holds all of `update` already; false when nobody can say in time, or too much is being asked: then it goes into the log once more. */
  contains(document: GatewayDocument, update: Uint8Array, answer: (contained: boolean) => void): void {
    const bytes = update.byteLength + overheadBytes;
    if (bytes > this.#limits.payloadBytesMax || this.#containsBytes + bytes > this.#limits.containsBytesMax) return answer(false);
    this.#containsBytes += bytes;
    const done = (contained: boolean): void => {
      this.#containsBytes -= bytes;
      answer(contained);
    };
    const handler: QuestionHandler = { isForEverybody: false, asked: () => {}, answered: () => {}, abandoned: () => done(false) };
    this.#begin({ document, handler, body: { kind: 'contains', update, answer: done } });
  }

  /** The document is closed here: nobody waits any more. */
  abandon(document: GatewayDocument): void {
    for (const pending of this.#pending.of(document)) {
      this.#pending.remove(pending);
      if (pending.body.kind === 'open' && pending.worker) this.#remember(pending.id, document.name);
      pending.handler.abandoned();
    }
  }

  /** Whether a question about the document is under way to this worker: its answer registers us there. */
  isUnderWay(document: GatewayDocument, worker: Peer): boolean {
    return this.#pending
      .of(document)
      .some((pending) => pending.body.kind === 'open' && pending.worker && peerKey(pending.worker) === peerKey(worker));
  }

  /** The document an answer is for, with the presence its question bore; or the name of one that was closed meanwhile. */
  answered(answer: Answer): { document: GatewayDocument; presence: readonly PresenceEntry[] } | { abandoned: string } | undefined {
    const pending = this.#pending.get(answer.question);
    if (pending?.body.kind === 'open') return pending;
    const abandoned = this.#abandoned.get(answer.question);
    this.#abandoned.delete(answer.question);
    return abandoned === undefined ? undefined : { abandoned };
  }

  /** Takes the answer's first bytes, and fetches the rest. */
  takeAnswer(answer: Answer, nowMs: number): void {
    const pending = this.#pending.get(answer.question);
    if (!pending) return;
    const deframer = new UpdateDeframer(this.#limits.answerUpdateBytesMax);
    pending.transfer = { answer, deframer, updates: [], received: 0, asked: answer.bytes.byteLength };
    this.#receive(pending, answer.bytes, nowMs);
  }

  takeBytes(message: AnswerBytes, nowMs: number): void {
    const pending = this.#pending.get(message.question);
    // A chunk out of order is one after a lost one: `tick` asks the whole question again.
    if (!pending?.transfer || message.offset !== pending.transfer.received) return;
    this.#receive(pending, message.bytes, nowMs);
  }

  takeContains(message: ContainsAnswer): void {
    const pending = this.#pending.get(message.question);
    if (pending?.body.kind !== 'contains') return;
    this.#pending.remove(pending);
    pending.body.answer(message.contained);
  }

  refused(refusal: Refusal, nowMs: number): void {
    const pending = this.#pending.get(refusal.question);
    if (!pending) return;
    const pauseMs = Math.min(this.#limits.retryMaxMs, this.#limits.retryMs * 2 ** Math.min(pending.attempts, 10));
    pending.sentAtMs = nowMs;
    const { document, attempts } = pending;
    if (refusal.reason === 'unavailable') this.#world.unavailable({ document: document.name, detail: refusal.detail, attempts });
    this.#world.after(pauseMs, () => {
      if (this.#pending.get(pending.id) === pending) this.#again(pending);
    });
  }

  /** Whoever answers for some documents, or for this one, is another worker now. */
  ownersChanged(of?: GatewayDocument): void {
    for (const pending of of ? this.#pending.of(of) : this.#pending.all()) {
      const owner = this.#ownerFor(pending);
      if (!owner || (pending.worker && peerKey(pending.worker) === peerKey(owner))) continue;
      // The one before may answer all the same, and register us.
      if (pending.body.kind === 'open' && pending.worker) this.#remember(pending.id, pending.document.name);
      this.#again(pending);
    }
  }

  tick(nowMs: number): void {
    for (const pending of this.#pending.all()) if (nowMs - pending.sentAtMs >= this.#limits.answerTimeoutMs) this.#again(pending);
  }

  #begin(asked: Pick<Pending, 'document' | 'handler' | 'body'>): void {
    this.#ask({ ...asked, id: this.#next++, worker: undefined, sentAtMs: 0, attempts: 0, transfer: undefined, presence: [] });
  }

  #again(pending: Pending): void {
    this.#pending.remove(pending);
    const attempts = pending.attempts + 1;
    if (pending.body.kind === 'contains' && attempts >= this.#limits.containsAttemptsMax) return pending.body.answer(false);
    this.#ask({ ...pending, id: this.#next++, attempts, transfer: undefined });
  }

  #ask(pending: Pending): void {
    pending.sentAtMs = this.#world.nowMs();
    this.#pending.add(pending);
    const { document, body } = pending;
    const owner = this.#ownerFor(pending);
    pending.worker = owner;
    if (!owner) return; // nobody is there: `tick` and `ownersChanged` ask again
    const { logIdentity, atLeast } = this.#world.standing(document);
    const base = { gateway: this.#self, question: pending.id, document: document.name, logIdentity, atLeast };
    pending.handler.asked();
    if (body.kind === 'contains') return this.#world.sendToWorker(owner, { kind: 'contains', ...base, update: body.update });
    // What does not fit follows the answer: the worker takes presence only from who has the document open.
    pending.presence = presenceParts(document.presence.ofOwners(), this.#limits.payloadBytesMax / 2)[0] ?? [];
    this.#world.sendToWorker(owner, { kind: 'open', ...base, want: wantOf(body.question, logIdentity), presence: pending.presence });
  }

  #ownerFor({ document, handler }: Pending): Peer | undefined {
    return (handler.isForEverybody ? undefined : this.#world.leavingWorker(document)) ?? this.#world.owner(document.partition);
  }

  #receive(pending: Pending, bytes: Uint8Array, nowMs: number): void {
    const transfer = pending.transfer!;
    for (const update of transfer.deframer.push(bytes)) transfer.updates.push(update);
    transfer.received += bytes.byteLength;
    pending.sentAtMs = nowMs;
    const { answer } = transfer;
    if (transfer.received >= answer.totalBytes) {
      this.#pending.remove(pending);
      const { logIdentity, position, stateVector } = answer;
      return pending.handler.answered({ updates: transfer.updates, position: { logIdentity, position }, stateVector });
    }
    while (transfer.asked < answer.totalBytes && transfer.asked - transfer.received < this.#limits.fetchWindowBytes) {
      const fetch = { offset: transfer.asked, bytesMax: this.#limits.fetchBytes };
      this.#world.sendToWorker(answer.worker, { kind: 'fetch', gateway: this.#self, question: pending.id, ...fetch });
      transfer.asked += fetch.bytesMax;
    }
  }

  #remember(question: number, document: string): void {
    this.#abandoned.set(question, document);
    if (this.#abandoned.size > abandonedMax) this.#abandoned.delete(this.#abandoned.keys().next().value!);
  }
}

/** What questions need of the rest of the gateway. */
export interface QuestionWorld {
  nowMs(): number;
  after(ms: number, run: () => void): void;
  /** Who answers for a partition, as the ring is seen here; undefined while nobody is there. */
  owner(partition: number): Peer | undefined;
  /** The worker that has the document open for us and drains: until the new owner has taken it over it answers at once. */
  leavingWorker(document: GatewayDocument): Peer | undefined;
  sendToWorker(worker: Peer, message: ToWorker): void;
  /** How far the answer must be, and in which log. */
  standing(document: GatewayDocument): { readonly logIdentity: string; readonly atLeast: number };
  unavailable(fields: { readonly document: string; readonly detail: string; readonly attempts: number }): void;
}

export interface QuestionLimits {
  readonly payloadBytesMax: number;
  /** No answer and no byte of it for so long: asked again. */
  readonly answerTimeoutMs: number;
  readonly retryMs: number;
  readonly retryMaxMs: number;
  readonly containsAttemptsMax: number;
  /** Of `contains` questions under way. */
  readonly containsBytesMax: number;
  /** A large answer is fetched in chunks of so many bytes, so many bytes ahead. */
  readonly fetchBytes: number;
  readonly fetchWindowBytes: number;
  /** Largest single update an answer may bear. */
  readonly answerUpdateBytesMax: number;
}
