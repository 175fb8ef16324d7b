import { MemoryCache } from '@weft/cache';
import type { Changed } from '@weft/grants';
import { Database, IdentityStore } from '@weft/store';
import { createLogger } from '@weft/telemetry';
import { startPostgres } from '@weft/testkit';
import { afterAll, beforeAll } from 'vitest';

import { argon2id } from '../adapters/argon2.ts';
import { BuiltinDecider } from '../deciders/builtin.ts';
import { givenKeys } from '../keys/auth-keys.ts';
import { generateSigningKeyPem, importSigningKey } from '../signing-key.ts';
import { Accounts } from './accounts.ts';
import type { SignedIn } from './accounts.ts';
import { DocumentRights } from './document-rights.ts';
import { Journal } from './journal.ts';
import { Passwords } from './passwords.ts';
import { People } from './people.ts';
import { ProgramTokens } from './program-tokens.ts';
import { SignInLimits } from './sign-in-limits.ts';

export const START_MS = 1_800_000_000_000;
export const PASSWORD = 'correct horse battery staple';
export const ADDRESS = '192.0.2.1';
const DAY_MS = 86_400_000;

/** Accounts on a real Postgres; each call of what it gives is a new, empty database and a clock of its own. */
export function useAccounts() {
  let postgres: Awaited<ReturnType<typeof startPostgres>>;
  const opened: Database[] = [];
  beforeAll(async () => void (postgres = await startPostgres()));
  afterAll(async () => {
    await Promise.all(opened.map((database) => database.close()));
    await postgres.stop();
  });
  return async ({ guests = 'none', signUp = true }: { guests?: 'edit' | 'read' | 'none'; signUp?: boolean } = {}) => {
    const database = new Database({ url: await postgres.newDatabase(), applicationName: 'test' });
    opened.push(database);
    await database.migrate();
    const clock = { nowMs: START_MS };
    const now = () => clock.nowMs;
    const changes: Changed[] = [];
    const lines: string[] = [];
    const logger = createLogger({ service: 'auth', level: 'trace', stream: { write: (line) => void lines.push(line) } });
    const store = new IdentityStore(database);
    const journal = new Journal({ store, now, logger, publish: (changed) => changes.push(changed) });
    const keys = givenKeys(await importSigningKey(await generateSigningKeyPem()));
    const passwords = await Passwords.open(argon2id, crypto.randomUUID());
    const limits = new SignInLimits(new MemoryCache({ now }), logger, now);
    const accounts = new Accounts(
      { store, journal, passwords, limits, now, signer: () => keys.signing() },
      { signUp, sessionLifetimeMs: 30 * DAY_MS },
    );
    const decider = new BuiltinDecider({ store, journal, now, keys: () => keys.verifying(), policy: { guests } });
    const parts = { store, journal, now };
    const signUpAs = (userName: string, email?: string): Promise<SignedIn> =>
      accounts.signUp({ userName, email, password: PASSWORD }, ADDRESS);
    const events = async () => (await store.readAudit({ limit: 100 })).map(({ event }) => event).toReversed();
    return {
      ...parts,
      clock,
      changes,
      lines,
      database,
      logger,
      keys,
      accounts,
      passwords,
      decider,
      events,
      signUpAs,
      tokens: new ProgramTokens(parts),
      people: new People(parts),
      rights: new DocumentRights(parts),
      decide: (token: string, document = 'plan') => decider.decide({ token, document }),
    };
  };
}
