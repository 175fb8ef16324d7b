import { once } from 'node:events';
import { Agent, type ClientRequest, type IncomingHttpHeaders, type IncomingMessage, request } from 'node:http';
import { request as requestTls } from 'node:https';
import { bytesOf, readCollab, readY, type ServerFrame, type ServerFrameOf } from '../limits/frames.ts';
import type { Closed, Headers } from '../limits/raw-client.ts';
import { until } from '../limits/until.ts';

/** A request answered with a status and a body that ends. */
export interface HttpAnswered {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** What a refusal says (decision 0015). */
export interface SaidError {
  readonly code: string;
  readonly message: string;
  readonly close?: Closed;
}

export class StreamRefused extends Error {
  override readonly name = 'StreamRefused';
  readonly answer: HttpAnswered;
  constructor(answer: HttpAnswered) {
    super(`${answer.status} ${answer.body}`);
    this.answer = answer;
  }
}

export function saidError({ body }: HttpAnswered): SaidError {
  return (JSON.parse(body) as { error: SaidError }).error;
}

/** As they are pushed: each a varint length and its bytes. */
export function bodyOf(...frames: readonly Uint8Array[]): Uint8Array {
  return bytesOf(...frames);
}

export interface PushOptions {
  readonly n?: number;
  readonly seen?: number;
  readonly close?: number;
  readonly port?: Door;
  readonly headers?: Headers;
}

export interface Dialed {
  readonly dialect?: 'collab' | 'yjs';
  readonly document?: string;
  readonly token?: string;
  readonly headers?: Headers;
}

/** A port of 127.0.0.1, or one with TLS. */
export type Door = number | { readonly port: number; readonly ca: string };

/** Browsers keep their connections. */
const agent = new Agent({ keepAlive: true });

export async function ask(
  door: Door,
  {
    method = 'GET',
    path,
    headers = {},
    body,
    forBytes = Number.POSITIVE_INFINITY,
  }: { method?: string; path: string; headers?: Headers; body?: Uint8Array; forBytes?: number },
): Promise<HttpAnswered> {
  const asking = at(door, { path, method, headers }, agent);
  asking.end(body);
  return answered(asking, forBytes);
}

/** `forBytes`: no more of the body is awaited. */
async function answered(asking: ClientRequest, forBytes: number): Promise<HttpAnswered> {
  const [response] = (await once(asking, 'response')) as [IncomingMessage];
  let body = '';
  for await (const chunk of response) {
    body += (chunk as Buffer).toString();
    if (body.length >= forBytes) break;
  }
  return { status: response.statusCode ?? 0, headers: response.headers, body };
}

/** A client without WebSocket that sends exactly what it is told to, and keeps what it hears, written after decision 0015. */
export class RawSession {
  readonly id: string;
  readonly frames: ServerFrame[] = [];
  /** How many frames each event bore. */
  readonly framesOfEvents: number[] = [];
  readonly opened: Readonly<Record<string, unknown>>;
  /** The number of the last event. */
  seen = 0;
  /** The last push made. */
  n = 0;
  closed: Closed | undefined;
  streamEnded = false;
  comments = 0;
  bytesHeard = 0;
  /** Of the answer that opened it. */
  readonly headers: IncomingHttpHeaders;
  #port: Door;
  #paused: Promise<void> | undefined;
  /** What of the stream has come and is not heard yet is not heard any more: whoever resumes has said up to where. */
  #isCut = false;
  #unpause: () => void = () => {};
  #read: (frame: Uint8Array) => ServerFrame;
  #response: IncomingMessage;

  private constructor(port: Door, id: string, opened: Readonly<Record<string, unknown>>, response: IncomingMessage, isCollab: boolean) {
    this.#port = port;
    this.id = id;
    this.opened = opened;
    this.headers = response.headers;
    this.#response = response;
    this.#read = isCollab ? readCollab : readY;
  }

  /** Rejects with StreamRefused. */
  static async open(port: Door, { dialect = 'collab', document, token, headers = {} }: Dialed = {}): Promise<RawSession> {
    const query = new URLSearchParams({ dialect });
    if (document !== undefined) query.set('document', document);
    if (token !== undefined) query.set('token', token);
    const response = await stream(port, `/sse?${query.toString()}`, headers);
    const events = eventsOf(response);
    // Not `for await`: leaving that would end the response.
    for (let comments = 0; ; comments++) {
      const next = await events.next();
      if (next.done) throw new Error('a stream ended before `open`');
      if (next.value.is === 'comment') continue;
      if (next.value.name !== 'open') throw new Error(`a stream begins with ${next.value.name}`);
      const opened = JSON.parse(next.value.data) as Record<string, unknown>;
      const session = new RawSession(port, String(opened['session']), opened, response, dialect === 'collab');
      session.comments = comments;
      void session.#follow(response, events);
      return session;
    }
  }

  /** Where pushes and resumed streams go from now on. */
  moveTo(port: Door): void {
    this.#port = port;
  }

