import type { HttpRequest } from '@rjweb/uws';
import type { WaitingClient } from './waiting-client.ts';

/** Why a body was not read: it is larger than one may be, or all that are on their way are more than they may be together; or whoever sent it is gone. */
export type UnreadBody = 'too-large' | 'no-room' | 'gone';

/** What all bodies on their way may take together. */
export class BodyRoom {
  readonly #bytesMax: number;
  #bytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  take(bytes: number): boolean {
    if (this.#bytes + bytes > this.#bytesMax) return false;
    this.#bytes += bytes;
    return true;
  }

  give(bytes: number): void {
    this.#bytes -= bytes;
  }
}

/** Calls `done` once: with the whole body, whose room is given back after that, or with why there is none. Called before the request's handler returns. */
export function readBody(
  client: WaitingClient,
  req: HttpRequest,
  room: BodyRoom,
  bytesMax: number,
  done: (body: Uint8Array | UnreadBody) => void,
): void {
  const chunks: Buffer[] = [];
  let bytes = 0;
  let over = false;
  const end = (outcome: Uint8Array | UnreadBody): void => {
    if (over) return;
    over = true;
    chunks.length = 0;
    done(outcome);
    room.give(bytes);
  };
  client.onGone = () => end('gone');
  // Said beforehand, nothing of it has to be taken.
  const announced = Number(req.getHeader('content-length') || 0);
  client.res.onData((chunk, isLast) => {
    if (over) return;
    if (bytes + chunk.byteLength > bytesMax) return end('too-large');
    if (!room.take(chunk.byteLength)) return end('no-room');
    bytes += chunk.byteLength;
    chunks.push(Buffer.from(chunk.slice(0)));
    if (isLast) end(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks, bytes));
  });
  if (announced > bytesMax) end('too-large');
}
