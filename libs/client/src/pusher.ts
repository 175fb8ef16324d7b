import { bodyOf, framedBytes } from './frames.ts';
import { refusalOf } from './refusal.ts';
import { type End, lost } from './transport.ts';
import { pauseMs, sleep, type World } from './world.ts';

/** A push without an answer is given up after so long, and as much longer as its body takes on a slow line. */
const answerMsMax = 20_000;
const slowBytesPerMs = 16;
/** So long one push is tried; then the session is given up, and the provider begins anew. */
const triesMsMax = 60_000;
/** Not sent yet. A browser's WebSocket fails where its buffer is full, too. */
const unsentBytesMax = 64 * 1024 * 1024;

export interface PusherHooks {
  /** Path and query of push `n`, but for `&close`. Asked at each try. */
  url(n: number): string;
  readonly bodyBytesMax: number;
  /** It cannot go on. Once. */
  failed(end: End): void;
  /** The push that bore the close was taken. */
  closed(): void;
}

interface Push {
  readonly n: number;
  readonly body: Uint8Array<ArrayBuffer>;
  /** `&close=…`, or nothing. */
  readonly farewell: string;
}

/**
 * What goes up. One push is under way, what is said meanwhile is the next one's body. A push without an answer is sent again with its number and its bytes until there is one: the server
 * takes it once, and acknowledges once what is in it.
 */
export class Pusher {
  readonly #world: World;
  readonly #hooks: PusherHooks;
  readonly #control = new AbortController();
  #waiting: Uint8Array<ArrayBuffer>[] = [];
  #waitingBytes = 0;
  #underWay: Push | undefined;
  #pushes = 0;
  /** A push is wanted, even one that says nothing. */
  #wanted = false;
  #farewell = '';
  #runs = false;

  constructor(world: World, hooks: PusherHooks) {
    this.#world = world;
    this.#hooks = hooks;
  }

  get unansweredBytes(): number {
    return this.#waitingBytes + (this.#underWay?.body.byteLength ?? 0);
  }

  send(frame: Uint8Array<ArrayBuffer>): void {
    const { bodyBytesMax } = this.#hooks;
    if (framedBytes(frame) > bodyBytesMax) {
      const reason = `a frame has ${frame.byteLength} bytes; a push takes ${bodyBytesMax}`;
      return this.#fail({ ...lost(reason), code: 1009 });
    }
    this.#waiting.push(frame);
    this.#waitingBytes += framedBytes(frame);
    if (this.#waitingBytes > unsentBytesMax) this.#fail(lost(`more than ${unsentBytesMax} bytes are unsent`));
    else this.want();
  }

  /** Says at least how far the stream was read. */
  want(): void {
    this.#wanted = true;
    if (this.#runs) return;
    this.#runs = true;
    // What is sent in one go is one body.
    queueMicrotask(() => void this.#run());
  }

  close(code: number): void {
    this.#farewell = `&close=${code}`;
    this.want();
  }

  stop(): void {
    this.#control.abort();
  }

  /** Hands what is left to the browser, which goes on when the page is gone: 64 KiB at most. */
  leave(): void {
    this.stop();
    this.#farewell ||= '&close=1001';
    const pushes = this.#underWay ? [this.#underWay] : [];
    if (!this.#underWay?.farewell) pushes.push(this.#next());
    for (const push of pushes) this.#post(push, { keepalive: true }).catch(() => undefined);
  }

  async #run(): Promise<void> {
    while (this.#wanted && !this.#isStopped) {
      this.#underWay = this.#next();
      const { farewell } = this.#underWay;
      const end = await this.#untilTaken(this.#underWay);
      if (this.#isStopped) return;
      if (end) return this.#fail(end);
      this.#underWay = undefined;
      if (farewell) return this.#hooks.closed();
    }
    this.#runs = false;
  }

  get #isStopped(): boolean {
    return this.#control.signal.aborted;
  }

  #next(): Push {
    let bytes = 0;
    const fits = this.#waiting.findIndex((frame) => (bytes += framedBytes(frame)) > this.#hooks.bodyBytesMax);
    const body = bodyOf(this.#waiting.splice(0, fits < 0 ? Infinity : fits));
    this.#waitingBytes -= body.byteLength;
    this.#wanted = this.#waiting.length > 0;
    this.#pushes += 1;
    return { n: this.#pushes, body, farewell: this.#wanted ? '' : this.#farewell };
  }

  /** Gives why it never will be. */
  async #untilTaken(push: Push): Promise<End | undefined> {
    const sinceMs = this.#world.nowMs();
    for (let tries = 1; ; tries++) {
      const end = await this.#try(push);
      if (!end || end.refused === 'for-good' || this.#isStopped) return end;
      if (this.#world.nowMs() - sinceMs > triesMsMax) return end;
      await sleep(this.#world, Math.max(pauseMs(this.#world, tries), end.retryAfterMs ?? 0), this.#control.signal);
      if (this.#isStopped) return end;
    }
  }

  async #try(push: Push): Promise<End | undefined> {
    const attempt = new AbortController();
    const abort = (): void => attempt.abort();
    this.#control.signal.addEventListener('abort', abort);
    const cancel = this.#world.after(answerMsMax + push.body.byteLength / slowBytesPerMs, abort);
    try {
      const response = await this.#post(push, { signal: attempt.signal });
      // Nothing but 204 says that it was taken: sign-in pages of hotels answer 200.
      if (response.status === 204) return undefined;
      return await refusalOf(response, this.#world.nowMs(), true);
    } catch {
      return lost('a push had no answer');
    } finally {
      cancel();
      this.#control.signal.removeEventListener('abort', abort);
    }
  }

  #post({ n, body, farewell }: Push, more: RequestInit): Promise<Response> {
    const { credentials, fetch } = this.#world;
    return fetch(this.#hooks.url(n) + farewell, { method: 'POST', body, cache: 'no-store', credentials, ...more });
  }

  #fail(end: End): void {
    this.stop();
    this.#hooks.failed(end);
  }
}