  /** Goes on where the last stream ended. Rejects with StreamRefused. */
  async resume({ port = this.#port, after = this.seen, inQuery = false }: { port?: Door; after?: number; inQuery?: boolean } = {}) {
    this.#isCut = true;
    const path = `/sse?session=${this.id}${inQuery ? `&after=${after}` : ''}`;
    const response = await stream(port, path, inQuery ? {} : { 'last-event-id': String(after) });
    this.#response = response;
    this.#isCut = false;
    this.streamEnded = false;
    this.seen = after;
    void this.#follow(response, eventsOf(response));
  }

  async #follow(response: IncomingMessage, events: AsyncGenerator<StreamEvent>): Promise<void> {
    try {
      for await (const event of events) {
        await this.#paused;
        if (response !== this.#response || this.#isCut) return;
        if (event.is === 'comment') this.comments += 1;
        else this.#hear(event);
      }
    } catch (error) {
      // A stream that was cut; anything else is a mistake.
      if (!isCut(error)) throw error;
    }
    if (response === this.#response) this.streamEnded = true;
  }

  #hear({ name, id, data }: NamedEvent): void {
    if (id !== this.seen + 1) throw new Error(`event ${id} came after event ${this.seen}`);
    this.seen = id;
    if (name === 'close') {
      this.closed = JSON.parse(data) as Closed;
      return;
    }
    if (name !== 'message') throw new Error(`what is event ${name}?`);
    const frames = data.split(' ').map((text) => new Uint8Array(Buffer.from(text, 'base64')));
    this.framesOfEvents.push(frames.length);
    for (const frame of frames) {
      this.bytesHeard += frame.byteLength;
      this.frames.push(this.#read(frame));
    }
  }

  /** One push as it is said, whatever comes of it. */
  async pushBody(body: Uint8Array, { n = this.n + 1, seen, close, port = this.#port, headers }: PushOptions = {}): Promise<HttpAnswered> {
    const more = [...(seen === undefined ? [] : [`&seen=${seen}`]), ...(close === undefined ? [] : [`&close=${close}`])].join('');
    this.n = Math.max(this.n, n);
    return ask(port, { method: 'POST', path: `/push?session=${this.id}&n=${n}${more}`, body, ...(headers ? { headers } : {}) });
  }

  /** Frames that are to be taken. */
  async push(...frames: readonly Uint8Array[]): Promise<void> {
    const answer = await this.pushBody(bodyOf(...frames), { seen: this.seen });
    if (answer.status !== 204) throw new Error(`a push was answered ${answer.status} ${answer.body}`);
  }

  /** Stops taking bytes from the kernel, once Node's own buffer is full. */
  pause(): void {
    this.#paused ??= new Promise((resolve) => {
      this.#unpause = resolve;
    });
  }

  unpause(): void {
    this.#paused = undefined;
    this.#unpause();
  }

  /** The stream breaks. */
  cut(): void {
    this.#isCut = true;
    this.#response.destroy();
  }

  all<Is extends ServerFrame['is']>(is: Is, address?: string): ServerFrameOf<Is>[] {
    return this.frames.filter(
      (frame): frame is ServerFrameOf<Is> => frame.is === is && (address === undefined || frame.address === address),
    );
  }

  /** 1 and 0 of each SyncStatus heard, in order. */
  statuses(address?: string): number[] {
    return this.all('status', address).map(({ taken }) => taken);
  }

  async heard<Is extends ServerFrame['is']>(is: Is, { count = 1 }: { count?: number } = {}): Promise<ServerFrameOf<Is>> {
    await until(() => this.all(is).length >= count, `a session heard ${count} x ${is}`, { seen: () => this.#state() });
    return this.all(is)[count - 1]!;
  }

  async isClosed(): Promise<Closed> {
    await until(() => this.closed !== undefined, 'the session is closed', { seen: () => this.#state() });
    return this.closed!;
  }

  async isEnded(): Promise<void> {
    await until(() => this.streamEnded, 'the stream ends', { seen: () => this.#state() });
  }

  async leave(): Promise<void> {
    await this.pushBody(new Uint8Array(), { close: 1000 });
    this.cut();
  }

  #state(): string {
    const last = this.frames
      .map((frame) => frame.is)
      .slice(-20)
      .join(' ');
    return `(heard: ${last}; closed: ${JSON.stringify(this.closed)}; stream ended: ${this.streamEnded})`;
  }
}

function at(door: Door, asked: { path: string; method: string; headers: Headers }, agentOfPlain?: Agent): ClientRequest {
  const { path, method, headers } = asked;
  const target = { host: '127.0.0.1', path, method, headers: { ...headers } };
  if (typeof door !== 'number') return requestTls({ ...target, ...door });
  return request({ ...target, port: door, ...(agentOfPlain ? { agent: agentOfPlain } : {}) });
}

async function stream(door: Door, path: string, headers: Headers): Promise<IncomingMessage> {
  const asking = at(door, { path, method: 'GET', headers: { accept: 'text/event-stream', ...headers } });
  asking.end();
  const [response] = (await once(asking, 'response')) as [IncomingMessage];
  if (response.statusCode === 200) return response;
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  throw new StreamRefused({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks).toString() });
}

interface NamedEvent {
  readonly is: 'event';
  readonly name: string;
  readonly id: number;
  readonly data: string;
}
type StreamEvent = NamedEvent | { readonly is: 'comment' };

/** As the HTML standard reads a stream, as far as it is used. */
async function* eventsOf(response: IncomingMessage): AsyncGenerator<StreamEvent> {
  let rest = '';
  for await (const chunk of response) {
    const blocks = (rest + (chunk as Buffer).toString('latin1')).split('\n\n');
    rest = blocks.pop()!;
    for (const block of blocks) {
      const fields = new Map<string, string>();
      for (const line of block.split('\n')) {
        const [, field = '', value = ''] = /^([^:]*)(?:: ?(.*))?$/s.exec(line) ?? [];
        if (field !== '') fields.set(field, value);
      }
      if (fields.size === 0) yield { is: 'comment' };
      else
        yield {
          is: 'event',
          name: fields.get('event') ?? 'message',
          id: Number(fields.get('id') ?? Number.NaN),
          data: fields.get('data') ?? '',
        };
    }
  }
}

function isCut(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ECONNRESET' || error.code === 'ERR_STREAM_PREMATURE_CLOSE');
}
