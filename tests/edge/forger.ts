import { createHmac, createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import type { Signer } from '../limits/signer.ts';

/** Signs whatever it is told to, under any header: with the house's key, with one of its own, with none. */
export class Forger {
  readonly kid: string;
  readonly #ours: KeyObject;
  readonly #own: KeyObject = generateKeyPairSync('ed25519').privateKey;

  constructor({ kid, jwk }: Signer) {
    this.kid = kid;
    this.#ours = createPrivateKey({ key: JSON.parse(jwk) as Record<string, string>, format: 'jwk' });
  }

  /** Claims of a right access token for every document, but for `changes`. */
  accessClaims(changes: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
    const now = nowS();
    return { iss: 'weft', aud: 'weft', sub: 'mallory', name: 'Mallory', documents: { '*': 'owner' }, iat: now, exp: now + 600, ...changes };
  }

  /** Claims of a right grant for `document`, but for `changes`. */
  grantClaims(document: string, changes: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
    const now = nowS();
    const base = { iss: 'weft', aud: 'weft-gateway', sub: 'ada', name: 'Ada', iat: now, exp: now + 60, until: (now + 600) * 1000 };
    return { ...base, role: 'owner', document, ...changes };
  }

  byHouse(claims: object, header: Readonly<Record<string, unknown>> = {}): string {
    return this.#signed(this.#ours, claims, header);
  }

  byStranger(claims: object, header: Readonly<Record<string, unknown>> = {}): string {
    return this.#signed(this.#own, claims, header);
  }

  byNobody(claims: object): string {
    return `${base64url({ alg: 'none', typ: 'JWT', kid: this.kid })}.${base64url(claims)}.`;
  }

  /** HMAC with what everybody knows of the key, as a library that lets the header choose would verify it. */
  byPublicKey(claims: object): string {
    const head = `${base64url({ alg: 'HS256', typ: 'JWT', kid: this.kid })}.${base64url(claims)}`;
    const known = createPublicKey(this.#ours).export({ type: 'spki', format: 'pem' });
    return `${head}.${createHmac('sha256', known).update(head).digest('base64url')}`;
  }

  /** The signature of one, the claims of another. */
  exchanged(token: string, claims: object): string {
    const [header = '', , signature = ''] = token.split('.');
    return `${header}.${base64url(claims)}.${signature}`;
  }

  grant(document: string, changes: Readonly<Record<string, unknown>> = {}, header: Readonly<Record<string, unknown>> = {}): string {
    return this.byHouse(this.grantClaims(document, changes), { typ: 'weft-grant+jwt', ...header });
  }

  #signed(key: KeyObject, claims: object, header: Readonly<Record<string, unknown>>): string {
    const head = `${base64url({ alg: 'EdDSA', typ: 'JWT', kid: this.kid, ...header })}.${base64url(claims)}`;
    return `${head}.${sign(null, Buffer.from(head), key).toString('base64url')}`;
  }
}

const nowS = (): number => Math.floor(Date.now() / 1000);
const base64url = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
