/** Why something of an account was not done. `unavailable`: it cannot be said now. */
export type AccountRefusalCode =
  | 'bad-request'
  | 'wrong-credentials'
  | 'disabled'
  | 'taken'
  | 'signed-out'
  | 'forbidden'
  | 'not-found'
  | 'conflict'
  | 'too-many-attempts'
  | 'unavailable';

/** The message is a short sentence fit for the client; it never quotes a secret. */
export class AccountRefusal extends Error {
  override readonly name = 'AccountRefusal';
  readonly code: AccountRefusalCode;
  /** When another try is worth while. */
  readonly retryAfterMs: number | undefined;
  constructor(code: AccountRefusalCode, message: string, retryAfterMs?: number) {
    super(message);
    this.code = code;
    this.retryAfterMs = retryAfterMs;
  }
}
