import { AUTH_KEYS_CHANGED_SUBJECT } from '@weft/grants';
import type { PublicKey } from '@weft/grants';
import type { Bus, BusSubscription } from '@weft/bus';
import { every } from '@weft/lifecycle';
import type { Service } from '@weft/lifecycle';
import type { Logger } from '@weft/telemetry';

import { generateSigningKeyPem, importSigningKey, verifyingKeys } from '../signing-key.ts';
import type { SigningKey, VerifyingKeys } from '../signing-key.ts';
import type { AuthKeys } from './auth-keys.ts';
import { PUBLISHED_AHEAD_MS, keptAt, nextSignsFrom, oldestFirst, signingAt } from './key-plan.ts';
import type { KeyStore, StoredKey } from './stored-key.ts';

export interface SigningKeysOptions {
  readonly logger: Logger;
  /** Ms since the epoch. */
  readonly now: () => number;
  /** A key signs for so long; `undefined`: until somebody says otherwise. */
  readonly rotationMs: number | undefined;
  /** The longest a token of these processes lives. */
  readonly tokenLifetimeMs: number;
  /** Tells other processes, and hears from them, that keys were changed. */
  readonly bus?: Bus;
  /** How often keys are read again, ms, should a word on the bus be lost. */
  readonly readAgainMs?: number;
}

/** Far less than a new key is public before it signs. */
const READ_AGAIN_MS = 30_000;
/** Keys at once. Where there are more, they are rotated far too often for the lifetime of their tokens. */
const KEYS_MAX = 50;

/**
 * The keys that all auth processes share, and their rotation (SPEC A20–A24). One process makes the next key in time, under the store's lock; all read it before it
 * signs. The store away: what is known keeps working.
 */
export class SigningKeys implements AuthKeys, Service {
  readonly #store: KeyStore;
  readonly #options: SigningKeysOptions;
  readonly #imported = new Map<string, SigningKey>();
  readonly #stopping = new AbortController();
  #stored: readonly StoredKey[] = [];
  #verifying: VerifyingKeys = new Map();
  #subscription: BusSubscription | undefined;
  /** The end of all that was begun: one thing at a time, so that nothing older is believed after something newer. */
  #turns: Promise<unknown> = Promise.resolve();
  #refreshWaits = false;

  private constructor(store: KeyStore, options: SigningKeysOptions) {
    this.#store = store;
    this.#options = options;
  }

  /** The keys there are; a first one is made. Rejects when the store is away. @throws SigningKeyError for a key that is none. */
  static async open(store: KeyStore, options: SigningKeysOptions): Promise<SigningKeys> {
    const keys = new SigningKeys(store, options);
    await keys.refresh();
    return keys;
  }

  signing(): SigningKey {
    const stored = signingAt(this.#stored, this.#options.now());
    const key = stored && this.#imported.get(stored.kid);
    if (key === undefined) throw new Error('there is no key to sign with');
    return key;
  }

  verifying(): VerifyingKeys {
    return this.#verifying;
  }

  publicKeys(): readonly PublicKey[] {
    return this.#stored.flatMap(({ kid }) => this.#imported.get(kid)?.publicJwk ?? []);
  }

  async signingUntil(untilMs: number): Promise<SigningKey> {
    const key = this.signing();
    if (untilMs <= this.#options.now() + this.#options.tokenLifetimeMs) return key;
    await this.#inTurn(() =>
      this.#change(async (keys) => keys.map((stored) => (stored.kid === key.kid ? keptUntil(stored, untilMs) : stored))),
    );
    return key;
  }

  /** A new key that signs once everybody has it; tokens signed so far stay good. Gives since when. */
  async rotate(): Promise<{ kid: string; signsFromMs: number }> {
    const fresh = await newKey(this.#options.now() + PUBLISHED_AHEAD_MS);
    await this.#inTurn(() => this.#change(async (keys) => add(keys, fresh)));
    return fresh;
  }

  /** A new key that signs now, and none besides it: no token signed so far is worth anything from now on. */
  async revokeAll(): Promise<{ kid: string; signsFromMs: number }> {
    const fresh = await newKey(this.#options.now());
    await this.#inTurn(() => this.#change(async () => [fresh]));
    return fresh;
  }

  /** Reads the keys, makes one that is due, drops those whose tokens have all ended. */
  refresh(): Promise<void> {
    return this.#inTurn(async () => {
      const stored = await this.#store.read();
      await ((await this.#due(stored)) === stored ? this.#adopt(stored) : this.#change((keys) => this.#due(keys)));
    });
  }

  async run(): Promise<void> {
    this.#subscription = this.#options.bus?.subscribe(AUTH_KEYS_CHANGED_SUBJECT, () => void this.#tryRefresh());
    void every(this.#options.readAgainMs ?? READ_AGAIN_MS, () => this.#tryRefresh(), this.#stopping.signal);
  }

  async drain(): Promise<void> {
    this.#subscription?.unsubscribe();
    this.#stopping.abort(new Error('keys are no longer read'));
    await this.#turns;
  }

  stop(): Promise<void> {
    return this.drain();
  }

  /** Many words in a row cost one reading. */
  async #tryRefresh(): Promise<void> {
    if (this.#refreshWaits) return;
    this.#refreshWaits = true;
    await this.#turns;
    this.#refreshWaits = false;
    if (this.#stopping.signal.aborted) return;
    await this.refresh().catch((err: unknown) =>
      this.#options.logger.warn({ err }, 'signing keys could not be read again; those known keep working'),
    );
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#turns.then(work);
    this.#turns = turn.catch(() => undefined);
    return turn;
  }

  /** The very list it was given when nothing is due. */
  async #due(stored: readonly StoredKey[]): Promise<readonly StoredKey[]> {
    const nowMs = this.#options.now();
    const kept = keptAt(stored, nowMs, this.#options.tokenLifetimeMs);
    const signsFromMs = nextSignsFrom(kept, nowMs, this.#options.rotationMs ?? Number.POSITIVE_INFINITY);
    if (signsFromMs !== undefined) return add(kept, await newKey(signsFromMs));
    return kept.length === stored.length ? stored : kept;
  }

  async #change(next: (keys: readonly StoredKey[]) => Promise<readonly StoredKey[]>): Promise<void> {
    await this.#adopt(await this.#store.change(next));
    this.#options.bus?.publish(AUTH_KEYS_CHANGED_SUBJECT, new Uint8Array());
  }

  async #adopt(stored: readonly StoredKey[]): Promise<void> {
    for (const { kid, pem } of stored) {
      if (!this.#imported.has(kid)) this.#imported.set(kid, await importSigningKey(pem, kid));
    }
    for (const kid of this.#imported.keys()) {
      if (!stored.some((key) => key.kid === kid)) this.#imported.delete(kid);
    }
    this.#stored = oldestFirst(stored);
    this.#verifying = verifyingKeys(...this.#imported.values());
  }
}

function add(keys: readonly StoredKey[], fresh: StoredKey): readonly StoredKey[] {
  if (keys.length >= KEYS_MAX) {
    throw new Error(`there are ${keys.length} signing keys whose tokens have not ended; rotate less often, or let tokens live shorter`);
  }
  return [...keys, fresh];
}

function keptUntil(stored: StoredKey, untilMs: number): StoredKey {
  return { ...stored, tokensUntilMs: Math.max(stored.tokensUntilMs, untilMs) };
}

async function newKey(signsFromMs: number): Promise<StoredKey> {
  const pem = await generateSigningKeyPem();
  const { kid } = await importSigningKey(pem);
  return { kid, pem, signsFromMs, tokensUntilMs: 0 };
}
