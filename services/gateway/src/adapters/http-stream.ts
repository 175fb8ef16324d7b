import type { HttpResponse } from '@rjweb/uws';
import { KEEP_ALIVE } from '../fallback/event-stream.ts';
import type { EventStream, StreamEvents } from '../fallback/session.ts';

/** uWebSockets.js is given so much at once: what of it the kernel does not take it copies, and does not say how much that is. */
const sliceBytes = 64 * 1024;
/** What an event and a comment end with, and nothing within them. */
const eventEnd = '\n\n';

/**
 * A response that does not end. What uWebSockets.js could not send of a write it sends on only with the next one (once `onWritable` is registered; measured, build 1.5.0): so there is always a next one, a comment if need be; but
 * none within an event that came in parts, whose next part is the next write. It cuts
 * a connection that takes nothing at all for 10 s; the client resumes.
 */
export class HttpStream implements EventStream {
  readonly #res: HttpResponse;
  readonly #events: StreamEvents;
  readonly #ended: () => void;
  readonly #queue: string[] = [];
  #queuedBytes = 0;
  /** Of the first in the queue, what is written. */
  #offset = 0;
  /** Of the last write, when it was not all taken. */
  #stuckBytes = 0;
  /** The last characters written: where an event's end is to be seen. */
  #last = eventEnd;
  #ending = false;
  #closed = false;

  /** `res`: its head is written; nobody else touches it from here on. `ended`: the response is over, whoever ended it. */
  constructor(res: HttpResponse, events: StreamEvents, ended: () => void) {
    this.#res = res;
    this.#events = events;
    this.#ended = ended;
    res.onAborted(() => {
      // `cut` comes here too: nobody is told of what they did themselves.
      if (this.#closed) return;
      this.#over();
      events.gone();
    });
    res.onWritable(() => {
      this.#writable();
      return true;
    });
  }

  get unsentBytes(): number {
    return this.#closed ? 0 : this.#queuedBytes - this.#offset + this.#stuckBytes;
  }

  write(text: string): void {
    if (this.#closed || this.#ending) return;
    this.#queue.push(text);
    this.#queuedBytes += text.length;
    this.#last = (this.#last + text.slice(-eventEnd.length)).slice(-eventEnd.length);
    if (this.#stuckBytes === 0) this.#pump();
  }

  /** A comment, unless more than that is on its way. */
  keepAlive(): void {
    if (!this.#closed && this.unsentBytes === 0 && !this.#isWithinEvent) this.write(KEEP_ALIVE);
  }

  end(): void {
    if (this.#closed) return;
    this.#ending = true;
    if (this.unsentBytes === 0) this.#finish();
  }

  cut(): void {
    if (this.#closed) return;
    this.#over();
    this.#res.close();
  }

  get #isWithinEvent(): boolean {
    return this.#last !== eventEnd;
  }

  #writable(): void {
    if (this.#closed) return;
    this.#stuckBytes = 0;
    if (this.#queue.length === 0 && !this.#isWithinEvent) {
      this.#queue.push(KEEP_ALIVE);
      this.#queuedBytes += KEEP_ALIVE.length;
    }
    this.#pump();
    if (!this.#closed) this.#events.drained();
  }

  #pump(): void {
    this.#res.cork(() => {
      while (this.#queue.length > 0 && this.#stuckBytes === 0) {
        const text = this.#queue[0]!;
        const slice = text.slice(this.#offset, this.#offset + sliceBytes);
        this.#offset += slice.length;
        if (this.#offset === text.length) {
          this.#queue.shift();
          this.#queuedBytes -= text.length;
          this.#offset = 0;
        }
        if (!this.#res.write(slice)) this.#stuckBytes = slice.length;
      }
    });
    if (this.#ending && this.unsentBytes === 0) this.#finish();
  }

  #finish(): void {
    this.#over();
    this.#res.cork(() => this.#res.end());
  }

  #over(): void {
    this.#closed = true;
    this.#ended();
  }
}
