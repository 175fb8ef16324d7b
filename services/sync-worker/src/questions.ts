import { peerKey, type Contains, type Open } from '@weft/protocol';
import type { AnswerSource } from './answer-source.ts';

export type Question = Open | Contains;

/**
 * Questions that cannot be answered yet (the position is not reached, the document is being read), one list a slice, bounded in number and time; and answers
 * that did not fit one message, kept for who fetches the rest.
 */
export class Questions {
  readonly #waiting = new Map<number, { question: Question; deadlineMs: number }[]>();
  readonly #transfers = new Map<string, { source: AnswerSource; expiresAtMs: number }>();
  readonly #limits: QuestionLimits;

  constructor(limits: QuestionLimits) {
    this.#limits = limits;
  }

  /** False when there is no room: refuse. */
  wait(slice: number, question: Question, nowMs: number): boolean {
    const list = this.#waiting.get(slice) ?? [];
    if (list.length >= this.#limits.waitingMax) return false;
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
      if (answer(entry.question)) continue;
      if (nowMs >= entry.deadlineMs) late.push(entry.question);
      else this.#waiting.get(slice)!.push(entry);
    }
    return late;
  }

  /** Keeps the rest of an answer for its asker. */
  keep(question: Open, source: AnswerSource, nowMs: number): void {
    if (this.#transfers.size >= this.#limits.transfersMax) this.#transfers.delete(this.#transfers.keys().next().value!);
    this.#transfers.set(transferKey(question), { source, expiresAtMs: nowMs + this.#limits.transferMs });
  }

  fetch(request: Pick<Open, 'gateway' | 'question'>, offset: number, bytesMax: number, nowMs: number): Uint8Array | undefined {
    const transfer = this.#transfers.get(transferKey(request));
    if (!transfer) return undefined;
    transfer.expiresAtMs = nowMs + this.#limits.transferMs;
    return transfer.source.slice(offset, bytesMax);
  }

  sweep(nowMs: number): void {
    for (const [key, transfer] of this.#transfers) if (transfer.expiresAtMs <= nowMs) this.#transfers.delete(key);
  }
}

export interface QuestionLimits {
  /** Questions waiting in a slice. */
  readonly waitingMax: number;
  readonly waitMs: number;
  /** Large answers kept at a time, and for how long after the last fetch. They share the documents' own bytes. */
  readonly transfersMax: number;
  readonly transferMs: number;
}

function transferKey(question: Pick<Open, 'gateway' | 'question'>): string {
  return `${peerKey(question.gateway)}#${question.question}`;
}
