import type { Answer, Peer, PresenceEntry, UpdateDeframer } from '@weft/protocol';
import type { GatewayDocument, QuestionHandler } from './document.ts';
import type { Question } from './log-position.ts';

/** Questions to workers that are not answered yet, by number and by document. */
export class PendingQuestions {
  readonly #byNumber = new Map<number, Pending>();
  readonly #byDocument = new Map<GatewayDocument, Set<Pending>>();

  get size(): number {
    return this.#byNumber.size;
  }

  get(number: number): Pending | undefined {
    return this.#byNumber.get(number);
  }

  /** As they are now: they may be taken out meanwhile. */
  all(): Pending[] {
    return [...this.#byNumber.values()];
  }

  of(document: GatewayDocument): Pending[] {
    return [...(this.#byDocument.get(document) ?? [])];
  }

  add(pending: Pending): void {
    this.#byNumber.set(pending.id, pending);
    const others = this.#byDocument.get(pending.document);
    if (others) others.add(pending);
    else this.#byDocument.set(pending.document, new Set([pending]));
  }

  remove(pending: Pending): void {
    this.#byNumber.delete(pending.id);
    const others = this.#byDocument.get(pending.document);
    if (others?.delete(pending) && others.size === 0) this.#byDocument.delete(pending.document);
  }
}

export type QuestionBody =
  | { readonly kind: 'open'; readonly question: Question }
  | { readonly kind: 'contains'; readonly update: Uint8Array; readonly answer: (contained: boolean) => void };

export interface Pending {
  readonly id: number;
  readonly document: GatewayDocument;
  readonly handler: QuestionHandler;
  readonly body: QuestionBody;
  readonly attempts: number;
  worker: Peer | undefined;
  sentAtMs: number;
  /** Our own connections' presence as the question bore it. */
  presence: readonly PresenceEntry[];
  transfer:
    | { readonly answer: Answer; readonly deframer: UpdateDeframer; readonly updates: Uint8Array[]; received: number; asked: number }
    | undefined;
}
