import { hash, verify } from '@node-rs/argon2';

import type { PasswordHasher } from '../accounts/passwords.ts';

/** OWASP's first choice for argon2id: 19 MiB, two passes, one lane. Runs on libuv's threads. */
const COST = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };

export const argon2id: PasswordHasher = {
  hash: (password) => hash(password, COST),
  verify: (hashed, password) => verify(hashed, password),
};
