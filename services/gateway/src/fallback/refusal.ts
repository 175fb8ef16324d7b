import type { CloseEvent } from './event-stream.ts';

/** A request that is not served, as the client is told: a status and a sentence that says what was given and what is expected. */
export interface Refusal {
  readonly status: 400 | 401 | 403 | 404 | 405 | 409 | 410 | 413 | 429 | 503;
  readonly code: string;
  readonly message: string;
  /** Of a session that is over: what a WebSocket's close frame would have said. */
  readonly close?: CloseEvent;
  /** Seconds. */
  readonly retryAfterS?: number;
}

/** undefined: served. */
export type Answer = Refusal | undefined;

export const UNKNOWN_SESSION: Refusal = {
  status: 404,
  code: 'unknown-session',
  message: 'there is no such session, or it is long over: open another',
};

export function badRequest(message: string): Refusal {
  return { status: 400, code: 'bad-request', message };
}

export function sessionOver(close: CloseEvent): Refusal {
  return {
    status: 410,
    code: 'session-over',
    message: `the session is over (${close.code} ${close.reason}): open another`,
    close,
  };
}

export function comeAgain(message: string, retryAfterS: number): Refusal {
  return { status: 503, code: 'unavailable', message, retryAfterS };
}
