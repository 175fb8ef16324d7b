import type { PublicKey } from '@weft/grants';

import { verifyingKeys } from '../signing-key.ts';
import type { SigningKey, VerifyingKeys } from '../signing-key.ts';

/** The keys of this house as they are at the moment of the call: one signs, all verify. */
export interface AuthKeys {
  /** The key to sign with now, for tokens of the usual lifetime or less. */
  signing(): SigningKey;
  /** The same for a token that may live longer: its key is kept until then. Rejects when that cannot be written down. */
  signingUntil(untilMs: number): Promise<SigningKey>;
  verifying(): VerifyingKeys;
  /** Public halves only, with `kid`, `use` and `alg`: what `/auth/.well-known/jwks.json` and the bus give to anybody. */
  publicKeys(): readonly PublicKey[];
}

/** Keys that somebody gave and nobody rotates: the first signs, the others verify what they signed once. */
export function givenKeys(first: SigningKey, ...older: readonly SigningKey[]): AuthKeys {
  const all = [first, ...older];
  const verifying = verifyingKeys(...all);
  const publicKeys = all.map((key) => key.publicJwk);
  return { signing: () => first, signingUntil: async () => first, verifying: () => verifying, publicKeys: () => publicKeys };
}
