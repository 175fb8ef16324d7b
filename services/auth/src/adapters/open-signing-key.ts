import { importSigningKey } from '../signing-key.ts';
import type { SigningKey } from '../signing-key.ts';
import { readOrMakeKeyFile } from './key-file.ts';

/** Where the key comes from: given (PEM or JWK), or a file that is made if it is not there. */
export type KeySource = { readonly kind: 'given'; readonly text: string } | { readonly kind: 'file'; readonly file: string };

/** @throws SigningKeyError if what is there is no Ed25519 private key. */
export async function openSigningKey(source: KeySource): Promise<SigningKey> {
  return importSigningKey(source.kind === 'given' ? source.text : await readOrMakeKeyFile(source.file));
}
