import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';

import { SignJWT, exportJWK, generateKeyPair } from 'jose';
import type { CryptoKey, JWK } from 'jose';

export interface IssuerKey {
  readonly kid: string;
  readonly privateKey: CryptoKey;
  readonly publicKey: CryptoKey;
  readonly publicJwk: JWK;
  readonly alg: string;
}

export type IssuerMood = 'well' | 'fails' | 'hangs' | 'garbage' | 'redirects';

/** An issuer somebody else runs: a real HTTP server with a JWKS of its own. */
export class ForeignIssuer {
  readonly issuer = 'https://issuer.example';
  readonly audience = 'weft.example';
  mood: IssuerMood = 'well';
  fetches = 0;
  readonly keys: IssuerKey[] = [];
  readonly #server: Server;

  private constructor() {
    this.#server = createServer((_request, response) => {
      this.fetches++;
      switch (this.mood) {
        case 'hangs':
          return;
        case 'fails':
          return void response.writeHead(503).end();
        case 'garbage':
          return void response.writeHead(200).end('<html>');
        case 'redirects':
          return void response.writeHead(302, { location: 'http://127.0.0.1:9/' }).end();
        case 'well':
          response.writeHead(200, { 'content-type': 'application/json' });
          response.end(JSON.stringify({ keys: this.keys.map(({ publicJwk }) => publicJwk) }));
      }
    });
  }

  static async start(alg = 'RS256'): Promise<ForeignIssuer> {
    const issuer = new ForeignIssuer();
    await new Promise<void>((resolve) => issuer.#server.listen(0, '127.0.0.1', resolve));
    await issuer.addKey(alg);
    return issuer;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/jwks.json`;
  }

  get current(): IssuerKey {
    return this.keys.at(-1)!;
  }

  async addKey(alg = this.current.alg): Promise<IssuerKey> {
    const key = await newIssuerKey(`key-${this.keys.length}-${Math.random()}`, alg);
    this.keys.push(key);
    return key;
  }

  /** `claims` and `header` override; undefined leaves out. */
  token(
    claims: Record<string, unknown> = {},
    header: Record<string, unknown> = {},
    key = this.current,
    nowMs = Date.now(),
  ): Promise<string> {
    const seconds = Math.floor(nowMs / 1000);
    const usual = { sub: 'u1', name: 'Ada', iss: this.issuer, aud: this.audience, exp: seconds + 3600, documents: { plan: 'editor' } };
    return new SignJWT({ ...usual, ...claims }).setProtectedHeader({ alg: key.alg, kid: key.kid, ...header }).sign(key.privateKey);
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

export async function newIssuerKey(kid: string, alg: string): Promise<IssuerKey> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  return { kid, privateKey, publicKey, alg, publicJwk: { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' } };
}
