/** `WEFT_AUTH`: which way to decide, and what it needs. */
import { ConfigError, setting } from '@weft/config';
import type { Config } from '@weft/config';

import type { Bus } from '@weft/bus';
import type { Logger } from '@weft/telemetry';

import type { AuthKeys } from '../keys/auth-keys.ts';
import type { Policy } from './at-once.ts';
import { ClaimsDecider } from './claims.ts';
import type { ClaimsConfig } from './claims.ts';
import type { Decider } from './decider.ts';
import { TokensDecider } from './tokens.ts';
import { WebhookDecider } from './webhook.ts';
import type { WebhookConfig } from './webhook-call.ts';

export const DECIDER_KINDS = ['tokens', 'builtin', 'claims', 'webhook'] as const;

const HTTP = ['https:', 'http:'];
const SECRET_LENGTH_MIN = 16;

/** What the ways need besides `WEFT_AUTH` itself. */
export const deciderSettings = {
  jwksUrl: setting.url('WEFT_AUTH_JWKS_URL', {
    optional: true,
    protocols: HTTP,
    say: 'WEFT_AUTH=claims: where the issuer of the tokens publishes its keys.',
  }),
  issuer: setting.string('WEFT_AUTH_ISSUER', { optional: true, say: 'WEFT_AUTH=claims: the `iss` of the tokens, exactly.' }),
  audience: setting.string('WEFT_AUTH_AUDIENCE', { optional: true, say: 'WEFT_AUTH=claims: the `aud` the tokens must have.' }),
  documentsClaim: setting.string('WEFT_AUTH_DOCUMENTS_CLAIM', {
    default: 'documents',
    say: 'WEFT_AUTH=claims: the claim with the rights, `{"name or prefix*": "role"}`.',
  }),
  webhookUrl: setting.url('WEFT_AUTH_WEBHOOK_URL', {
    optional: true,
    protocols: HTTP,
    say: 'WEFT_AUTH=webhook: the backend that is asked.',
  }),
  webhookSecret: setting.secret('WEFT_AUTH_WEBHOOK_SECRET', {
    optional: true,
    lengthMin: SECRET_LENGTH_MIN,
    say: 'WEFT_AUTH=webhook: signs the questions (HMAC-SHA-256).',
  }),
};

export type DeciderConfig =
  | { readonly kind: 'tokens' }
  | { readonly kind: 'builtin' }
  | { readonly kind: 'claims'; readonly claims: ClaimsConfig }
  | { readonly kind: 'webhook'; readonly webhook: WebhookConfig };

/** @throws ConfigError that names the first setting that is missing. */
export function deciderConfigOf(kind: (typeof DECIDER_KINDS)[number], settings: Config<typeof deciderSettings>): DeciderConfig {
  const needed = <T>(value: T | undefined, variable: string, expected: string): T => {
    if (value === undefined) throw new ConfigError(variable, `nothing was given while WEFT_AUTH is ${kind}`, expected);
    return value;
  };
  refuseCredentials('WEFT_AUTH_JWKS_URL', settings.jwksUrl);
  refuseCredentials('WEFT_AUTH_WEBHOOK_URL', settings.webhookUrl);
  switch (kind) {
    case 'tokens':
    case 'builtin':
      return { kind };
    case 'claims': {
      const jwksUrl = needed(settings.jwksUrl, 'WEFT_AUTH_JWKS_URL', 'the URL of the JWKS of the issuer of your tokens');
      const issuer = needed(settings.issuer, 'WEFT_AUTH_ISSUER', 'the `iss` of your tokens, exactly');
      const audience = needed(settings.audience, 'WEFT_AUTH_AUDIENCE', 'the `aud` your tokens have when they are meant for Weft');
      return { kind, claims: { jwksUrl, issuer, audience, documentsClaim: settings.documentsClaim } };
    }
    case 'webhook': {
      const url = needed(settings.webhookUrl, 'WEFT_AUTH_WEBHOOK_URL', 'the URL of your backend that says who may what');
      const secret = needed(
        settings.webhookSecret,
        'WEFT_AUTH_WEBHOOK_SECRET',
        `a secret of ${SECRET_LENGTH_MIN} characters or more that your backend knows`,
      );
      return { kind, webhook: { url, secret } };
    }
  }
}

/** `fetch` takes no URL with a user name, and says so with the password in its words. */
function refuseCredentials(variable: string, url: string | undefined): void {
  if (url === undefined) return;
  const { username, password } = new URL(url);
  if (username !== '' || password !== '') throw new ConfigError(variable, 'a URL with a user name or password was given', 'one without');
}

export interface DeciderDeps {
  readonly bus: Bus;
  readonly keys: AuthKeys;
  readonly policy: Policy;
  readonly logger: Logger;
  /** Ms since the epoch. */
  readonly now: () => number;
  /** Made only where it is asked for: it has tables of its own. */
  readonly builtin: () => Decider;
}

/** `close` ends what the decider listens to. */
export function createDecider(config: DeciderConfig, deps: DeciderDeps): { decider: Decider; close: () => void } {
  switch (config.kind) {
    case 'tokens':
      return { decider: new TokensDecider({ ...deps, keys: () => deps.keys.verifying() }), close: () => {} };
    case 'builtin':
      return { decider: deps.builtin(), close: () => {} };
    case 'claims':
      return { decider: new ClaimsDecider({ ...deps, config: config.claims }), close: () => {} };
    case 'webhook': {
      const decider = new WebhookDecider({ ...deps, config: config.webhook });
      return { decider, close: () => decider.close() };
    }
  }
}
