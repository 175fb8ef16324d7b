import { peerKey, type Contains, type Open } from '@weft/protocol';
import type { AnswerSource } from './answer-source.ts';

export type Question = Open | Contains;

/**
 * Questions that cannot be answered yet (the position is not reached, the document is being read), one list a slice, bounded in number and time; and answers
 * that did not fit one message, kept for who fetches the rest.
 */
export class Questions {
  readonly #waiting = new Map<number, { question: Question; deadlineMs: number }[]>();
  #waitingBytes = 0;
  /** The one fetched from longest ago stands first. */
  readonly #transfers = new Map<string, { source: AnswerSource; expiresAtMs: number }>();
  readonly #limits: QuestionLimits;

  constructor(limits: QuestionLimits) {
    this.#limits = limits;
  }

  /** False when there is no room: refuse. */
  wait(slice: number, question: Question, nowMs: number): boolean {
    const list = this.#waiting.get(slice) ?? [];
    const bytes = bytesOf(question);
    if (list.length >= this.#limits.waitingMax || this.#waitingBytes + bytes > this.#limits.waitingBytesMax) return false;
    this.#waitingBytes += bytes;
    list.push({ question, deadlineMs: nowMs + this.#limits.waitMs });
    this.#waiting.set(slice, list);
    return true;
  }

  /** Offers every waiting question of the slice once; `answer` says whether it is done with. Gives those whose time is up. */
  retry(slice: number, nowMs: number, answer: (question: Question) => boolean): Question[] {
    const list = this.#waiting.get(slice);
    if (!list || list.length === 0) return [];
    this.#waiting.set(slice, []);
    const late: Question[] = [];
    for (const entry of list) {
      const done = answer(entry.question);
      if (!done && nowMs < entry.deadlineMs) {
        this.#waiting.get(slice)!.push(entry);
        continue;
      }
      this.#waitingBytes -= bytesOf(entry.question);
      if (!done) late.push(entry.question);
    }
    return late;
  }

  /** Keeps the rest of an answer for its asker. Beyond the bounds the one fetched from longest ago goes: its asker hears that it expired, and asks again. */
  keep(question: Open, source: AnswerSource, nowMs: number): void {
    const { transfersMax, transfersBytesMax, transferMs } = this.#limits;
    this.#transfers.set(transferKey(question), { source, expiresAtMs: nowMs + transferMs });
    while (this.#transfers.size > transfersMax || (this.#transfers.size > 1 && this.#transferBytes() > transfersBytesMax))
      this.#transfers.delete(this.#transfers.keys().next().value!);
  }

  /** The answer whose rest is asked for; undefined when it is kept no longer. */
  fetch(request: Pick<Open, 'gateway' | 'question'>, nowMs: number): AnswerSource | undefined {
    const key = transferKey(request);
    const transfer = this.#transfers.get(key);
    if (!transfer) return undefined;
    this.#transfers.delete(key);
    this.#transfers.set(key, transfer);
    transfer.expiresAtMs = nowMs + this.#limits.transferMs;
    return transfer.source;
  }

  sweep(nowMs: number): void {
    for (const [key, transfer] of this.#transfers) if (transfer.expiresAtMs <= nowMs) this.#transfers.delete(key);
  }

  /** What they keep in memory: bytes that several share count once. */
  #transferBytes(): number {
    const updates = new Set<Uint8Array>();
    for (const { source } of this.#transfers.values()) for (const update of source.updates) updates.add(update);
    let bytes = 0;
    for (const update of updates) bytes += update.byteLength;
    return bytes;
  }
}

export interface QuestionLimits {
  /** Questions waiting in a slice. */
  readonly waitingMax: number;
  readonly waitMs: number;
  /** Of what the waiting questions bear, over all slices. */
  readonly waitingBytesMax: number;
  /** Large answers kept at a time, what they keep in memory (one alone may be larger), and for how long after the last fetch. Most bytes are the documents' own. */
  readonly transfersMax: number;
  readonly transfersBytesMax: number;
  readonly transferMs: number;
}

/** Names, ids, numbers. */
const questionOverheadBytes = 512;

function bytesOf(question: Question): number {
  if (question.kind === 'contains') return questionOverheadBytes + question.update.byteLength;
  const vector = question.want.kind === 'nothing' ? 0 : question.want.stateVector.byteLength;
  return question.presence.reduce((bytes, { json }) => bytes + 2 * json.length, questionOverheadBytes + vector);
}

function transferKey(question: Pick<Open, 'gateway' | 'question'>): string {
  return `${peerKey(question.gateway)}#${question.question}`;
}
