/**
 * The text of a key file: for each key some lines `Name: value`, then its PKCS8 PEM. OpenSSL passes over such lines; a file of one bare PEM (or JWK), as earlier Wefts wrote and
 * people give, is a key that has signed from the beginning.
 */
import { exportPKCS8 } from 'jose';

import { importSigningKey, SigningKeyError } from '../signing-key.ts';
import type { StoredKey } from './stored-key.ts';

const BLOCK = /(?<lines>(?:^(?!-----).*\r?\n)*)(?<pem>-----BEGIN PRIVATE KEY-----[\s\S]*?-----END PRIVATE KEY-----)/gm;

/** @throws SigningKeyError, which quotes nothing. */
export async function parseKeyFile(text: string): Promise<StoredKey[]> {
  const trimmed = text.trim();
  if (trimmed.startsWith('{')) {
    const { kid, privateKey } = await importSigningKey(trimmed);
    return [{ kid, pem: await exportPKCS8(privateKey), signsFromMs: 0, tokensUntilMs: 0 }];
  }
  const keys: StoredKey[] = [];
  for (const { groups } of `${trimmed}\n`.matchAll(BLOCK)) {
    const { lines = '', pem = '' } = groups ?? {};
    keys.push({
      kid: (await importSigningKey(pem, valueOf(lines, 'Kid'))).kid,
      pem,
      signsFromMs: timeOf(lines, 'Signs-From'),
      tokensUntilMs: timeOf(lines, 'Tokens-Until'),
    });
  }
  if (keys.length === 0)
    throw new SigningKeyError('the key file has no Ed25519 private key as PKCS8 PEM (openssl genpkey -algorithm ed25519)');
  return keys;
}

export function formatKeyFile(keys: readonly StoredKey[]): string {
  return keys
    .map(({ kid, pem, signsFromMs, tokensUntilMs }) => {
      const until = tokensUntilMs === 0 ? '' : `Tokens-Until: ${new Date(tokensUntilMs).toISOString()}\n`;
      return `Kid: ${kid}\nSigns-From: ${new Date(signsFromMs).toISOString()}\n${until}${pem.trim()}\n`;
    })
    .join('\n');
}

function valueOf(lines: string, name: string): string | undefined {
  return new RegExp(`^${name}: (.+?)\\s*$`, 'm').exec(lines)?.[1];
}

function timeOf(lines: string, name: string): number {
  const given = valueOf(lines, name);
  if (given === undefined) return 0;
  const ms = Date.parse(given);
  if (Number.isNaN(ms))
    throw new SigningKeyError(`the key file has a line ${name} that is no time; expected one like 2026-01-31T12:00:00.000Z`);
  return ms;
}
