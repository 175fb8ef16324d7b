import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { WebSocketServer } from 'ws';

export interface Answer {
  readonly status: number;
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export const ours = (status: number, code: string, message: string, more: object = {}): Answer => ({
  status,
  body: JSON.stringify({ error: { code, message, ...more } }),
});

export interface StandInSession {
  readonly id: string;
  /** What was opened: path and query. */
  readonly target: string;
  /** Events since the last confirmed one, as they stand on the wire. */
  readonly kept: { readonly n: number; readonly text: string }[];
  events: number;
  pushes: number;
  /** The highest `&seen`. */
  seen: number;
  closedWith: string | undefined;
  stream: ServerResponse | undefined;
  over: Answer | undefined;
}

/** A real HTTP and WebSocket server of decision 0015, small, which does to its clients what a test wants. It sends back what it is sent. */
export class StandIn {
  /** 'hold': until `letUpgrade`. */
  upgrades: 'accept' | 'refuse' | 'swallow' | 'hold' = 'accept';
  /** WebSockets are cut after so long. */
  cutAfterMs: number | undefined;
  /** WebSockets send nothing back. */
  isMute = false;
  /** Answers to what comes next, before its own: 'cut' takes nothing and answers nothing, 'take-and-cut' loses the answer alone. */
  readonly openAnswers: (Answer | 'cut' | 'hold')[] = [];
  readonly resumeAnswers: (Answer | 'cut')[] = [];
  readonly pushAnswers: (Answer | 'cut' | 'take-and-cut')[] = [];
  /** Pushes wait for this. */
  pushGate: Promise<void> = Promise.resolve();
  resumeMs = 30_000;
  keepAliveMs = 15_000;
  pushBytesMax = 1024 * 1024;
  readonly sessions: StandInSession[] = [];
  /** Frames taken, by whatever way. */
  readonly frames: Uint8Array[] = [];
  /** Of pushes that were taken. */
  readonly bodies: Buffer[] = [];
  readonly requests: string[] = [];
  port = 0;
  readonly #http = createServer((request, response) => void this.#serve(request, response));
  readonly #webSockets = new WebSocketServer({ noServer: true });
  readonly #sockets = new Set<Socket>();
  #held: (() => void)[] = [];
  readonly #upgrading = new Set<Socket>();

  static async start(): Promise<StandIn> {
    const one = new StandIn();
    one.#http.on('upgrade', (request, socket: Socket, head) => one.#upgrade(request, socket, head));
    one.#http.on('connection', (socket) => {
      one.#sockets.add(socket);
      socket.once('close', () => one.#sockets.delete(socket));
    });
    await new Promise<void>((resolve) => one.#http.listen(0, '127.0.0.1', resolve));
    one.port = (one.#http.address() as AddressInfo).port;
    return one;
  }

  get url(): string {
    return `ws://127.0.0.1:${this.port}/collab`;
  }

  get last(): StandInSession {
    return this.sessions.at(-1)!;
  }

  get connections(): number {
    return this.#sockets.size;
  }

  letUpgrade(): void {
    for (const upgrade of this.#held.splice(0)) upgrade();
  }

  failUpgrades(): void {
    this.#held = [];
    for (const socket of this.#upgrading) socket.destroy();
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#http.close(resolve));
  }

  send(session: StandInSession, ...frames: Uint8Array[]): void {
    this.#event(session, '', frames.map((frame) => Buffer.from(frame).toString('base64')).join(' '));
  }

  close(session: StandInSession, code: number, reason: string): void {
    this.#event(session, 'event: close\n', JSON.stringify({ code, reason }));
    session.stream?.end();
  }

  breakStreams(): void {
    for (const { stream } of this.sessions) stream?.socket?.destroy();
  }

  #event(session: StandInSession, type: string, data: string): void {
    session.events += 1;
    const text = `${type}id: ${session.events}\ndata: ${data}\n\n`;
    session.kept.push({ n: session.events, text });
    session.stream?.write(text);
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.requests.push(`${request.method} ${request.url}`);
    const { pathname, searchParams } = new URL(request.url!, 'http://stand.in');
    if (pathname.endsWith('/sse')) this.#stream(searchParams, request, response);
    else if (pathname.endsWith('/push')) await this.#push(searchParams, request, response);
    else reply(response, { status: 404 });
  }

  #stream(query: URLSearchParams, request: IncomingMessage, response: ServerResponse): void {
    const id = query.get('session');
    const answer = (id === null ? this.openAnswers : this.resumeAnswers).shift();
    if (answer === 'hold') return;
    if (answer === 'cut') return void request.socket.destroy();
    if (answer) return reply(response, answer);
    const session = id === null ? this.#open(request) : this.sessions.find((one) => one.id === id);
    if (!session) return reply(response, ours(404, 'unknown-session', 'there is no such session'));
    if (session.over) return reply(response, session.over);
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(`:${' '.repeat(2048)}\n\n`);
    session.stream = response;
    response.once('close', () => {
      if (session.stream === response) session.stream = undefined;
    });
    if (id === null) {
      const { resumeMs, keepAliveMs, pushBytesMax } = this;
      response.write(`event: open\ndata: ${JSON.stringify({ session: session.id, resumeMs, keepAliveMs, pushBytesMax })}\n\n`);
    } else for (const { n, text } of session.kept) if (n > Number(query.get('after'))) response.write(text);
  }

  #open(request: IncomingMessage): StandInSession {
    const session = { id: randomUUID(), target: request.url!, kept: [], events: 0, pushes: 0, seen: 0 };
    this.sessions.push({ ...session, closedWith: undefined, stream: undefined, over: undefined });
    return this.last;
  }

