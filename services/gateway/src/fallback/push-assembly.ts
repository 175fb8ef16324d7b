/** One that was begun and not finished is forgotten after so long. */
const unfinishedMs = 20_000;

/** Bodies that come in several messages, put together. Bounded in all; one at a time a session, the latest attempt. Pure: the time is passed in. */
export class PushAssembly {
  readonly #bytesMax: number;
  readonly #bodies = new Map<string, Body>();
  #bytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** The whole body once this was the last of it; `more` while something is missing; `lost` when what came before is not here (any more), or there is no room: all of it has to be sent again. */
  add(session: string, { transfer, offset, total, data }: Chunk, nowMs: number): Uint8Array | 'more' | 'lost' {
    if (offset === 0 && data.byteLength === total) return data;
    if (offset === 0) {
      this.#forget(session);
      if (this.#bytes + total > this.#bytesMax) return 'lost';
      this.#bodies.set(session, { transfer, bytes: new Uint8Array(total), filled: 0, atMs: nowMs });
      this.#bytes += total;
    }
    const body = this.#bodies.get(session);
    if (!body || body.transfer !== transfer || body.filled !== offset || offset + data.byteLength > body.bytes.byteLength) return 'lost';
    body.bytes.set(data, offset);
    body.filled += data.byteLength;
    body.atMs = nowMs;
    if (body.filled < body.bytes.byteLength) return 'more';
    this.#forget(session);
    return body.bytes;
  }

  /** Called once a second. */
  tick(nowMs: number): void {
    for (const [session, { atMs }] of this.#bodies) if (nowMs - atMs > unfinishedMs) this.#forget(session);
  }

  #forget(session: string): void {
    const body = this.#bodies.get(session);
    if (!body) return;
    this.#bodies.delete(session);
    this.#bytes -= body.bytes.byteLength;
  }
}

interface Body {
  readonly transfer: number;
  readonly bytes: Uint8Array;
  filled: number;
  atMs: number;
}

export interface Chunk {
  readonly transfer: number;
  readonly offset: number;
  readonly total: number;
  readonly data: Uint8Array;
}
