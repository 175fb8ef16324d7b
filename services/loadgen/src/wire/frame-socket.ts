import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';

/** A WebSocket client of the load generator's own (RFC 6455), for frames that are mostly thrown away: reads into one buffer that all connections share. */
export interface FrameSocketEvents {
  opened(): void;
  /** `bytes`: valid during the call only; of a frame longer than `wholeBytesMax` only its beginning. `length`: of the whole frame. */
  frame(bytes: Uint8Array, length: number): void;
  /** Once. Undefined code: the connection broke, or was never there. */
  closed(code: number | undefined, reason: string): void;
}

const shared = Buffer.allocUnsafe(256 * 1024);
const opBinary = 2;
const opClose = 8;
const opPing = 9;
const opPong = 10;
const headBytesKept = 1024;
/** A mask of zeros leaves what it masks as it is. */
const noMask = Buffer.alloc(4);

export class FrameSocket {
  readonly #socket: Socket;
  readonly #events: FrameSocketEvents;
  readonly #wholeBytesMax: number;
  readonly #host: string;
  readonly #target: string;
  #isOpen = false;
  #ended = false;
  #close: { code: number; reason: string } | undefined;
  /** Bytes of a frame (or of the handshake) whose rest is still to come. */
  #kept: Buffer = Buffer.alloc(0);
  #keptLength = 0;
  /** Bytes of a long frame still to be thrown away. */
  #skipping = 0;
  bytesIn = 0;
  bytesOut = 0;

  /** `wholeBytesMax`: longer frames are not kept whole. */
  constructor(url: URL, wholeBytesMax: number, events: FrameSocketEvents) {
    this.#events = events;
    this.#wholeBytesMax = wholeBytesMax;
    this.#host = url.host;
    this.#target = url.pathname + url.search;
    this.#socket = connect({
      host: url.hostname,
      port: Number(url.port || 80),
      onread: { buffer: shared, callback: (bytes) => this.#read(bytes) },
    });
    this.#socket.setNoDelay(true);
    this.#socket.on('connect', () => this.#ask());
    this.#socket.on('error', (error) => this.#end(undefined, error.message));
    this.#socket.on('close', () => this.#end(this.#close?.code, this.#close?.reason ?? 'the connection ended'));
  }

  /** Bytes given to it and not taken by the system yet. */
  get unsentBytes(): number {
    return this.#socket.writableLength;
  }

  send(payload: Uint8Array): void {
    this.#write(opBinary, payload);
  }

  close(): void {
    if (!this.#ended && this.#isOpen) this.#write(opClose, Uint8Array.of(0x03, 0xe8));
    this.#socket.destroySoon();
  }

  #ask(): void {
    const key = randomBytes(16).toString('base64');
    this.#socket.write(
      `GET ${this.#target} HTTP/1.1\r\nHost: ${this.#host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: ${key}\r\nSec-WebSocket-Version: 13\r\n\r\n`,
    );
  }

  #write(op: number, payload: Uint8Array): void {
    if (this.#ended) return;
    const length = payload.byteLength;
    const header = length < 126 ? 2 : length < 65_536 ? 4 : 10;
    const frame = Buffer.allocUnsafe(header + 4 + length);
    frame[0] = 0x80 | op;
    if (header === 2) frame[1] = 0x80 | length;
    else if (header === 4) {
      frame[1] = 0x80 | 126;
      frame.writeUInt16BE(length, 2);
    } else {
      frame[1] = 0x80 | 127;
      frame.writeBigUInt64BE(BigInt(length), 2);
    }
    noMask.copy(frame, header);
    frame.set(payload, header + 4);
    this.bytesOut += frame.byteLength;
    this.#socket.write(frame);
  }

  #read(count: number): boolean {
    this.bytesIn += count;
    let at = 0;
    if (this.#skipping > 0) {
      at = Math.min(this.#skipping, count);
      this.#skipping -= at;
    }
    if (at === count) return true;
    if (this.#keptLength === 0) {
      const used = this.#consume(shared, at, count);
      if (used < count) this.#keep(shared.subarray(used, count));
      return true;
    }
    this.#keep(shared.subarray(at, count));
    const used = this.#consume(this.#kept, 0, this.#keptLength);
    if (used >= this.#keptLength) this.#forget();
    else if (used > 0) {
      this.#kept.copyWithin(0, used, this.#keptLength);
      this.#keptLength -= used;
    }
    return true;
  }

  #keep(bytes: Buffer): void {
    const wanted = this.#keptLength + bytes.byteLength;
    if (this.#kept.byteLength < wanted) {
      const larger = Buffer.allocUnsafe(Math.max(wanted, 2 * this.#kept.byteLength, 1024));
      this.#kept.copy(larger, 0, 0, this.#keptLength);
      this.#kept = larger;
    }
    bytes.copy(this.#kept, this.#keptLength);
    this.#keptLength = wanted;
  }

  #forget(): void {
    this.#keptLength = 0;
    if (this.#kept.byteLength > headBytesKept) this.#kept = Buffer.alloc(0);
  }

  /** Handles whole frames of `bytes` between `from` and `to`. Gives where the first one begins that is not whole. */
  #consume(bytes: Buffer, from: number, to: number): number {
    let at = from;
    if (!this.#isOpen) {
      const end = bytes.subarray(at, to).indexOf('\r\n\r\n');
      if (end < 0) return at;
      const head = bytes.subarray(at, at + end).toString('latin1');
      at += end + 4;
      if (!head.startsWith('HTTP/1.1 101')) {
        this.#end(undefined, `the upgrade was refused: ${head.split('\r\n', 1)[0]}`);
        this.#socket.destroy();
        return to;
      }
      this.#isOpen = true;
      this.#events.opened();
    }
    while (to - at >= 2) {
      const op = bytes[at]! & 15;
      const short = bytes[at + 1]! & 127;
      const header = short < 126 ? 2 : short === 126 ? 4 : 10;
      if (to - at < header) return at;
      const length = short < 126 ? short : short === 126 ? bytes.readUInt16BE(at + 2) : Number(bytes.readBigUInt64BE(at + 2));
      const here = to - at - header;
      if (here < length) {
        if (length <= this.#wholeBytesMax || here < headBytesKept) return at;
        this.#skipping = length - here;
        this.#handle(op, bytes.subarray(at + header, at + header + headBytesKept), length);
        return to;
      }
      this.#handle(op, bytes.subarray(at + header, at + header + length), length);
      at += header + length;
    }
    return at;
  }

  #handle(op: number, payload: Buffer, length: number): void {
    if (op === opBinary || op === 1) this.#events.frame(payload, length);
    else if (op === opPing) this.#write(opPong, payload);
    else if (op === opClose) {
      this.#close =
        payload.byteLength >= 2 ? { code: payload.readUInt16BE(0), reason: payload.subarray(2).toString() } : { code: 1005, reason: '' };
      this.#socket.end();
    }
  }

  #end(code: number | undefined, reason: string): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#events.closed(code, reason);
  }
}
