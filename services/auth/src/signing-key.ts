import { calculateJwkThumbprint, exportJWK, exportPKCS8, generateKeyPair, importJWK, importPKCS8 } from 'jose';
import type { CryptoKey, JWK } from 'jose';

import type { PublicKey } from '@weft/grants';

/** The key that signs, with its public half as everybody may see it. */
export interface SigningKey {
  /** The JWK's own `kid`, else its RFC 7638 thumbprint. */
  readonly kid: string;
  readonly privateKey: CryptoKey;
  readonly publicKey: CryptoKey;
  readonly publicJwk: PublicKey;
}

/** Keys that may have signed a token, by `kid`. */
export type VerifyingKeys = ReadonlyMap<string, CryptoKey>;

/** The message never quotes the key (SPEC A7). */
export class SigningKeyError extends Error {
  override readonly name = 'SigningKeyError';
}

/** @param text an Ed25519 private key: PKCS8 PEM, or a JWK as JSON. @param name its `kid`, if it is kept under one. @throws SigningKeyError */
export async function importSigningKey(text: string, name?: string): Promise<SigningKey> {
  const trimmed = text.trim();
  const { privateKey, kid = name } = trimmed.startsWith('{') ? await importFromJwk(trimmed) : await importFromPem(trimmed);
  const { crv, x } = await exportJWK(privateKey);
  if (crv !== 'Ed25519' || x === undefined) throw new SigningKeyError('the key is not an Ed25519 private key');
  const bare = { kty: 'OKP', crv, x } as const;
  const id = kid ?? (await calculateJwkThumbprint(bare));
  const publicKey = await importJWK(bare, 'EdDSA');
  return { kid: id, privateKey, publicKey, publicJwk: { ...bare, kid: id, alg: 'EdDSA', use: 'sig' } };
}

/** A new key, as the PEM text that `importSigningKey` reads. */
export async function generateSigningKeyPem(): Promise<string> {
  const { privateKey } = await generateKeyPair('EdDSA', { crv: 'Ed25519', extractable: true });
  return exportPKCS8(privateKey);
}

export function verifyingKeys(...keys: readonly SigningKey[]): VerifyingKeys {
  return new Map(keys.map((key) => [key.kid, key.publicKey]));
}

async function importFromPem(pem: string): Promise<{ privateKey: CryptoKey; kid: undefined }> {
  try {
    return { privateKey: await importPKCS8(pem, 'EdDSA', { extractable: true }), kid: undefined };
  } catch {
    // The cause is left out on purpose: parsers quote what they read.
    throw new SigningKeyError('the key is not an Ed25519 private key as PKCS8 PEM (openssl genpkey -algorithm ed25519) or JWK');
  }
}

async function importFromJwk(json: string): Promise<{ privateKey: CryptoKey; kid: string | undefined }> {
  try {
    const jwk = JSON.parse(json) as JWK;
    if (jwk.kty !== 'OKP' || jwk.crv !== 'Ed25519' || typeof jwk.d !== 'string') throw new SigningKeyError('kty, crv or d');
    const privateKey = (await importJWK({ ...jwk, alg: 'EdDSA', ext: true }, 'EdDSA', { extractable: true })) as CryptoKey;
    return { privateKey, kid: jwk.kid };
  } catch {
    throw new SigningKeyError('the key is not an Ed25519 private key as JWK: {"kty":"OKP","crv":"Ed25519","x":…,"d":…}');
  }
}
