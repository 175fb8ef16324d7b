import type { HttpRequest, HttpResponse, TemplatedApp, us_socket_context_t, WebSocket, WebSocketBehavior } from '@rjweb/uws';
import { AuthUnavailable, type Decision, GRANT_HEADER } from '@weft/grants';
import { CLOSE, documentInTarget, tokenOfRequest } from '@weft/protocol';
import type { Logger } from '@weft/telemetry';
import type { ClientEdge } from '../client-edge.ts';
import type { Publish } from '../client-socket.ts';
import type { ConnectionHandler } from '../connection-world.ts';
import type { Admission } from '../admission.ts';
import type { TooMany } from '../connection-count.ts';
import type { Fallback } from '../fallback/fallback.ts';
import type { GatewayCore } from '../gateway-core.ts';
import type { Brought } from '../right.ts';
import type { ClientAddresses } from './client-address.ts';
import { addressOf, headOf, mayConnect } from './entrance.ts';
import { FallbackServer } from './fallback-server.ts';
import { addHttp, type HttpRoute, type StaticFile } from './http-routes.ts';
import { LateUpgrade } from './late-upgrade.ts';
import { originProblem, type OriginPolicy } from './origins.ts';
import { decideUpgrade, type GrantChecker } from './upgrade-rights.ts';
import { type ListenSocket, loadUws } from './uws.ts';
import { UwsSocket } from './uws-socket.ts';

/** `/collab` and `/yjs/<document>` on uWebSockets.js, and plain HTTP beside them. Turns sockets into core connections and nothing more. */
export class ClientServer implements ClientEdge {
  readonly #uws = loadUws();
  readonly #app: TemplatedApp;
  readonly #options: ClientServerOptions;
  readonly #fallback: FallbackServer;
  #listening: ListenSocket | undefined;

  constructor(options: ClientServerOptions) {
    this.#options = options;
    this.#app = this.#uws.app();
    const { fallback, origins, admission, addresses, pushBytesMax, logger } = options;
    fallback.publishToSockets = (topic, frame) => this.#publishToSockets(topic, frame);
    this.#fallback = new FallbackServer({ fallback, origins, admission, addresses, pushBytesMax, logger });
  }

  readonly publish: Publish = (topic, frame) => {
    this.#publishToSockets(topic, frame);
    this.#options.fallback.topics.publish(topic, frame);
  };

