import type { Bus, BusSubscription } from '@weft/bus';
import { importJWK } from 'jose';
import type { CryptoKey } from 'jose';

import { AuthUnavailable } from './auth-client.ts';
import type { Decision } from './decision.ts';
import { GrantError, verifyGrant } from './grant.ts';
import type { GrantKeys } from './grant.ts';
import { MalformedAuthMessage } from './json-message.ts';
import { AUTH_KEYS_CHANGED_SUBJECT, AUTH_KEYS_SUBJECT, decodeKeys } from './keys-message.ts';
import type { PublicKey } from './keys-message.ts';

export interface GrantVerifierOptions {
  /** How long auth may take to say its keys; the bus answers in a millisecond or two. */
  readonly timeoutMs: number;
  /** Ms since the epoch; the wall clock unless given. */
  readonly now?: () => number;
}

/** A key that was withdrawn is not believed for longer than this, should the word of it be lost. */
const KEPT_MS = 60_000;
/** A key nobody knows is asked for so often at most, however many grants name one. */
const ASK_AGAIN_MS = 1000;

interface Known {
  readonly keys: GrantKeys;
  readonly askedAtMs: number;
}

/** Believes grants by auth's public keys, which it asks for once a minute, and when auth says that they changed (SPEC G23). */
export class GrantVerifier {
  readonly #bus: Bus;
  readonly #timeoutMs: number;
  readonly #now: () => number;
  #known: Known | undefined;
  #asking: Promise<Known> | undefined;
  #subscription: BusSubscription | undefined;

  constructor(bus: Bus, options: GrantVerifierOptions) {
    this.#bus = bus;
    this.#timeoutMs = options.timeoutMs;
    this.#now = options.now ?? Date.now;
  }

  /** Hears when keys change. */
  start(): void {
    this.#subscription ??= this.#bus.subscribe(AUTH_KEYS_CHANGED_SUBJECT, () => {
      this.#known = undefined;
      // What is under way may be from before.
      this.#asking = undefined;
    });
  }

  stop(): void {
    this.#subscription?.unsubscribe();
    this.#subscription = undefined;
  }

  /** What auth allowed, or a refusal with 401. Rejects with `AuthUnavailable` when its keys cannot be had: the grant says nothing then, and the token can be asked about. */
  async check(grant: string, document: string): Promise<Decision> {
    const known = await this.#keysOf(KEPT_MS);
    try {
      return await verifyGrant(grant, document, known.keys, this.#now());
    } catch (error) {
      if (!(error instanceof GrantError)) throw error;
      if (error.code !== 'unknown-key' || this.#now() - known.askedAtMs < ASK_AGAIN_MS) return refusal(error);
    }
    // Signed by a key that is newer than those we have.
    const { keys } = await this.#keysOf(ASK_AGAIN_MS);
    return verifyGrant(grant, document, keys, this.#now()).catch((error: unknown) => {
      if (error instanceof GrantError) return refusal(error);
      throw error;
    });
  }

  #keysOf(ageMsMax: number): Promise<Known> {
    if (this.#known !== undefined && this.#now() - this.#known.askedAtMs < ageMsMax) return Promise.resolve(this.#known);
    return (this.#asking ??= this.#start());
  }

  #start(): Promise<Known> {
    const asking = this.#ask().then(
      (known) => {
        if (this.#asking === asking) {
          this.#known = known;
          this.#asking = undefined;
        }
        return known;
      },
      (cause: unknown) => {
        if (this.#asking === asking) this.#asking = undefined;
        throw new AuthUnavailable('auth did not say its keys', { cause });
      },
    );
    return asking;
  }

  async #ask(): Promise<Known> {
    const askedAtMs = this.#now();
    const answer = await this.#bus.request(AUTH_KEYS_SUBJECT, new Uint8Array(), { timeoutMs: this.#timeoutMs });
    const keys = await Promise.all(decodeKeys(answer).map(importPublicKey));
    return { keys: new Map(keys), askedAtMs };
  }
}

async function importPublicKey(jwk: PublicKey): Promise<readonly [string, CryptoKey]> {
  const key = await importJWK({ ...jwk }, jwk.alg);
  // Bytes are what a symmetric key is given as; `decodeKeys` lets none through.
  if (key instanceof Uint8Array) throw new MalformedAuthMessage('a key is no public key');
  return [jwk.kid, key];
}

function refusal({ message }: GrantError): Decision {
  return { allowed: false, status: 401, reason: message };
}
