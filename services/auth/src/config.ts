import { join } from 'node:path';

import {
  ConfigError,
  originsSetting,
  postgresUrlSetting,
  processSettings,
  readConfig,
  redisUrlSetting,
  setting,
  trustedProxiesSetting,
} from '@weft/config';
import type { Config, Environment } from '@weft/config';

import { DECIDER_KINDS, deciderConfigOf, deciderSettings } from './deciders/from-config.ts';
import type { DeciderConfig } from './deciders/from-config.ts';
import type { KeySource } from './keys/open-keys.ts';

/** In the data folder. */
const KEY_FILE = 'auth-key.pem';

const keySettings = {
  key: setting.secret('WEFT_AUTH_KEY', {
    optional: true,
    say: 'The Ed25519 private key that signs tokens, as PKCS8 PEM or JWK. Several, or a JWKS: the first signs. Unset: auth makes and keeps its own.',
  }),
  data: setting.path('WEFT_DATA', { default: './data', say: 'The folder that holds everything kept on this machine.' }),
};

/** Of keys that auth makes itself. */
export const keyRotationSetting = setting.durationMs('WEFT_AUTH_KEY_ROTATION', {
  optional: true,
  min: 3_600_000,
  say: 'How long a key of our own making signs before the next one does. Unset: until `npm run rotate-keys`.',
});
const postgresUrl = setting.url('WEFT_POSTGRES_URL', {
  optional: true,
  protocols: ['postgres:', 'postgresql:'],
  say: postgresUrlSetting.say,
});

/** Of `WEFT_AUTH=builtin`. */
export const accountSettings = {
  signUp: setting.oneOf('WEFT_AUTH_SIGN_UP', ['open', 'closed'], {
    default: 'open',
    say: 'WEFT_AUTH=builtin: whether anybody may make an account.',
  }),
  sessionLifetimeMs: setting.durationMs('WEFT_AUTH_SESSION_LIFETIME', {
    default: 30 * 24 * 3_600_000,
    min: 60_000,
    say: 'WEFT_AUTH=builtin: how long somebody stays signed in.',
  }),
  auditKeptMs: setting.durationMs('WEFT_AUTH_AUDIT_KEPT', {
    default: 90 * 24 * 3_600_000,
    min: 3_600_000,
    say: 'WEFT_AUTH=builtin: how long the audit log remembers.',
  }),
};

export const authSettings = {
  decides: setting.oneOf('WEFT_AUTH', DECIDER_KINDS, {
    default: 'tokens',
    say: 'Who says who may: tokens that carry their rights, builtin accounts (need WEFT_POSTGRES_URL and WEFT_REDIS_URL), the claims of another issuer’s tokens, or a webhook of yours.',
  }),
  ...keySettings,
  ...processSettings,
  ...deciderSettings,
  ...accountSettings,
  redisUrl: redisUrlSetting,
  origins: originsSetting,
  trustedProxies: trustedProxiesSetting,
  postgresUrl,
  keyRotationMs: keyRotationSetting,
  host: setting.string('WEFT_AUTH_HOST', { default: '0.0.0.0', say: 'Address auth listens on for HTTP.' }),
  port: setting.port('WEFT_AUTH_PORT', { default: 8081, say: 'Port auth listens on for HTTP.' }),
  guests: setting.oneOf('WEFT_GUESTS', ['edit', 'read', 'none'], { default: 'none', say: 'What somebody without a token may do.' }),
  devSignIn: setting.boolean('WEFT_AUTH_DEV_SIGN_IN', {
    default: false,
    say: 'Whether anybody may sign in under any name; for development only.',
  }),
  tokenLifetimeMs: setting.durationMs('WEFT_AUTH_TOKEN_LIFETIME', {
    default: 12 * 3_600_000,
    min: 1000,
    say: 'How long a token that auth signs is valid.',
  }),
};

export type AuthProcessConfig = Omit<Config<typeof authSettings>, 'key' | 'data' | 'decides' | 'signUp' | keyof typeof deciderSettings> & {
  readonly keySource: KeySource;
  readonly decider: DeciderConfig;
  readonly signUp: boolean;
};

/** Everything the auth process reads. Throws ConfigError. */
export function readAuthConfig(env: Environment): AuthProcessConfig {
  const all = readConfig(authSettings, env);
  const { key, data, decides, signUp, ...rest } = all;
  if (key === undefined && rest.postgresUrl === undefined && !rest.devSignIn) {
    throw new ConfigError(
      'WEFT_AUTH_KEY',
      'nothing was given',
      'an Ed25519 private key as PKCS8 PEM or JWK (openssl genpkey -algorithm ed25519), or WEFT_POSTGRES_URL, where auth keeps keys of its own',
    );
  }
  if (decides === 'builtin') {
    for (const [variable, url] of [
      ['WEFT_POSTGRES_URL', rest.postgresUrl],
      ['WEFT_REDIS_URL', rest.redisUrl],
    ] as const) {
      if (url === undefined)
        throw new ConfigError(variable, 'nothing was given while WEFT_AUTH is builtin', 'where accounts and limits are kept');
    }
  }
  return {
    ...rest,
    decider: deciderConfigOf(decides, all),
    signUp: signUp === 'open',
    keySource: clusterKeySourceOf(key, rest.postgresUrl, data),
  };
}

export interface KeyCommandConfig {
  readonly keySource: KeySource;
  readonly postgresUrl: string | undefined;
  readonly natsUrl: readonly string[] | undefined;
  readonly tokenLifetimeMs: number;
}

const natsUrlIfAny = setting.urls('WEFT_NATS_URL', { optional: true, protocols: ['nats:', 'tls:'], say: processSettings.natsUrl.say });

/** For the commands that sign a token or rotate keys: the given key, else those in Postgres, else those that standalone keeps. */
export function readKeyCommandConfig(env: Environment): KeyCommandConfig {
  const { key, data, ...rest } = readConfig(
    { ...keySettings, postgresUrl, natsUrl: natsUrlIfAny, tokenLifetimeMs: authSettings.tokenLifetimeMs },
    env,
  );
  return { ...rest, keySource: clusterKeySourceOf(key, rest.postgresUrl, data) };
}

function clusterKeySourceOf(key: string | undefined, url: string | undefined, data: string): KeySource {
  return key === undefined && url !== undefined ? { kind: 'postgres' } : keySourceOf(key, data);
}

/** The given key, else one of our own making in the data folder. */
export function keySourceOf(key: string | undefined, data: string): KeySource {
  return key === undefined ? { kind: 'file', file: join(data, KEY_FILE) } : { kind: 'given', text: key };
}
