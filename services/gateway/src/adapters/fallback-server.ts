import type { HttpRequest, HttpResponse, TemplatedApp } from '@rjweb/uws';
import { AuthUnavailable } from '@weft/grants';
import { CLOSE, tokenOfRequest } from '@weft/protocol';
import type { Logger } from '@weft/telemetry';
import type { Admission } from '../admission.ts';
import type { ClientSocket } from '../client-socket.ts';
import type { TooMany } from '../connection-count.ts';
import type { ConnectionHandler } from '../connection-world.ts';
import { openEvent, PADDING } from '../fallback/event-stream.ts';
import type { Fallback } from '../fallback/fallback.ts';
import { badRequest, comeAgain, type Refusal, UNKNOWN_SESSION } from '../fallback/refusal.ts';
import type { StreamEvents } from '../fallback/session.ts';
import type { GatewayCore } from '../gateway-core.ts';
import type { ClientAddresses } from './client-address.ts';
import { addressOf, headOf, mayConnect } from './entrance.ts';
import { readPushRequest, readStreamRequest } from './fallback-request.ts';
import { HttpStream } from './http-stream.ts';
import { type HeaderList, isHead, refuse, respond } from './json-answer.ts';
import { originProblem, type OriginPolicy } from './origins.ts';
import { BodyRoom, readBody, type UnreadBody } from './request-body.ts';
import { WaitingClient } from './waiting-client.ts';

/** `GET /sse` and `POST /push` (decision 0015): reads requests, writes answers, and nothing more. */
export class FallbackServer {
  readonly #options: FallbackServerOptions;
  /** Whosever sessions they are; each with its turn. */
  readonly #streams = new Map<HttpStream, number>();
  #nextTurn = 0;
  readonly #room: BodyRoom;

  constructor(options: FallbackServerOptions) {
    this.#options = options;
    this.#room = new BodyRoom(Math.max(bodiesBytesMax, 4 * options.pushBytesMax));
  }

  addTo(app: TemplatedApp, core: GatewayCore): void {
    this.#route(app, '/sse', 'get', (res, req, cors) => this.#stream(core, res, req, cors));
    this.#route(app, '/push', 'post', (res, req, cors) => this.#push(res, req, cors));
  }

  /** Called once a second. */
  everySecond(second: number): void {
    this.#options.fallback.tick();
    const [turns, turn] = [keepAliveS, second % keepAliveS];
    for (const [stream, of] of this.#streams) if (of % turns === turn) stream.keepAlive();
  }

  #route(app: TemplatedApp, path: string, method: 'get' | 'post', serve: Serve): void {
    const allow = `${method.toUpperCase()}, OPTIONS`;
    const forPages =
      (run: Serve): ((res: HttpResponse, req: HttpRequest) => void) =>
      (res, req) => {
        const problem = this.#pageProblem(req);
        if (problem === undefined) run(res, req, this.#cors(req));
        else refuse(res, { status: 403, code: 'forbidden', message: problem }, []);
      };
    app[method](path, forPages(serve));
    app.options(
      path,
      forPages((res, _, cors) => respond(res, '204 No Content', [...cors, ...preflight(allow)])),
    );
    app.any(path, (res, req) => {
      if (isHead(req)) respond(res, '405 Method Not Allowed', [['allow', allow]]);
      else refuse(res, { status: 405, code: 'method-not-allowed', message: `${allow} are served here` }, [['allow', allow]]);
    });
  }

  /** As for an upgrade. And a browser that is to show what is no page, an image say, comes for any site with this site's cookies, and does not say whose page it is. */
  #pageProblem(req: HttpRequest): string | undefined {
    const origin = req.getHeader('origin');
    if (origin === '' && req.getHeader('sec-fetch-site') === 'cross-site') return 'a page of another site has to say whose it is (Origin)';
    return originProblem(origin, this.#options.origins);
  }

  #cors(req: HttpRequest): HeaderList {
    const origin = req.getHeader('origin');
    if (origin === '') return [];
    const credentials: HeaderList = this.#options.origins.allowed.includes(origin) ? [['access-control-allow-credentials', 'true']] : [];
    return [['access-control-allow-origin', origin], ['access-control-expose-headers', 'Retry-After'], ['vary', 'Origin'], ...credentials];
  }

