/** Auth's public keys on the bus, for who verifies a grant without asking: an empty request, a JWKS as the answer (SPEC G14). */
import { MalformedAuthMessage, decodeObject, encode, isObject } from './json-message.ts';

/** Request and reply; any auth process answers. */
export const AUTH_KEYS_SUBJECT = 'weft.auth.keys';
/** Said, with nothing in it, when keys were changed: who keeps them asks again. A lost one is healed by asking now and then. */
export const AUTH_KEYS_CHANGED_SUBJECT = 'weft.auth.keys.changed';

/** The public half of an Ed25519 key as a JWK. */
export interface PublicKey {
  readonly kty: 'OKP';
  readonly crv: 'Ed25519';
  readonly x: string;
  readonly kid: string;
  readonly alg: 'EdDSA';
  readonly use: 'sig';
}

/** Many rotations within one token's lifetime; more is a mistake. */
const KEYS_MAX = 100;

export function encodeKeys(keys: readonly PublicKey[]): Uint8Array {
  return encode({ keys: keys.map(({ kty, crv, x, kid, alg, use }) => ({ kty, crv, x, kid, alg, use })) });
}

/** @throws MalformedAuthMessage for anything but a list of public Ed25519 keys. */
export function decodeKeys(bytes: Uint8Array): readonly PublicKey[] {
  const { keys } = decodeObject(bytes, 'answer');
  if (!Array.isArray(keys) || keys.length > KEYS_MAX) throw new MalformedAuthMessage(`answer without a list of at most ${KEYS_MAX} keys`);
  return keys.map(publicKeyOf);
}

function publicKeyOf(value: unknown): PublicKey {
  if (!isObject(value)) throw new MalformedAuthMessage('a key is no object');
  const { kty, crv, x, kid, alg, use } = value;
  const isOurs = kty === 'OKP' && crv === 'Ed25519' && alg === 'EdDSA' && use === 'sig';
  if (!isOurs || typeof x !== 'string' || typeof kid !== 'string' || kid === '') {
    throw new MalformedAuthMessage('a key is no public Ed25519 key with kid, alg and use');
  }
  return { kty, crv, x, kid, alg, use };
}
