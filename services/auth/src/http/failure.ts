/** Every error over HTTP has one shape (SPEC A9): `{error: {code, message}}`, a message fit for the client, and no secret in it. */
import { StoreUnavailable } from '@weft/store';

import { AccountRefusal } from '../accounts/account-refusal.ts';
import type { AccountRefusalCode } from '../accounts/account-refusal.ts';
import { TokenError } from '../token.ts';

/** Carries a refusal from where it is found to where it is written. */
export class HttpRefusal extends Error {
  override readonly name = 'HttpRefusal';
  readonly status: number;
  readonly code: string;
  constructor(status: number, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

export interface Failure {
  readonly status: number;
  readonly code: string;
  readonly message: string;
  readonly retryAfterS?: number;
  /** Nobody's fault but ours: worth a line in the log. */
  readonly ours?: true;
}

export const BODY_BYTES_MAX = 16 * 1024;

const STATUS: Readonly<Record<AccountRefusalCode, number>> = {
  'bad-request': 400,
  'wrong-credentials': 401,
  disabled: 403,
  taken: 409,
  'signed-out': 401,
  forbidden: 403,
  'not-found': 404,
  conflict: 409,
  'too-many-attempts': 429,
  unavailable: 503,
};

export function badRequest(message: string): HttpRefusal {
  return new HttpRefusal(400, 'bad-request', message);
}

/** What any error, of ours or of Fastify, is to the client. */
export function failureOf(error: unknown): Failure {
  if (error instanceof HttpRefusal) return { status: error.status, code: error.code, message: error.message };
  if (error instanceof AccountRefusal) {
    const { code, message, retryAfterMs } = error;
    return { status: STATUS[code], code, message, ...(retryAfterMs === undefined ? {} : { retryAfterS: Math.ceil(retryAfterMs / 1000) }) };
  }
  if (error instanceof TokenError) return { status: 401, code: 'wrong-token', message: error.message };
  if (error instanceof StoreUnavailable) {
    return { status: 503, code: 'unavailable', message: 'this cannot be done at the moment: try again', retryAfterS: 1, ours: true };
  }
  return failureOfFastify(error) ?? { status: 500, code: 'internal', message: 'something went wrong here', ours: true };
}

function failureOfFastify(error: unknown): Failure | undefined {
  const { code, message, statusCode } = error as { code?: unknown; message?: unknown; statusCode?: unknown };
  switch (code) {
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return { status: 413, code: 'body-too-large', message: `the body must not exceed ${BODY_BYTES_MAX} bytes` };
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
    case 'FST_ERR_CTP_INVALID_CONTENT_TYPE':
      return { status: 415, code: 'unsupported-media-type', message: 'the body must be application/json' };
    case 'FST_ERR_BAD_URL':
      return { status: 400, code: 'bad-request', message: 'the path is not well percent-encoded' };
    case 'FST_ERR_VALIDATION':
      return { status: 400, code: 'bad-request', message: String(message) };
  }
  // Of Fastify's other complaints about a request none says more than its status.
  if (typeof statusCode !== 'number' || statusCode < 400 || statusCode > 499) return undefined;
  return { status: statusCode, code: 'bad-request', message: 'the request cannot be read' };
}
