import { SignJWT, errors, jwtVerify } from 'jose';
import type { JWTHeaderParameters, JWTPayload } from 'jose';

import type { Rights } from '@weft/grants';

import { MalformedClaims, parseClaims } from './claims.ts';
import type { Claims } from './claims.ts';
import type { SigningKey, VerifyingKeys } from './signing-key.ts';

const ISSUER = 'weft';
const AUDIENCE = 'weft';
/** The only algorithm, named on both sides: what a token's header says is never a choice (SPEC A1). */
const ALGORITHM = 'EdDSA';
const TYPE = 'JWT';
/** How far two clocks may be apart, ms (SPEC A4). */
export const CLOCK_TOLERANCE_MS = 5000;

export type TokenErrorCode =
  | 'malformed'
  | 'expired'
  | 'not-yet-valid'
  | 'wrong-algorithm'
  | 'unknown-key'
  | 'wrong-signature'
  | 'wrong-issuer'
  | 'wrong-audience'
  | 'missing-claim'
  | 'wrong-claim';

/** A token that proves nothing. The message is a short sentence fit for the client. */
export class TokenError extends Error {
  override readonly name = 'TokenError';
  readonly code: TokenErrorCode;
  constructor(code: TokenErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

export interface NewToken {
  readonly sub: string;
  readonly name: string;
  /** Left out: what the bearer may do is looked up (`WEFT_AUTH=builtin`). */
  readonly documents?: Rights;
  /** Whose end ends the token. */
  readonly session?: string;
}

export async function signToken(
  key: SigningKey,
  token: NewToken,
  nowMs: number,
  lifetimeMs: number,
): Promise<{ token: string; expiresAtMs: number }> {
  const nowSeconds = Math.floor(nowMs / 1000);
  const expiresSeconds = nowSeconds + Math.ceil(lifetimeMs / 1000);
  const { name, documents, session } = token;
  const claims = { name, ...(documents === undefined ? {} : { documents }), ...(session === undefined ? {} : { sid: session }) };
  const signed = await new SignJWT(claims)
    .setProtectedHeader({ alg: ALGORITHM, kid: key.kid, typ: TYPE })
    .setSubject(token.sub)
    .setIssuer(ISSUER)
    .setAudience(AUDIENCE)
    .setIssuedAt(nowSeconds)
    .setExpirationTime(expiresSeconds)
    .sign(key.privateKey);
  return { token: signed, expiresAtMs: expiresSeconds * 1000 };
}

/** @throws TokenError for any text that is not a valid token. */
export async function verifyToken(token: string, keys: VerifyingKeys, nowMs: number): Promise<Claims> {
  const payload = await verifySignature(token, keys, nowMs);
  try {
    return parseClaims(payload);
  } catch (error) {
    if (error instanceof MalformedClaims) throw new TokenError('wrong-claim', error.message);
    throw error;
  }
}

async function verifySignature(token: string, keys: VerifyingKeys, nowMs: number): Promise<JWTPayload> {
  const keyOf = (header: JWTHeaderParameters) => {
    // A grant, or whatever else these keys may sign one day, is no access token.
    if (header.typ !== undefined && header.typ !== TYPE) throw new TokenError('malformed', 'this is no access token');
    const key = header.kid === undefined ? undefined : keys.get(header.kid);
    if (key === undefined) throw new TokenError('unknown-key', 'token signed by an unknown key');
    return key;
  };
  try {
    const { payload } = await jwtVerify(token, keyOf, {
      algorithms: [ALGORITHM],
      issuer: ISSUER,
      audience: AUDIENCE,
      requiredClaims: ['exp', 'sub'],
      clockTolerance: CLOCK_TOLERANCE_MS / 1000,
      currentDate: new Date(nowMs),
    });
    return payload;
  } catch (error) {
    throw asTokenError(error);
  }
}

/** What jose threw as a TokenError; anything else as it is. */
export function asTokenError(error: unknown): unknown {
  if (error instanceof TokenError) return error;
  if (error instanceof errors.JWTExpired) return new TokenError('expired', 'token expired');
  if (error instanceof errors.JOSEAlgNotAllowed) return new TokenError('wrong-algorithm', 'token is not signed with EdDSA');
  if (error instanceof errors.JWSSignatureVerificationFailed) return new TokenError('wrong-signature', 'token signature is wrong');
  if (error instanceof errors.JWTClaimValidationFailed) return claimError(error);
  if (error instanceof errors.JOSEError) return new TokenError('malformed', 'token is malformed');
  return error;
}

function claimError({ claim, reason }: errors.JWTClaimValidationFailed): TokenError {
  if (reason === 'missing') return new TokenError('missing-claim', `token lacks the claim ${claim}`);
  switch (claim) {
    case 'iss':
      return new TokenError('wrong-issuer', 'token is from another issuer');
    case 'aud':
      return new TokenError('wrong-audience', 'token is for another audience');
    case 'nbf':
      return reason === 'check_failed' ? new TokenError('not-yet-valid', 'token is not valid yet') : wrongClaim(claim);
    default:
      return wrongClaim(claim);
  }
}

function wrongClaim(claim: string): TokenError {
  return new TokenError('wrong-claim', `token has a wrong claim ${claim}`);
}
