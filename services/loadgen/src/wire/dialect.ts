import type { Dialect } from '../result.ts';
import { ByteWriter, Cursor } from './bytes.ts';

/** What the load generator says and hears, after ../../shared/design/protocol.md (Hocuspocus provider 4, y-websocket 3). */
export interface ClientFrames {
  /** What a provider says first. */
  hello(): Uint8Array[];
  /** In answer to the server's Step1, by somebody who has nothing of their own. */
  emptyStep2(): Uint8Array;
  update(update: Uint8Array): Uint8Array;
  awareness(update: Uint8Array): Uint8Array;
  /** Reads a frame's kind; its content begins at `at`. */
  read(bytes: Uint8Array): Heard;
}

export type HeardKind = 'step1' | 'step2' | 'update' | 'awareness' | 'acknowledged' | 'not-acknowledged' | 'denied' | 'other';

export interface Heard {
  kind: HeardKind;
  /** Where the update, or the awareness update, begins, and how long it is; of `denied` the reason. */
  at: number;
  length: number;
}

const emptyVector = Uint8Array.of(0);
const emptyUpdate = Uint8Array.of(0, 0);
const types = { sync: 0, awareness: 1, auth: 2, close: 7, status: 8 } as const;

/** One of them for each connection; a frame that was read or written is valid until the next. */
export function clientFrames(dialect: Dialect, address: string, token: string): ClientFrames {
  // The fallback carries the frames of the collab dialect.
  return dialect === 'yjs' ? new Frames(new Uint8Array(0), undefined) : new Frames(new ByteWriter().string(address).written, token);
}

const writer = new ByteWriter();
const heard: Heard = { kind: 'other', at: 0, length: 0 };

class Frames implements ClientFrames {
  readonly #prefix: Uint8Array;
  readonly #token: string | undefined;

  constructor(prefix: Uint8Array, token: string | undefined) {
    this.#prefix = Uint8Array.from(prefix);
    this.#token = token;
  }

  hello(): Uint8Array[] {
    const step1 = Uint8Array.from(this.#begin(types.sync).uint(0).sized(emptyVector).written);
    if (this.#token === undefined) return [step1];
    return [Uint8Array.from(this.#begin(types.auth).uint(0).string(this.#token).written), step1];
  }

  emptyStep2(): Uint8Array {
    return this.#begin(types.sync).uint(1).sized(emptyUpdate).written;
  }

  update(update: Uint8Array): Uint8Array {
    return this.#begin(types.sync).uint(2).sized(update).written;
  }

  awareness(update: Uint8Array): Uint8Array {
    return this.#begin(types.awareness).sized(update).written;
  }

  read(bytes: Uint8Array): Heard {
    const cursor = new Cursor(bytes);
    heard.kind = 'other';
    heard.length = 0;
    // Hocuspocus 4 pings with a single byte.
    if (this.#token !== undefined) {
      if (bytes.byteLength === 1) return heard;
      cursor.skip(cursor.uint());
    }
    const type = cursor.uint();
    if (type === types.sync) heard.kind = steps[cursor.uint()] ?? 'other';
    else if (type === types.awareness) heard.kind = 'awareness';
    else if (type === types.status) heard.kind = cursor.uint() === 1 ? 'acknowledged' : 'not-acknowledged';
    else if (type === types.close && this.#token !== undefined) heard.kind = 'denied';
    // y-websocket has nothing but denials of this type; of the other dialect 2 is `authenticated`.
    else if (type === types.auth) heard.kind = this.#token === undefined || cursor.uint() !== 2 ? 'denied' : 'other';
    if (heard.kind === 'step1' || heard.kind === 'step2' || heard.kind === 'update' || heard.kind === 'awareness')
      heard.length = cursor.uint();
    heard.at = cursor.at;
    return heard;
  }

  #begin(type: number): ByteWriter {
    return writer.reset().raw(this.#prefix).uint(type);
  }
}

const steps: readonly HeardKind[] = ['step1', 'step2', 'update'];