  #stream(core: GatewayCore, res: HttpResponse, req: HttpRequest, cors: HeaderList): void {
    const { fallback } = this.#options;
    const asked = readStreamRequest(req.getQuery() ?? '', req.getHeader('last-event-id'));
    if (asked.is === 'bad') return refuse(res, badRequest(asked.problem), cors);
    const client = new WaitingClient(res);
    const noRoom = fallback.refusal();
    if (noRoom && (asked.is !== 'resume' || fallback.isDraining)) return refuse(res, noRoom, cors);
    if (asked.is === 'resume')
      return this.#answered(
        client,
        cors,
        fallback.resume(asked.session, asked.after, (events) => (client.isGone ? undefined : this.#begin(res, cors, '', events))),
      );
    const opening = this.#admit(core, res, req, asked.is === 'yjs' ? asked.document : undefined).then((admitted) => {
      if ('status' in admitted || client.isGone) return 'status' in admitted ? admitted : undefined;
      const full = fallback.refusal();
      if (!full) this.#open(core, res, admitted, cors);
      return full;
    });
    this.#answered(client, cors, opening);
  }

  async #admit(core: GatewayCore, res: HttpResponse, req: HttpRequest, document: string | undefined): Promise<Admitted | Refusal> {
    const { admission, addresses, origins, logger } = this.#options;
    const address = addressOf(addresses, res, req);
    if (document === undefined) {
      const tooMany = address === undefined ? undefined : await admission.mayConnect(address);
      return tooMany ? notNow(tooMany) : { address, connect: (socket) => core.connectCollab(socket) };
    }
    const token = tokenOfRequest(headOf(req), origins.allowed);
    try {
      const answer = await mayConnect(admission, address, token, () => core.authorize(token, document));
      if ('retryAfterS' in answer) return notNow(answer);
      if (!answer.allowed)
        return { status: answer.status, code: answer.status === 401 ? 'unauthorized' : 'forbidden', message: answer.reason };
      return { address, connect: (socket) => core.connectYjs(socket, document, { token, allowed: answer }) };
    } catch (error) {
      if (!(error instanceof AuthUnavailable)) logger.error({ err: error }, 'checking rights failed');
      return comeAgain('rights cannot be checked at the moment: try again', 5);
    }
  }

  #open(core: GatewayCore, res: HttpResponse, { connect, address }: Admitted, cors: HeaderList): void {
    const { admission, fallback } = this.#options;
    const session = fallback.open({
      begin: (open, events) => this.#begin(res, cors, openEvent(open), events),
      connect,
      left: (handler) => {
        if (address !== undefined) admission.addressLeft(address);
        if (handler) core.disconnected(handler);
      },
      abused: () => void (address && admission.abused(address)),
    });
    if (address !== undefined) void this.#countAddress(address, session.handler);
  }

  /** It goes on meanwhile. */
  async #countAddress(address: string, handler: ConnectionHandler | undefined): Promise<void> {
    const tooMany = await this.#options.admission.addressCame(address);
    if (tooMany) handler?.connection.close(CLOSE.rateLimited, tooMany.sentence);
  }

  /** The head, and what every stream begins with. */
  #begin(res: HttpResponse, cors: HeaderList, first: string, events: StreamEvents): HttpStream {
    res.cork(() => {
      res.writeStatus('200 OK');
      for (const [name, value] of [...streamHeaders, ...cors]) res.writeHeader(name, value);
      res.write(PADDING + first);
    });
    const stream: HttpStream = new HttpStream(res, events, () => this.#streams.delete(stream));
    this.#streams.set(stream, this.#nextTurn++);
    return stream;
  }

  #push(res: HttpResponse, req: HttpRequest, cors: HeaderList): void {
    const { fallback, pushBytesMax } = this.#options;
    const asked = readPushRequest(req.getQuery() ?? '');
    if (asked.is === 'bad') return refuse(res, badRequest(asked.problem), cors);
    if (!fallback.mayKnow(asked.session)) return refuse(res, UNKNOWN_SESSION, cors);
    const client = new WaitingClient(res);
    readBody(client, req, this.#room, pushBytesMax, (body) => {
      if (body === 'gone') return;
      if (typeof body === 'string') refuse(res, unread(body, pushBytesMax), cors);
      else this.#answered(client, cors, fallback.push(asked.session, { ...asked, body }), () => respond(res, '204 No Content', cors));
    });
  }

  /** What came of it, for who is still there. */
  #answered(client: WaitingClient, cors: HeaderList, served: Promise<Refusal | undefined>, done: () => void = () => {}): void {
    served.then(
      (refusal) => {
        if (client.isGone) return;
        if (refusal) refuse(client.res, refusal, cors);
        else done();
      },
      (error: unknown) => {
        this.#options.logger.error({ err: error }, 'serving a client without WebSocket failed');
        if (!client.isGone) refuse(client.res, comeAgain('something went wrong here', 1), cors);
      },
    );
  }
}

/** Each stream bears something so often: proxies and browsers take silence for the end. */
export const keepAliveS = 15;
/** All that are on their way. */
const bodiesBytesMax = 64 * 1024 * 1024;

type Serve = (res: HttpResponse, req: HttpRequest, cors: HeaderList) => void;

export interface FallbackServerOptions {
  readonly fallback: Fallback;
  readonly origins: OriginPolicy;
  readonly admission: Admission;
  readonly addresses: ClientAddresses;
  readonly pushBytesMax: number;
  readonly logger: Logger;
}

/** May connect. */
export interface Admitted {
  readonly connect: (socket: ClientSocket) => ConnectionHandler;
  /** undefined: not limited. */
  readonly address: string | undefined;
}

const streamHeaders: HeaderList = [
  ['content-type', 'text/event-stream'],
  ['cache-control', 'no-store, no-transform'],
  ['x-accel-buffering', 'no'],
  ['x-content-type-options', 'nosniff'],
];

function notNow({ sentence, retryAfterS }: TooMany): Refusal {
  return { status: 429, code: 'too-many', message: sentence, retryAfterS };
}

function preflight(allow: string): HeaderList {
  return [
    ['access-control-allow-methods', allow],
    ['access-control-allow-headers', 'Authorization, Content-Type, Last-Event-ID'],
    ['access-control-max-age', '7200'],
  ];
}

function unread(why: Exclude<UnreadBody, 'gone'>, bytesMax: number): Refusal {
  if (why === 'no-room') return comeAgain('too much is on its way here at the moment', 1);
  return { status: 413, code: 'too-large', message: `a push of at most ${bytesMax} bytes is taken` };
}
