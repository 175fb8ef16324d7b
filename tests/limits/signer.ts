import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import type { Role } from '@weft/grants';

export interface Claims {
  readonly sub?: string;
  readonly name?: string;
  readonly documents?: Readonly<Record<string, Role>>;
  /** Seconds from now; negative: expired. */
  readonly expiresInS?: number;
}

/** Signs tokens by hand, so that a test can also sign them wrongly. */
export class Signer {
  readonly kid: string;
  readonly #privateKey: KeyObject = generateKeyPairSync('ed25519').privateKey;

  constructor(kid: string) {
    this.kid = kid;
  }

  /** As services/auth takes it. */
  get jwk(): string {
    return JSON.stringify({ ...this.#privateKey.export({ format: 'jwk' }), kid: this.kid });
  }

  token(claims: Claims = {}, header: Readonly<Record<string, string>> = {}): string {
    const head = base64url({ alg: 'EdDSA', typ: 'JWT', kid: this.kid, ...header });
    const signed = `${head}.${payloadOf(claims)}`;
    return `${signed}.${sign(null, Buffer.from(signed), this.#privateKey).toString('base64url')}`;
  }

  /** A token whose header says that nobody signed it. */
  unsigned(claims: Claims = {}): string {
    return `${base64url({ alg: 'none', typ: 'JWT', kid: this.kid })}.${payloadOf(claims)}.`;
  }
}

function payloadOf({ sub = 'somebody', name = 'Somebody', documents = { '*': 'editor' }, expiresInS = 600 }: Claims): string {
  const nowS = Math.floor(Date.now() / 1000);
  return base64url({ iss: 'weft', aud: 'weft', sub, name, documents, iat: nowS - 3600, exp: nowS + expiresInS });
}

function base64url(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}
