import type { Allowed, Decision } from '@weft/grants';

/** Before its right ends a client is asked for another token: so long. */
const remindMs = 30_000;
/** For less it is not asked: it has been. */
const remindLeastMs = 1_000;

/** Who has a right, and is told what becomes of it. */
export interface RightHolder {
  /** How long it stays when its time is over, ms: its next token may be on its way. */
  readonly graceMs: number;
  /** Auth's answer to the token it has, asked anew. */
  decided(decision: Decision): void;
  /** Its time is nearly over, and the token it has brings no more. */
  ending(): void;
  /** Its time is over, and the grace. */
  ended(): void;
}

/** What one member of a document was allowed, and the token it came with: with that it is asked for again. */
export class Right {
  /** For turns. */
  readonly id: number;
  readonly document: string;
  readonly holder: RightHolder;
  token: string;
  allowed: Allowed;
  /** Wall clock: when to look after another token; Infinity once that was done. */
  remindAtMs: number;
  /** It was asked because its time is nearly over. */
  isEnding = false;
  /** A timer will ask for it again. */
  isToBeAsked = false;
  isHeld = true;

  constructor(id: number, document: string, brought: Brought, holder: RightHolder, wallMs: number) {
    this.id = id;
    this.document = document;
    this.holder = holder;
    this.token = brought.token;
    this.allowed = brought.allowed;
    this.remindAtMs = remindAt(brought.allowed.untilMs, wallMs);
  }

  renew({ token, allowed }: Brought, wallMs: number): void {
    if (token !== this.token || allowed.untilMs !== this.allowed.untilMs) this.remindAtMs = remindAt(allowed.untilMs, wallMs);
    this.token = token;
    this.allowed = allowed;
  }
}

export interface Brought {
  readonly token: string;
  readonly allowed: Allowed;
}

/** Of a short time half, so that an issuer of short tokens is not asked without end. */
function remindAt(untilMs: number, wallMs: number): number {
  const restMs = untilMs - wallMs;
  return restMs < remindLeastMs ? Infinity : Math.max(untilMs - remindMs, wallMs + restMs / 2);
}
