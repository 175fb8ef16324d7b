import { CLOSE, type CloseCode, FrameError } from '@weft/protocol';
import { BadFrame } from './connection.ts';
import { TokenBucket } from './token-bucket.ts';

/** What one connection may send. In its gateway's memory: nobody needs to be asked on an edit's way. */
export class ConnectionRates {
  readonly #limits: ConnectionRateLimits;
  readonly #frames: TokenBucket;
  readonly #bytes: TokenBucket;
  readonly #documents: TokenBucket;

  constructor(limits: ConnectionRateLimits, nowMs: number) {
    const { framesPerSecond, bytesPerSecond, frameBytesMax, documentsPerMinute } = limits;
    this.#limits = limits;
    this.#frames = new TokenBucket({ perSecond: framesPerSecond, burst: framesPerSecond * burstS }, nowMs);
    this.#bytes = new TokenBucket({ perSecond: bytesPerSecond, burst: Math.max(bytesPerSecond * burstS, 4 * frameBytesMax) }, nowMs);
    this.#documents = new TokenBucket({ perSecond: documentsPerMinute / 60, burst: documentsPerMinute }, nowMs);
  }

  /** Throws BadFrame. */
  frame(bytes: number, nowMs: number): void {
    const { framesPerSecond, bytesPerSecond } = this.#limits;
    if (!this.#frames.take(1, nowMs)) throw tooMuch(`more than ${framesPerSecond} frames a second for ${burstS} s`);
    if (!this.#bytes.take(bytes, nowMs)) throw tooMuch(`more than ${bytesPerSecond} bytes a second for ${burstS} s`);
  }

  /** A document is opened, or another token brought for it: auth is asked. Throws BadFrame. */
  document(nowMs: number): void {
    if (!this.#documents.take(1, nowMs)) throw tooMuch(`more than ${this.#limits.documentsPerMinute} documents opened a minute`);
  }
}

/** What a quiet connection may send at once: what it might have sent in so many seconds. */
const burstS = 20;

function tooMuch(sentence: string): BadFrame {
  return new BadFrame(CLOSE.rateLimited, sentence);
}

/** No honest client sends what nobody can read, or so much. A frame too large may be a picture somebody pasted. */
export function isAbuse(error: BadFrame | FrameError): boolean {
  return error instanceof FrameError || error.close === CLOSE.rateLimited;
}

/** What a connection is closed for, as it is reported. */
export function eventOf(close: CloseCode): 'rate-limited' | 'bad-frame' {
  return close === CLOSE.rateLimited ? 'rate-limited' : 'bad-frame';
}

export interface ConnectionRateLimits {
  readonly frameBytesMax: number;
  readonly framesPerSecond: number;
  readonly bytesPerSecond: number;
  readonly documentsPerMinute: number;
}
