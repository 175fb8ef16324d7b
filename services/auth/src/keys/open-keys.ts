import type { Service } from '@weft/lifecycle';
import type { SigningKeyTable } from '@weft/store';

import { SigningKeyError, importSigningKey } from '../signing-key.ts';
import type { SigningKey } from '../signing-key.ts';
import { givenKeys } from './auth-keys.ts';
import type { AuthKeys } from './auth-keys.ts';
import { KeyFile } from './key-file.ts';
import { SigningKeys } from './signing-keys.ts';
import type { SigningKeysOptions } from './signing-keys.ts';

/** Where the keys are: given (PEM or JWK; several: the first signs), a file that is made if it is not there, or the house's Postgres. */
export type KeySource =
  | { readonly kind: 'given'; readonly text: string }
  | { readonly kind: 'file'; readonly file: string }
  | { readonly kind: 'postgres' };

export interface OpenKeysOptions extends SigningKeysOptions {
  /** Needed where the keys are in Postgres. */
  readonly table?: SigningKeyTable;
}

/** Rejects when the place of the keys is away. @throws SigningKeyError if what is there is no Ed25519 private key. */
export async function openAuthKeys(source: KeySource, options: OpenKeysOptions): Promise<AuthKeys & Service> {
  switch (source.kind) {
    case 'given':
      return { ...givenKeys(...(await importGiven(source.text))), run: nothing, drain: nothing, stop: nothing };
    case 'file':
      return SigningKeys.open(new KeyFile(source.file), options);
    case 'postgres':
      return openRotating(source, options);
  }
}

/** The keys that this house makes and rotates itself. @throws SigningKeyError for given ones. */
export async function openRotating(source: KeySource, options: OpenKeysOptions): Promise<SigningKeys> {
  switch (source.kind) {
    case 'given':
      throw new SigningKeyError(
        'WEFT_AUTH_KEY is given, so nobody but you rotates it: put a new key before the one that is there, which then only verifies',
      );
    case 'file':
      return SigningKeys.open(new KeyFile(source.file), options);
    case 'postgres':
      if (options.table === undefined) throw new TypeError('keys in Postgres need a table');
      return SigningKeys.open(options.table, options);
  }
}

/** PEM blocks one after the other, a JWK, or a JWKS. */
async function importGiven(text: string): Promise<[SigningKey, ...SigningKey[]]> {
  const [first, ...older] = await Promise.all(splitGiven(text.trim()).map((one) => importSigningKey(one)));
  if (first === undefined) throw new SigningKeyError('no key was given; expected an Ed25519 private key as PKCS8 PEM or JWK');
  return [first, ...older];
}

function splitGiven(text: string): readonly string[] {
  if (!text.startsWith('{')) return text.split(/(?=-----BEGIN )/).filter((block) => block.trim() !== '');
  try {
    const { keys } = JSON.parse(text) as { keys?: unknown };
    return Array.isArray(keys) ? keys.map((key) => JSON.stringify(key)) : [text];
  } catch {
    // The parser's message would quote the key; importing says what is expected.
    return [text];
  }
}

async function nothing(): Promise<void> {}
