import { isIP } from 'node:net';
import { join } from 'node:path';

import { DECIDER_KINDS, accountSettings, deciderConfigOf, deciderSettings, keyRotationSetting, keySourceOf } from '@weft/auth';
import type { AuthConfig, BuiltinConfig, DeciderConfig, KeySource } from '@weft/auth';
import { ConfigError, originsSetting, readConfig, setting, trustedProxiesSetting } from '@weft/config';
import type { Environment } from '@weft/config';
import { gatewaySettings } from '@weft/gateway';
import type { GatewayConfig } from '@weft/gateway';
import { persistenceConfig, persistenceSettings } from '@weft/persistence';
import type { PersistenceConfig } from '@weft/persistence';
import { workerSettings } from '@weft/sync-worker';
import type { WorkerConfig } from '@weft/sync-worker';

export const standaloneSettings = {
  host: setting.string('WEFT_HOST', {
    default: '127.0.0.1',
    say: 'Address the clients connect to. Another than loopback needs WEFT_AUTH.',
  }),
  port: setting.port('WEFT_PORT', { default: 8080, say: 'Port the clients connect to.' }),
  data: setting.path('WEFT_DATA', { default: './data', say: 'The folder that holds everything kept on this machine.' }),
  auth: setting.oneOf('WEFT_AUTH', ['required', ...DECIDER_KINDS], {
    optional: true,
    say: 'required or tokens: everybody needs a token of ours. builtin: people have accounts here. claims: tokens of another issuer. webhook: your backend says. Unset: guests may edit, on loopback only.',
  }),
  ...deciderSettings,
  authKey: setting.secret('WEFT_AUTH_KEY', {
    optional: true,
    say: 'The Ed25519 private key that signs tokens, as PKCS8 PEM or JWK. Unset: one of our own making is kept in the data folder.',
  }),
  devSignIn: setting.boolean('WEFT_AUTH_DEV_SIGN_IN', {
    optional: true,
    say: 'Whether anybody may sign in under any name. Unset: where guests may edit. On loopback only.',
  }),
  tokenLifetimeMs: setting.durationMs('WEFT_AUTH_TOKEN_LIFETIME', {
    default: 12 * 3_600_000,
    min: 1000,
    say: 'How long a token that auth signs is valid.',
  }),
  keyRotationMs: keyRotationSetting,
  ...accountSettings,
  origins: originsSetting,
  trustedProxies: trustedProxiesSetting,
  log: setting.oneOf('WEFT_LOG', ['pretty', 'json'], { default: 'pretty', say: 'Lines for people, or JSON.' }),
  logLevel: setting.oneOf('WEFT_LOG_LEVEL', ['trace', 'debug', 'info', 'warn', 'error'], {
    optional: true,
    say: 'How much is logged. Unset: info as JSON; for people, warnings of the services.',
  }),
  testOnlyFsyncOff: setting.boolean('WEFT_TEST_ONLY_FSYNC_OFF', {
    default: false,
    say: 'For tests of the power-cut test itself: the embedded Postgres does not sync, and acknowledged edits are lost with the power.',
  }),
  opsPort: setting.port('WEFT_OPS_PORT', { optional: true, say: 'Port of /healthz, /readyz and /metrics on loopback. Unset: none.' }),
};

export interface StandaloneConfig {
  readonly host: string;
  readonly port: number;
  readonly postgresFolder: string;
  /** Only tests that must see edits lost say no. */
  readonly postgresFsync: boolean;
  readonly keySource: KeySource;
  readonly keyRotationMs: number | undefined;
  readonly auth: AuthConfig;
  /** Where people have accounts here. */
  readonly builtin: BuiltinConfig | undefined;
  readonly gateway: GatewayConfig;
  readonly worker: WorkerConfig;
  readonly persistence: PersistenceConfig;
  readonly log: 'pretty' | 'json';
  readonly logLevel: 'trace' | 'debug' | 'info' | 'warn' | 'error' | undefined;
  readonly opsPort: number | undefined;
}

/** Name of the one process in the house. */
const ID = 'standalone';
/** Nobody else takes over: clients come back to this very process, and waiting helps no one. */
const DRAIN_MS = 250;

/** Throws ConfigError. */
export function readStandaloneConfig(env: Environment): StandaloneConfig {
  const own = readConfig(standaloneSettings, env);
  const { host: _host, port: _port, drainMs: _drain, ...gateway } = readConfig(gatewaySettings, env);
  const { handoverMs: _handover, ...worker } = readConfig(workerSettings, env);
  const { host, port, log, logLevel, opsPort } = own;
  return {
    host,
    port,
    log,
    logLevel,
    opsPort,
    postgresFolder: join(own.data, 'postgres'),
    postgresFsync: !own.testOnlyFsyncOff,
    keySource: keySourceOf(own.authKey, own.data),
    keyRotationMs: own.keyRotationMs,
    auth: authConfigOf(own, deciderConfigOf(own.auth === undefined || own.auth === 'required' ? 'tokens' : own.auth, own)),
    builtin: own.auth === 'builtin' ? { ...own, signUp: own.signUp === 'open', guests: 'none' } : undefined,
    gateway: { ...gateway, host, port, id: ID, drainMs: DRAIN_MS },
    worker: { ...worker, id: ID, handoverMs: 0 },
    persistence: persistenceConfig(ID, readConfig(persistenceSettings, env)),
  };
}

interface AuthSettings {
  readonly host: string;
  readonly auth: string | undefined;
  readonly devSignIn: boolean | undefined;
  readonly tokenLifetimeMs: number;
  readonly origins: readonly string[] | undefined;
  readonly trustedProxies: readonly string[];
}

function authConfigOf(
  { host, auth, devSignIn, tokenLifetimeMs, origins, trustedProxies }: AuthSettings,
  decider: DeciderConfig,
): AuthConfig {
  const open = auth === undefined;
  if (!isLoopback(host)) {
    if (open) {
      throw new ConfigError(
        'WEFT_HOST',
        `"${host}" was given while WEFT_AUTH is unset`,
        'a loopback address, or WEFT_AUTH=required (or another of its values) so that everybody needs a token',
      );
    }
    if (devSignIn === true) {
      throw new ConfigError(
        'WEFT_AUTH_DEV_SIGN_IN',
        `true was given with WEFT_HOST "${host}"`,
        'false, or a loopback address: it lets anybody in',
      );
    }
  }
  return { guests: open ? 'edit' : 'none', devSignIn: devSignIn ?? open, tokenLifetimeMs, decider, origins, trustedProxies };
}

function isLoopback(host: string): boolean {
  if (host === 'localhost' || host === '::1') return true;
  return isIP(host) === 4 && host.startsWith('127.');
}
