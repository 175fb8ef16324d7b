/**
 * A grant: what auth told the edge, signed, so that the gateway behind it can believe it without asking (decision 0012, SPEC G20). It travels in `X-Weft-Grant`, from nginx to the gateway only,
 * and is good for opening one document within a minute.
 */
import { SignJWT, errors, jwtVerify } from 'jose';
import type { CryptoKey, JWTHeaderParameters, JWTPayload } from 'jose';

import type { Allowed } from './decision.ts';
import { isRole } from './role.ts';

/** In the case HTTP libraries give. */
export const GRANT_HEADER = 'x-weft-grant';

const TYPE = 'weft-grant+jwt';
/** The only algorithm, named on both sides: what a grant's header says is never a choice. */
const ALGORITHM = 'EdDSA';
const ISSUER = 'weft';
/** Another one than an access token's: neither passes for the other even where somebody forgets the type. */
const AUDIENCE = 'weft-gateway';
const LIFETIME_S = 60;
/** How far two clocks may be apart. */
const CLOCK_TOLERANCE_S = 5;
/** Characters; a name and a document of full length take about 1,300. */
const GRANT_LENGTH_MAX = 4096;

export type GrantErrorCode =
  | 'malformed'
  | 'expired'
  | 'not-yet-valid'
  | 'wrong-type'
  | 'wrong-algorithm'
  | 'unknown-key'
  | 'wrong-signature'
  | 'other-document';

/** A grant that proves nothing. The message is a short sentence fit for the client, and quotes nothing. */
export class GrantError extends Error {
  override readonly name = 'GrantError';
  readonly code: GrantErrorCode;
  constructor(code: GrantErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

/** The private key that signs, and the name others know its public half by. */
export interface GrantSigner {
  readonly kid: string;
  readonly privateKey: CryptoKey;
}

/** Public keys that may have signed, by `kid`. */
export type GrantKeys = ReadonlyMap<string, CryptoKey>;

export function signGrant(signer: GrantSigner, document: string, allowed: Allowed, nowMs: number): Promise<string> {
  const { role, who, untilMs, session } = allowed;
  const nowS = Math.floor(nowMs / 1000);
  return new SignJWT({ name: who.name, document, role, until: untilMs, ...(session === undefined ? {} : { session }) })
    .setProtectedHeader({ alg: ALGORITHM, kid: signer.kid, typ: TYPE })
    .setSubject(who.id)
    .setIssuer(ISSUER)
    .setAudience(AUDIENCE)
    .setIssuedAt(nowS)
    .setExpirationTime(nowS + LIFETIME_S)
    .sign(signer.privateKey);
}

/** What auth allowed. @throws GrantError for any text that is not a valid grant for `document`. */
export async function verifyGrant(grant: string, document: string, keys: GrantKeys, nowMs: number): Promise<Allowed> {
  if (grant.length > GRANT_LENGTH_MAX) throw new GrantError('malformed', 'grant is too long');
  const payload = await verifySignature(grant, keys, nowMs);
  const { sub, name, session, role, until } = payload;
  if (typeof sub !== 'string' || typeof name !== 'string' || !isRole(role) || typeof until !== 'number' || !isOptionalText(session))
    throw new GrantError('malformed', 'grant has a wrong claim');
  if (payload['document'] !== document) throw new GrantError('other-document', 'grant is for another document');
  if (until <= nowMs) throw new GrantError('expired', 'grant expired');
  return { allowed: true, role, who: { id: sub, name }, untilMs: until, ...(session === undefined ? {} : { session }) };
}

async function verifySignature(grant: string, keys: GrantKeys, nowMs: number): Promise<JWTPayload> {
  const keyOf = (header: JWTHeaderParameters): CryptoKey => {
    if (header.typ !== TYPE) throw new GrantError('wrong-type', 'this is no grant');
    const key = header.kid === undefined ? undefined : keys.get(header.kid);
    if (key === undefined) throw new GrantError('unknown-key', 'grant signed by an unknown key');
    return key;
  };
  try {
    const { payload } = await jwtVerify(grant, keyOf, {
      algorithms: [ALGORITHM],
      typ: TYPE,
      issuer: ISSUER,
      audience: AUDIENCE,
      requiredClaims: ['exp', 'iat', 'sub'],
      // Whatever its own `exp` says.
      maxTokenAge: LIFETIME_S,
      clockTolerance: CLOCK_TOLERANCE_S,
      currentDate: new Date(nowMs),
    });
    return payload;
  } catch (error) {
    throw asGrantError(error);
  }
}

function asGrantError(error: unknown): unknown {
  if (error instanceof GrantError) return error;
  if (error instanceof errors.JWTExpired) return new GrantError('expired', 'grant expired');
  if (error instanceof errors.JOSEAlgNotAllowed) return new GrantError('wrong-algorithm', 'grant is not signed with EdDSA');
  if (error instanceof errors.JWSSignatureVerificationFailed) return new GrantError('wrong-signature', 'grant signature is wrong');
  if (
    error instanceof errors.JWTClaimValidationFailed &&
    (error.claim === 'nbf' || error.claim === 'iat') &&
    error.reason === 'check_failed'
  )
    return new GrantError('not-yet-valid', 'grant is not valid yet');
  if (error instanceof errors.JWTClaimValidationFailed) return new GrantError('malformed', `grant has a wrong claim ${error.claim}`);
  if (error instanceof errors.JOSEError) return new GrantError('malformed', 'grant is malformed');
  return error;
}

function isOptionalText(value: unknown): value is string | undefined {
  return value === undefined || typeof value === 'string';
}