  async #push(query: URLSearchParams, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await buffer(request).catch(() => undefined);
    if (!body) return;
    await this.pushGate;
    const answer = this.pushAnswers.shift();
    if (answer === 'cut') return void request.socket.destroy();
    if (answer && answer !== 'take-and-cut') return reply(response, answer);
    const session = this.sessions.find(({ id }) => id === query.get('session'));
    if (!session) return reply(response, ours(404, 'unknown-session', 'there is no such session'));
    if (session.over) return reply(response, session.over);
    const n = Number(query.get('n'));
    if (n !== session.pushes && n !== session.pushes + 1) return reply(response, ours(409, 'not-next', `push ${n} is not the next`));
    if (n === session.pushes + 1) this.#take(session, query, body);
    if (answer === 'take-and-cut') request.socket.destroy();
    else reply(response, { status: 204 });
  }

  #take(session: StandInSession, query: URLSearchParams, body: Buffer): void {
    session.pushes += 1;
    session.seen = Math.max(session.seen, Number(query.get('seen')));
    session.closedWith = query.get('close') ?? undefined;
    this.bodies.push(body);
    const frames = framesIn(body);
    this.frames.push(...frames);
    if (frames.length > 0) this.send(session, ...frames);
  }

  #upgrade(request: IncomingMessage, socket: Socket, head: Buffer): void {
    this.requests.push(`UPGRADE ${request.url}`);
    socket.on('error', () => socket.destroy());
    if (this.upgrades === 'swallow') return void socket.resume().once('end', () => socket.end());
    if (this.upgrades === 'refuse') return void socket.end('HTTP/1.1 403 Forbidden\r\nConnection: close\r\n\r\n');
    const accept = (): void => this.#accept(request, socket, head);
    if (this.upgrades !== 'hold') return accept();
    this.#held.push(accept);
    this.#upgrading.add(socket);
  }

  #accept(request: IncomingMessage, socket: Socket, head: Buffer): void {
    this.#webSockets.handleUpgrade(request, socket, head, (webSocket) => {
      webSocket.on('message', (data: Buffer, isBinary) => {
        this.frames.push(new Uint8Array(data));
        if (!this.isMute) webSocket.send(data, { binary: isBinary });
      });
      if (this.cutAfterMs !== undefined) setTimeout(() => socket.destroy(), this.cutAfterMs);
    });
  }
}

function reply(response: ServerResponse, { status, body = '', headers = {} }: Answer): void {
  response
    .writeHead(status, { ...headers, ...(body.startsWith('{') ? { 'content-type': 'application/json' } : {}) })
    .end(body || undefined);
}

function framesIn(body: Buffer): Uint8Array[] {
  const frames = [];
  for (let at = 0; at < body.length;) {
    let length = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = body[at++]!;
      length += (byte & 127) * 2 ** shift;
      if (byte < 128) break;
    }
    frames.push(new Uint8Array(body.subarray(at, at + length)));
    at += length;
  }
  return frames;
}
