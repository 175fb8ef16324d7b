/** A signing key as it is kept. */
export interface StoredKey {
  readonly kid: string;
  /** PKCS8 PEM. */
  readonly pem: string;
  /** It signs from then on, until a younger one does; ms since the epoch. */
  readonly signsFromMs: number;
  /** The end of the last token that lives longer than the usual; 0 for none. */
  readonly tokensUntilMs: number;
}

/**
 * Where the keys of all auth processes are kept: a file, or a table.
 * - `change` has a lock that no other process has at the same time; what `next` makes of the keys there are is whole there when it resolves, or nothing of it.
 * - Both reject when the place is away; retries are the caller's.
 */
export interface KeyStore {
  read(): Promise<readonly StoredKey[]>;
  /** `next` may be called more than once, and changes nothing when it gives back the very list it was given. Gives what is there after. */
  change(next: (keys: readonly StoredKey[]) => Promise<readonly StoredKey[]>): Promise<readonly StoredKey[]>;
}
