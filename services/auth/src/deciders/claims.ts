import { errors, jwtVerify } from 'jose';
import type { JWTPayload } from 'jose';

import { roleFor } from '@weft/grants';
import type { Decision, Question } from '@weft/grants';
import type { Logger } from '@weft/telemetry';

import { MalformedClaims, NAME_LENGTH_MAX, isText, parseClaims } from '../claims.ts';
import type { Claims } from '../claims.ts';
import { CLOCK_TOLERANCE_MS, TokenError, asTokenError } from '../token.ts';
import { decideAtOnce, refuse } from './at-once.ts';
import type { Policy } from './at-once.ts';
import type { Decider } from './decider.ts';
import { IssuerKeys } from './issuer-keys.ts';

export interface ClaimsConfig {
  readonly jwksUrl: string;
  readonly issuer: string;
  readonly audience: string;
  /** Name of the claim with `{ pattern: role }`. */
  readonly documentsClaim: string;
}

export interface ClaimsDeciderDeps {
  readonly config: ClaimsConfig;
  readonly policy: Policy;
  readonly logger: Logger;
  /** Ms since the epoch. */
  readonly now: () => number;
  readonly cooldownMs?: number;
}

/** Asymmetric ones only: with an HMAC the issuer's public key would be a secret that everybody has. */
const ALGORITHMS = ['EdDSA', 'Ed25519', 'ES256', 'ES384', 'ES512', 'PS256', 'PS384', 'PS512', 'RS256', 'RS384', 'RS512'];

/** `WEFT_AUTH=claims`: the token of an issuer the operator names says who, which documents and which role (SPEC A30, A31). */
export class ClaimsDecider implements Decider {
  readonly #deps: ClaimsDeciderDeps;
  readonly #keys: IssuerKeys;

  constructor(deps: ClaimsDeciderDeps) {
    const { config, logger, now, cooldownMs } = deps;
    this.#deps = deps;
    this.#keys = new IssuerKeys({ url: config.jwksUrl, logger, now, ...(cooldownMs === undefined ? {} : { cooldownMs }) });
  }

  async decide(question: Question): Promise<Decision> {
    const nowMs = this.#deps.now();
    const atOnce = decideAtOnce(question, this.#deps.policy, nowMs);
    if (atOnce !== undefined) return atOnce;
    try {
      const { sub, name, documents, expiresAtMs } = await this.#verify(question.token);
      const role = roleFor(documents ?? {}, question.document);
      if (role === undefined) return refuse(403, 'token gives no right to this document');
      return { allowed: true, role, who: { id: sub, name }, untilMs: expiresAtMs + CLOCK_TOLERANCE_MS };
    } catch (error) {
      if (error instanceof TokenError || error instanceof MalformedClaims) return refuse(401, error.message);
      throw error;
    }
  }

  async #verify(token: string): Promise<Claims> {
    const { config, now } = this.#deps;
    try {
      const { payload } = await jwtVerify(token, (header, jws) => this.#keys.keyFor(header, jws), {
        algorithms: ALGORITHMS,
        issuer: config.issuer,
        audience: config.audience,
        requiredClaims: ['exp', 'sub'],
        clockTolerance: CLOCK_TOLERANCE_MS / 1000,
        currentDate: new Date(now()),
      });
      return claimsOf(payload, config.documentsClaim);
    } catch (error) {
      if (error instanceof errors.JOSEAlgNotAllowed)
        throw new TokenError('wrong-algorithm', 'token is not signed with a public-key algorithm');
      if (error instanceof errors.JWKSNoMatchingKey) throw new TokenError('unknown-key', 'token signed by an unknown key');
      if (error instanceof errors.JWKSMultipleMatchingKeys) throw new TokenError('unknown-key', 'token does not name its key');
      throw asTokenError(error);
    }
  }
}

/** Only what is ours to read: other claims of a foreign token may mean what they like. */
function claimsOf(payload: JWTPayload, documentsClaim: string): Claims {
  const { sub, name, exp } = payload;
  const documents = Object.hasOwn(payload, documentsClaim) ? payload[documentsClaim] : undefined;
  // Their names are as long as they like, or no names: nobody is turned away for that.
  const ours = isText(name, Number.POSITIVE_INFINITY) ? { name: name.slice(0, NAME_LENGTH_MAX) } : {};
  return parseClaims({ sub, exp, documents, ...ours });
}
