import { encodeChanged, AUTH_CHANGED_SUBJECT } from '@weft/grants';
import type { Bus } from '@weft/bus';
import type { Cache } from '@weft/cache';
import { every } from '@weft/lifecycle';
import type { Service } from '@weft/lifecycle';
import { IdentityStore } from '@weft/store';
import type { Database } from '@weft/store';
import type { Logger } from '@weft/telemetry';

import { Accounts } from './accounts/accounts.ts';
import type { AccountsPolicy } from './accounts/accounts.ts';
import { DocumentRights } from './accounts/document-rights.ts';
import { Journal } from './accounts/journal.ts';
import { Passwords } from './accounts/passwords.ts';
import { People } from './accounts/people.ts';
import { ProgramTokens } from './accounts/program-tokens.ts';
import { SignInLimits } from './accounts/sign-in-limits.ts';
import { argon2id } from './adapters/argon2.ts';
import type { Policy } from './deciders/at-once.ts';
import { BuiltinDecider } from './deciders/builtin.ts';
import type { Decider } from './deciders/decider.ts';
import type { BuiltinRoutesDeps } from './http/app.ts';
import type { AuthKeys } from './keys/auth-keys.ts';

export interface BuiltinDeps {
  /** Migrated. */
  readonly database: Database;
  readonly cache: Cache;
  readonly bus: Bus;
  readonly keys: AuthKeys;
  readonly logger: Logger;
  /** Ms since the epoch; the wall clock unless given. */
  readonly now?: () => number;
}

export interface BuiltinConfig extends AccountsPolicy, Policy {
  /** How long the audit log remembers. */
  readonly auditKeptMs: number;
}

/** What `WEFT_AUTH=builtin` consists of. `stop` writes what is still to be told. */
export interface Builtin extends Service {
  readonly decider: Decider;
  readonly routes: BuiltinRoutesDeps;
}

const NOTES_WRITTEN_MS = 5000;
const OLD_FORGOTTEN_MS = 3_600_000;

export async function openBuiltin(deps: BuiltinDeps, config: BuiltinConfig): Promise<Builtin> {
  const { database, cache, bus, logger, now = Date.now } = deps;
  const store = new IdentityStore(database);
  const journal = new Journal({ store, logger, now, publish: (changed) => bus.publish(AUTH_CHANGED_SUBJECT, encodeChanged(changed)) });
  const passwords = await Passwords.open(argon2id, crypto.randomUUID());
  const parts = { store, journal, now };
  const limits = new SignInLimits(cache, logger, now);
  const accounts = new Accounts({ ...parts, passwords, limits, signer: () => deps.keys.signing() }, config);
  const keys = () => deps.keys.verifying();
  const stopping = new AbortController();
  const stop = async (): Promise<void> => {
    stopping.abort(new Error('auth stops'));
    await journal.flush();
  };
  const forgetOld = async (): Promise<void> => {
    const gone = await store.forgetOld({ sessionsMs: now(), auditMs: now() - config.auditKeptMs });
    if (gone.sessions + gone.audit > 0) logger.info(gone, 'sessions that ended and old entries of the audit log are forgotten');
  };
  return {
    decider: new BuiltinDecider({ ...parts, keys, policy: config }),
    routes: {
      ...parts,
      keys,
      accounts,
      tokens: new ProgramTokens(parts),
      people: new People(parts),
      rights: new DocumentRights(parts),
    },
    run: async () => {
      void every(NOTES_WRITTEN_MS, () => journal.flush(), stopping.signal);
      void every(
        OLD_FORGOTTEN_MS,
        () => forgetOld().catch((err: unknown) => logger.warn({ err }, 'old sessions could not be forgotten; again in an hour')),
        stopping.signal,
      );
    },
    drain: stop,
    stop,
  };
}
