import { type End, lost } from './transport.ts';

/** A server that says no more may be asked again after so long. */
const retryAfterMsDefault = 2000;
/** No instance waits longer than a ban lasts by default. */
const retryAfterMsMax = 600_000;
const reasonCharsMax = 120;

/** Close codes of protocol.md; 44xx are those after which y-websocket does not come back, so they need our server's word. */
const codes: Readonly<Record<number, number>> = { 400: 4400, 401: 4401, 403: 4403, 404: 4404, 413: 1009 };

/** Weft's own words. Proxies and sign-in pages of hotels answer, too. */
interface ErrorBody {
  readonly error?: {
    readonly message?: string;
    readonly close?: { readonly code: number; readonly reason: string };
  };
}

/** An HTTP answer that is not the one hoped for, as the end of a connection. `hasSession`: it is about one, not about whether there may be one. */
export async function refusalOf(response: Response, nowMs: number, hasSession: boolean): Promise<End> {
  const { status, headers } = response;
  const error = ((await response.json().catch(() => undefined)) as ErrorBody | null | undefined)?.error;
  const message = error?.message;
  const reason = message?.slice(0, reasonCharsMax) ?? `HTTP ${status}`;
  const end = lost(reason);
  if (status === 429 || status === 503)
    return { ...end, code: 1013, refused: 'for-now', retryAfterMs: retryAfterMs(headers.get('retry-after'), nowMs) };
  if (message === undefined || status >= 500) return end;
  const refused = 'for-good';
  const close = error?.close;
  // The session was closed, and this is what its close frame would have said.
  if (close) return { ...close, wasClean: true, failed: false, refused };
  // A session that is unknown by now is no document that does not exist: who comes back gets another.
  return { ...end, code: (hasSession && status === 404 ? undefined : codes[status]) ?? 1006, refused };
}

/** Seconds, or a date. */
function retryAfterMs(header: string | null, nowMs: number): number {
  const ms = header === null ? NaN : /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - nowMs;
  return Math.min(retryAfterMsMax, Math.max(0, Number.isNaN(ms) ? retryAfterMsDefault : ms));
}