  #publishToSockets(topic: string, frame: Uint8Array): void {
    this.#app.publish(topic, frame, true, false);
  }

  async listen(core: GatewayCore): Promise<number> {
    const { host, port, routes, files, logger } = this.#options;
    const late = await LateUpgrade.get(this.#uws);
    this.#app.ws<Entry>(
      '/collab',
      this.#behavior(core, (res, req, context) => this.#upgradeCollab(late, res, req, context)),
    );
    this.#app.ws<Entry>(
      '/yjs/*',
      this.#behavior(core, (res, req, context) => this.#upgradeYjs(core, late, res, req, context)),
    );
    this.#fallback.addTo(this.#app, core);
    addHttp(this.#app, this.#uws, { routes, files }, (error) => logger.error({ err: error }, 'an HTTP route failed'));
    this.#listening = await this.#uws.listen(this.#app, host, port);
    if (!this.#listening) throw new Error(`cannot listen on ${host}:${port}: the port is in use, or not allowed`);
    return this.#listening.port;
  }

  everySecond(second: number): void {
    this.#fallback.everySecond(second);
  }

  stopAccepting(): void {
    this.#options.fallback.stopAccepting();
    this.#listening?.close();
    this.#listening = undefined;
  }

  #behavior(
    core: GatewayCore,
    onUpgrade: (res: HttpResponse, req: HttpRequest, context: us_socket_context_t) => void,
  ): WebSocketBehavior<Entry> {
    const { frameBytesMax, idleTimeoutS, unsentBytesMax, origins, logger, admission } = this.#options;
    return {
      // A frame over the limit but under twice it is refused with 1009 and a sentence; beyond that uWS cuts the connection.
      maxPayloadLength: 2 * frameBytesMax,
      idleTimeout: idleTimeoutS,
      sendPingsAutomatically: true,
      // The core stops sending long before: a socket that gets here is cut rather than sent a stream with holes.
      maxBackpressure: unsentBytesMax,
      closeOnBackpressureLimit: 1,
      compression: 0,
      upgrade: (res, req, context) => {
        const connection = req.getHeader('connection');
        const problem = originProblem(req.getHeader('origin'), origins);
        // uWebSockets.js does not look at it, and would close what it upgrades late under `Connection: close`.
        if (!asksForUpgrade(connection))
          refuse(res, '400 Bad Request', `a WebSocket handshake says "Connection: Upgrade"; this one says ${JSON.stringify(connection)}`);
        else if (problem !== undefined) refuse(res, '403 Forbidden', problem);
        else onUpgrade(res, req, context);
      },
      open: (ws) => {
        const entry = ws.getUserData();
        const { address } = entry;
        const { topics } = this.#options.fallback;
        const socket = new UwsSocket(
          ws,
          () => void (address && admission.abused(address)),
          (topic, frame) => topics.publish(topic, frame),
        );
        entry.socket = socket;
        entry.handler = entry.kind === 'collab' ? core.connectCollab(socket) : core.connectYjs(socket, entry.document, entry.brought);
        if (address !== undefined) void this.#countAddress(address, entry.handler);
      },
      message: (ws, message, isBinary) => {
        // uWS takes the buffer back after this call: the core copies what it keeps.
        this.#guarded(ws, logger, (handler) => handler.frame(new Uint8Array(message), isBinary));
      },
      drain: (ws) => this.#guarded(ws, logger, (handler) => handler.drained()),
      close: (ws, code, message) => {
        const { socket, handler, address } = ws.getUserData();
        socket?.wasClosed();
        if (address !== undefined) admission.addressLeft(address);
        // With a sentence of its own uWS tells why it cut the connection without a close frame: a frame it could not parse, silence, too much unsent.
        if (code === cutByUws && message.byteLength > 0)
          logger.warn({ connection: handler?.connection.id, why: Buffer.from(message).toString() }, 'uWebSockets.js cut a connection');
        if (handler) core.disconnected(handler);
      },
    };
  }

  /** A mistake of ours while one connection is served ends that connection, not the process with everybody on it. */
  #guarded(ws: WebSocket<Entry>, logger: Logger, run: (handler: ConnectionHandler) => void): void {
    const { socket, handler } = ws.getUserData();
    if (!handler) return;
    try {
      run(handler);
    } catch (error) {
      logger.error({ err: error, connection: handler.connection.id }, 'serving a connection failed');
      socket?.close(CLOSE.tryAgainLater.code, 'something went wrong here');
    }
  }

  /** It goes on meanwhile. */
  async #countAddress(address: string, { connection }: ConnectionHandler): Promise<void> {
    const tooMany = await this.#options.admission.addressCame(address);
    if (tooMany) connection.close(CLOSE.rateLimited, tooMany.sentence);
  }

  #upgradeCollab(late: LateUpgrade, res: HttpResponse, req: HttpRequest, context: us_socket_context_t): void {
    const address = addressOf(this.#options.addresses, res, req);
    const handshake = handshakeOf(req);
    if (address === undefined) return res.upgrade<Entry>({ kind: 'collab' }, ...handshake, context);
    let gone = false;
    res.onAborted(() => {
      gone = true;
    });
    void this.#options.admission.mayConnect(address).then((tooMany) => {
      if (gone) return;
      if (tooMany) return refuseForNow(res, tooMany);
      late.run(() => res.upgrade<Entry>({ kind: 'collab', address }, ...handshake, context));
    });
  }

  /** Refused before the socket exists, with an HTTP status: providers cannot read close codes (protocol.md). */
  #upgradeYjs(core: GatewayCore, late: LateUpgrade, res: HttpResponse, req: HttpRequest, context: us_socket_context_t): void {
    const handshake = handshakeOf(req);
    const head = headOf(req);
    const document = documentInTarget(head.target);
    if ('problem' in document) return refuse(res, '400 Bad Request', document.problem);
    let gone = false;
    res.onAborted(() => {
      gone = true;
    });
    const { grants, origins } = this.#options;
    const token = tokenOfRequest(head, origins.allowed);
    const address = addressOf(this.#options.addresses, res, req);
    const request = { document: document.name, token, grant: req.getHeader(GRANT_HEADER) };
    const decide = (): Promise<Decision> => decideUpgrade(request, grants, (...question) => core.authorize(...question));
    mayConnect(this.#options.admission, address, token, decide).then(
      (answer) => {
        if (gone) return;
        if ('retryAfterS' in answer) return refuseForNow(res, answer);
        if (!answer.allowed) return refuse(res, answer.status === 401 ? '401 Unauthorized' : '403 Forbidden', answer.reason);
        const entry: Entry = {
          kind: 'yjs',
          document: document.name,
          brought: { token, allowed: answer },
          ...(address === undefined ? {} : { address }),
        };
        late.run(() => res.upgrade(entry, ...handshake, context));
      },
      (error: unknown) => {
        if (!(error instanceof AuthUnavailable)) this.#options.logger.error({ err: error }, 'checking rights failed');
        if (!gone) refuse(res, '503 Service Unavailable', 'rights cannot be checked at the moment: try again');
      },
    );
  }
}

export interface ClientServerOptions {
  readonly host: string;
  readonly port: number;
  readonly frameBytesMax: number;
  readonly unsentBytesMax: number;
  readonly idleTimeoutS: number;
  readonly origins: OriginPolicy;
  readonly fallback: Fallback;
  readonly pushBytesMax: number;
  /** Where there is an edge that brings grants. */
  readonly grants: GrantChecker | undefined;
  readonly admission: Admission;
  readonly addresses: ClientAddresses;
  readonly routes: Readonly<Record<string, HttpRoute>>;
  readonly files: ReadonlyMap<string, StaticFile>;
  readonly logger: Logger;
}

/** RFC 6455: no close frame was received. */
const cutByUws = 1006;

/** What uWS keeps with a socket. */
type Entry = ({ kind: 'collab' } | { kind: 'yjs'; document: string; brought: Brought }) & {
  /** Unless it is this machine's own. */
  address?: string;
  socket?: UwsSocket<Entry>;
  handler?: ConnectionHandler;
};

function handshakeOf(req: HttpRequest): [string, string, string] {
  return [req.getHeader('sec-websocket-key'), req.getHeader('sec-websocket-protocol'), req.getHeader('sec-websocket-extensions')];
}

function refuseForNow(res: HttpResponse, { sentence, retryAfterS }: TooMany): void {
  refuse(res, '429 Too Many Requests', sentence, { 'retry-after': String(retryAfterS) });
}

function refuse(res: HttpResponse, status: string, reason: string, headers: Readonly<Record<string, string>> = {}): void {
  res.cork(() => {
    res.writeStatus(status);
    for (const [name, value] of Object.entries(headers)) res.writeHeader(name, value);
    res.writeHeader('content-type', 'application/json').end(JSON.stringify({ error: { message: reason } }));
  });
}

/** RFC 6455, 4.2.1: a list of which one is `Upgrade`, in any case. */
function asksForUpgrade(connection: string): boolean {
  return connection.split(',').some((option) => option.trim().toLowerCase() === 'upgrade');
}
