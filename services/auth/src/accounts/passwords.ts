import { AccountRefusal } from './account-refusal.ts';

/** How passwords are hashed. Each call costs tens of milliseconds of a core and megabytes of memory, by design. */
export interface PasswordHasher {
  hash(password: string): Promise<string>;
  verify(hash: string, password: string): Promise<boolean>;
}

const LENGTH_MIN = 8;
/** UTF-8 bytes. A hash takes any length, and would be busy with it. */
export const PASSWORD_BYTES_MAX = 1024;
/** Hashes under way at once: each holds 19 MiB and a core. */
const UNDER_WAY_MAX = 2;
/** Who waits for one. At 50 ms a hash the last waits about two seconds. */
const WAITING_MAX = 64;
const RETRY_AFTER_MS = 2000;

/** Hashes a few passwords at once, refuses what it cannot get to, and takes as long for nobody's password as for somebody's (SPEC AC2, AC3). */
export class Passwords {
  readonly #hasher: PasswordHasher;
  readonly #nobodys: string;
  readonly #waiting: (() => void)[] = [];
  #underWay = 0;

  private constructor(hasher: PasswordHasher, nobodys: string) {
    this.#hasher = hasher;
    this.#nobodys = nobodys;
  }

  /** @param secret a text nobody knows: the password of nobody. */
  static async open(hasher: PasswordHasher, secret: string): Promise<Passwords> {
    return new Passwords(hasher, await hasher.hash(secret));
  }

  /** For a new password. @throws AccountRefusal when it is too short or too long, or when too many wait. */
  async hash(password: string): Promise<string> {
    const normal = checkedLength(password);
    if (normal.length < LENGTH_MIN) throw new AccountRefusal('bad-request', `a password has ${LENGTH_MIN} characters or more`);
    return this.#inTurn(() => this.#hasher.hash(normal));
  }

  /** `hash` undefined: there is no such account; false, after as long as for a wrong password. @throws AccountRefusal as above. */
  async verify(password: string, hash: string | undefined): Promise<boolean> {
    const normal = checkedLength(password);
    const right = await this.#inTurn(() => this.#hasher.verify(hash ?? this.#nobodys, normal));
    return right && hash !== undefined;
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (this.#underWay >= UNDER_WAY_MAX) {
      if (this.#waiting.length >= WAITING_MAX) {
        throw new AccountRefusal('unavailable', 'too many people sign in at this moment: try again', RETRY_AFTER_MS);
      }
      // Who ends hands its turn on: the count stays.
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    } else this.#underWay += 1;
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#underWay -= 1;
      else next();
    }
  }
}

/** One normal form: keyboards differ in how they spell an ä. */
function checkedLength(password: string): string {
  // Before anything that takes long for a long text.
  if (password.length > PASSWORD_BYTES_MAX || new TextEncoder().encode(password).length > PASSWORD_BYTES_MAX) {
    throw new AccountRefusal('bad-request', `a password has at most ${PASSWORD_BYTES_MAX} bytes`);
  }
  return password.normalize('NFKC');
}
