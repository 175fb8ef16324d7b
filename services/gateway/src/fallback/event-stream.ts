/**
 * The way down as text/event-stream (decision 0015): a comment of 2 KiB, `open`, then numbered events that bear frames in base64, `close` at the end, and comments that keep it alive. ASCII throughout:
 * a text's length is its bytes.
 */

/** What proxies and browsers may hold back until they have as much. */
const paddingBytes = 2048;

export const KEEP_ALIVE = ':\n\n';

/** Of every stream, a resumed one too. */
export const PADDING = `:${' '.repeat(paddingBytes)}\n\n`;

export interface OpenEvent {
  readonly session: string;
  readonly resumeMs: number;
  readonly keepAliveMs: number;
  readonly pushBytesMax: number;
}

/** Not numbered: it is sent once, on the stream that opens the session. */
export function openEvent(open: OpenEvent): string {
  return `event: open\ndata: ${JSON.stringify(open)}\n\n`;
}

/** A frame as it stands in an event, which may hold several. */
export function frameText(frame: Uint8Array): string {
  return Buffer.from(frame.buffer, frame.byteOffset, frame.byteLength).toString('base64');
}

/** `frames`: as `frameText` makes them, at least one. */
export function framesEvent(n: number, frames: readonly string[]): string {
  return `id: ${n}\ndata: ${frames.join(' ')}\n\n`;
}

export interface CloseEvent {
  readonly code: number;
  readonly reason: string;
}

export function closeEvent(n: number, { code, reason }: CloseEvent): string {
  return `event: close\nid: ${n}\ndata: ${ascii(JSON.stringify({ code, reason }))}\n\n`;
}

/** JSON may escape what is not ASCII. */
function ascii(json: string): string {
  return json.replace(/[^\0-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
