import { randomBytes } from 'node:crypto';
import type { Bus, BusSubscription } from '@weft/bus';
import { type Cache, MemoryCache } from '@weft/cache';
import { AUTH_CHANGED_SUBJECT, type Authority, decodeChanged, MalformedAuthMessage } from '@weft/grants';
import { type Clock, every, type Service, sleep, systemClock } from '@weft/lifecycle';
import {
  CLOSE,
  decodeHeartbeat,
  decodeToGateway,
  encodeHeartbeat,
  encodeToWorker,
  EnvelopeError,
  gatewaySubject,
  type Peer,
  peerKey,
  ringSubject,
  type ToWorker,
  workerSubject,
} from '@weft/protocol';
import { type RingReport, RingView } from '@weft/ring';
import type { Logger, Metrics } from '@weft/telemetry';
import type { Wal } from '@weft/wal';
import type { Batch } from './append-queue.ts';
import type { HttpRoute, StaticFile } from './adapters/http-routes.ts';
import { ClientAddresses } from './adapters/client-address.ts';
import { ClientServer } from './adapters/client-server.ts';
import { keepAliveS } from './adapters/fallback-server.ts';
import type { GrantChecker } from './adapters/upgrade-rights.ts';
import { Admission } from './admission.ts';
import type { ClientEdge } from './client-edge.ts';
import type { GatewayConfig } from './config.ts';
import { Fallback } from './fallback/fallback.ts';
import { GatewayCore, type GatewayEvent, type GatewayLimits } from './gateway-core.ts';
import { SliceWriter } from './slice-writer.ts';

/** What the gateway is given: real parts or embedded ones. */
export interface GatewayParts {
  readonly bus: Bus;
  readonly wal: Wal;
  readonly auth: Authority;
  /** Where limits are kept that hold for several gateways; of this one alone unless given. */
  readonly cache?: Cache;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Further HTTP paths, by uWS pattern (`/auth/*`), and files of the page, by path. */
  readonly routes?: Readonly<Record<string, HttpRoute>>;
  readonly files?: ReadonlyMap<string, StaticFile>;
  /** Where there is an edge that brings grants (`WEFT_GRANTS=edge`): who tells whether one is good. */
  readonly grants?: GrantChecker;
  /** Only pages of this machine may connect: for a laptop on which guests may edit. */
  readonly loopbackOriginsOnly?: boolean;
  /** Where clients come in; its own port with uWebSockets.js unless given (tests/simulator). */
  readonly clients?: ClientEdge;
  readonly clock?: Clock;
  /** New at each start; random unless given. */
  readonly incarnation?: string;
}

export interface Gateway extends Service {
  /** Where it listens, once `run` resolved. */
  readonly port: number;
  /** Why it is not ready, one sentence each; empty when it is. */
  notReady(): string[];
  /** The ring as it is seen here. */
  ring(): RingReport;
}

const heartbeatMs = 500;
const tickMs = 200;
/** Each connection hears something every so many seconds: providers give up after 30 s of silence (protocol.md). */
const keepAliveTurns = 15;
/** Everybody's rights are asked for again once in `rightsRecheckMs`, spread over so many turns. */
const recheckTurns = 60;
/** Seconds: who stays is counted once a minute. */
const recountTurns = 60;
const settleMs = 5_000;
/** A push has room for the largest frame and for what stands around it, or for a few small ones beside it. */
const pushFramingBytesMax = 64 * 1024;

/**
 * The gateway's edges: sockets, bus, log and clock around the core.
 * run: opens the port once the log's size limit is known. drain: closes the port, closes clients with 1012 spread over the window, waits for the last append.
 */
export function createGateway(parts: GatewayParts, config: GatewayConfig): Gateway {
  return new GatewayService(parts, config);
}

class GatewayService implements Gateway {
  readonly #parts: GatewayParts;
  readonly #config: GatewayConfig;
  readonly #self: Peer;
  readonly #logger: Logger;
  readonly #clock: Clock;
  readonly #clients: ClientEdge;
  /** Where clients come in on our own port. */
  #fallback: Fallback | undefined;
  readonly #admission: Admission;
  readonly #core: GatewayCore;
  readonly #ring: RingView;
  readonly #stop = new AbortController();
  readonly #writers: SliceWriter[];
  readonly #undo: (() => void)[] = [];
  readonly #subscriptions: BusSubscription[] = [];
  #endOfTick: (() => void)[] = [];
  #draining = false;
  #port = 0;

  constructor(parts: GatewayParts, config: GatewayConfig) {
    this.#parts = parts;
    this.#config = config;
    this.#self = { id: config.id, incarnation: parts.incarnation ?? randomBytes(6).toString('hex') };
    this.#logger = parts.logger.child({ gateway: peerKey(this.#self) });
    this.#clock = parts.clock ?? systemClock;
    this.#admission = new Admission(parts.cache ?? new MemoryCache({ now: () => this.#clock.now() }), config, {
      wallMs: () => this.#clock.wallMs(),
      report: (event, fields) => this.#report(event, fields),
    });
    this.#clients = parts.clients ?? this.#ownPort();
    this.#ring = new RingView({ partitions: config.partitions });
    this.#core = new GatewayCore(this.#self, limitsFrom(config, parts.bus.payloadBytesMax), {
      nowMs: () => this.#clock.now(),
      wallMs: () => this.#clock.wallMs(),
      atEndOfTick: (run) => this.#atEndOfTick(run),
      after: (ms, run) => this.#after(ms, run),
      publish: this.#clients.publish,
      sendToWorker: (worker, message) => this.#sendToWorker(worker, message),
      append: (slice, batch) => void this.#append(slice, batch),
      userCame: (user) => this.#admission.userCame(user),
      userLeft: (user) => this.#admission.userLeft(user),
      authorize: (token, document, options) => parts.auth.check(token, document, options),
      report: (event, fields) => this.#report(event, fields),
    });
    this.#writers = Array.from(
      { length: config.slices },
      (_, slice) =>
        new SliceWriter({
          slice,
          origin: peerKey(this.#self),
          wal: parts.wal,
          logger: this.#logger,
          clock: this.#clock,
          signal: this.#stop.signal,
        }),
    );
    this.#gauges();
  }

  #ownPort(): ClientEdge {
    const { host, port, frameBytesMax, highWaterBytes } = this.#config;
    const unsentBytesMax = 8 * highWaterBytes + 4 * frameBytesMax;
    const pushBytesMax = frameBytesMax + pushFramingBytesMax;
    const fallback = (this.#fallback = new Fallback(
      this.#self,
      {
        sessionsMax: this.#config.sessionsMax,
        unsentBytesMax,
        keptBytesMax: 4 * highWaterBytes,
        pushBytesMax,
        pushesPerSecond: this.#config.framesPerSecond,
        resumeMs: 30_000,
        unconfirmedMs: 60_000,
        keepAliveMs: 1000 * keepAliveS,
      },
      {
        bus: this.#parts.bus,
        nowMs: () => this.#clock.now(),
        soon: (run) => this.#clock.soon(run),
        after: (ms, run) => this.#after(ms, run),
        unreadable: (error) => this.#logger.error({ err: error }, 'a message on the bus could not be read'),
        newSecret: () => randomBytes(16).toString('base64url'),
        failed: (error, connection) => this.#logger.error({ err: error, connection }, 'serving a connection failed'),
      },
    ));
    return new ClientServer({
      host,
      port,
      frameBytesMax,
      unsentBytesMax,
      fallback,
      pushBytesMax,
      idleTimeoutS: 60,
      origins: {
        loopbackOnly: this.#parts.loopbackOriginsOnly ?? false,
        allowed: (this.#config.origins ?? []).map((origin) => new URL(origin).origin),
      },
      grants: this.#parts.grants,
      admission: this.#admission,
      addresses: new ClientAddresses(this.#config.trustedProxies),
      routes: this.#parts.routes ?? {},
      files: this.#parts.files ?? new Map(),
      logger: this.#logger,
    });
  }

  get port(): number {
    return this.#port;
  }

  notReady(): string[] {
    const reasons: string[] = [];
    if (this.#port === 0) reasons.push('the port is not open');
    if (this.#draining) reasons.push('draining');
    if (!this.#parts.bus.connected) reasons.push('the bus is not connected');
    if (this.#ring.workers === 0) reasons.push('no sync-worker has been heard of');
    return reasons;
  }

  ring(): RingReport {
    return { role: 'gateway', peer: peerKey(this.#self), ...this.#ring.view(this.#clock.now()), slices: [] };
  }

  async run(): Promise<void> {
    const { bus, wal } = this.#parts;
    const { signal } = this.#stop;
    this.#subscriptions.push(
      bus.subscribe(gatewaySubject(this.#self), ({ data }) => this.#decoded(() => this.#core.hearWorker(decodeToGateway(data)))),
      bus.subscribe(ringSubject, ({ data }) => this.#decoded(() => this.#hearHeartbeat(data))),
      bus.subscribe(AUTH_CHANGED_SUBJECT, ({ data }) => this.#decoded(() => this.#hearRightsChange(data))),
    );
    for (let slice = 0; slice < this.#config.slices; slice++)
      this.#undo.push(wal.onFloor(slice, (floor) => this.#core.floor(slice, floor.identity, floor.committed)));
    this.#fallback?.run();
    this.#port = await this.#clients.listen(this.#core);
    let turn = 0;
    void every(1000, () => this.#everySecond(turn++), signal, this.#clock);
    let recheck = 0;
    const recheckMs = this.#config.rightsRecheckMs / recheckTurns;
    void every(recheckMs, () => this.#core.recheckRights(recheck++ % recheckTurns, recheckTurns), signal, this.#clock);
    void every(tickMs, () => this.#tick(), signal, this.#clock);
    void every(heartbeatMs, () => this.#heartbeat(), signal, this.#clock);
    this.#logger.info({ host: this.#config.host, port: this.#port }, 'gateway listening');
  }

  async drain(): Promise<void> {
    this.#draining = true;
    this.#clients.stopAccepting();
    const handlers = this.#core.handlers();
    const pauseMs = handlers.length > 0 ? this.#config.drainMs / handlers.length : 0;
    // One after the other, with jitter: all their clients come back a second after the close (protocol.md), to the other gateways.
    for (const { connection } of handlers) {
      if (connection.closed) continue;
      connection.close(CLOSE.restart, 'this gateway restarts: connect again');
      if (pauseMs > 0) await sleep(pauseMs * (0.5 + this.#clock.random()), this.#stop.signal, this.#clock);
    }
    const deadline = this.#clock.now() + settleMs;
    while (!this.#core.isSettled && this.#clock.now() < deadline) await sleep(10, this.#stop.signal, this.#clock);
  }

  async stop(): Promise<void> {
    if (this.#stop.signal.aborted) return;
    this.#clients.stopAccepting();
    this.#stop.abort(new Error('the gateway stops'));
    for (const subscription of this.#subscriptions) subscription.unsubscribe();
    for (const undo of this.#undo) undo();
    for (const { connection } of this.#core.handlers()) connection.close(CLOSE.restart, 'this gateway restarts: connect again');
    this.#fallback?.stop();
    // Lets the close frames out before the caller ends the process.
    await sleep(50, undefined, this.#clock);
  }

  async #append(slice: number, batch: Batch<unknown>): Promise<void> {
    try {
      const appended = await this.#writers[slice]!.append(batch.entries);
      this.#core.appended(slice, appended.identity, appended.position);
    } catch (error) {
      if (this.#stop.signal.aborted) return;
      throw error;
    }
  }

  /** The core's limits keep messages below the bus's. Should one be too large all the same, its document waits, and nobody else. */
  #sendToWorker(worker: Peer, message: ToWorker): void {
    const { bus } = this.#parts;
    const bytes = encodeToWorker(message);
    if (bytes.byteLength <= bus.payloadBytesMax) return bus.publish(workerSubject(worker), bytes);
    this.#logger.error(
      { kind: message.kind, bytes: bytes.byteLength, bytesMax: bus.payloadBytesMax },
      'a message is too large for the bus',
    );
  }

  #everySecond(turn: number): void {
    this.#clients.everySecond?.(turn);
    this.#core.keepAlive(turn % keepAliveTurns, keepAliveTurns);
    void this.#admission.recount(turn % recountTurns, recountTurns);
  }

  #tick(): void {
    this.#lookAtRing();
    this.#core.tick();
  }

  /** What was kept goes first: what is asked now is not answered out of it. */
  #hearRightsChange(data: Uint8Array): void {
    const changed = decodeChanged(data);
    this.#parts.auth.forget(changed);
    this.#core.rightsChanged(changed);
  }

  /** Who comes or drains is taken notice of at once: people wait for it. */
  #hearHeartbeat(data: Uint8Array): void {
    const heartbeat = decodeHeartbeat(data);
    if (heartbeat.role === 'gateway') this.#fallback?.hearGateway(heartbeat.peer);
    if (this.#ring.hear(heartbeat, this.#clock.now())) this.#lookAtRing();
  }

  #lookAtRing(): void {
    if (this.#ring.sweep(this.#clock.now())) this.#core.setOwners(this.#ring.owners(), this.#ring.leaving());
  }

  #heartbeat(): void {
    const heartbeat = {
      kind: 'heartbeat',
      role: 'gateway',
      peer: this.#self,
      draining: this.#draining,
      load: this.#core.connections,
    } as const;
    this.#parts.bus.publish(ringSubject, encodeHeartbeat(heartbeat));
  }

  /** A message nobody can read harms nobody else. */
  #decoded(handle: () => void): void {
    try {
      handle();
    } catch (error) {
      if (!(error instanceof EnvelopeError) && !(error instanceof MalformedAuthMessage)) throw error;
      this.#logger.error({ err: error }, 'a message on the bus could not be read');
    }
  }

  #atEndOfTick(run: () => void): void {
    this.#endOfTick.push(run);
    if (this.#endOfTick.length > 1) return;
    this.#clock.soon(() => {
      const runs = this.#endOfTick;
      this.#endOfTick = [];
      for (const each of runs) each();
    });
  }

  #after(ms: number, run: () => void): void {
    const unlessStopped = (): void => {
      if (!this.#stop.signal.aborted) run();
    };
    this.#clock.after(ms, unlessStopped, { background: true });
  }

  #report(event: GatewayEvent, fields: Record<string, unknown>): void {
    const level = quiet.has(event) ? 'debug' : loud.has(event) ? 'warn' : 'info';
    this.#logger[level](fields, event);
    this.#events.inc({ event });
  }

  #events!: { inc(labels: { event: string }): void };

  #gauges(): void {
    const { metrics } = this.#parts;
    this.#events = metrics.counter('weft_gateway_events_total', {
      help: 'What happened to connections and links, by kind.',
      labels: ['event'],
    });
    const connections = metrics.gauge('weft_gateway_connections', { help: 'Client connections open.' });
    const sessions = metrics.gauge('weft_gateway_fallback_sessions', {
      help: 'Of the connections, those without WebSocket (push and SSE).',
    });
    const documents = metrics.gauge('weft_gateway_documents', { help: 'Documents open on this gateway.' });
    const waiting = metrics.gauge('weft_gateway_unacknowledged_bytes', { help: 'Edits taken and not acknowledged.' });
    const buffered = metrics.gauge('weft_gateway_unsent_bytes', { help: 'Bytes given to the clients’ sockets and not sent yet.' });
    this.#undo.push(
      metrics.onScrape(() => {
        connections.set(this.#core.connections);
        sessions.set(this.#fallback?.sessions.size ?? 0);
        documents.set(this.#core.documents);
        waiting.set(this.#core.unacknowledgedBytes);
        buffered.set(this.#core.bufferedBytes);
      }),
    );
  }
}

/** Somebody should know. */
const loud = new Set<GatewayEvent>(['banned', 'limits-unavailable']);
const quiet = new Set<GatewayEvent>(['entered', 'left', 'reopen']);

/** Room for a message's other fields: ids, a document's name. */
const envelopeOverheadBytes = 2048;

function limitsFrom(config: GatewayConfig, payloadBytesMax: number): GatewayLimits {
  return {
    ...config,
    payloadBytesMax,
    // Eight: JSON may take three bytes a UTF-16 unit, and a worker's answer bears presence beside the document.
    presenceStateBytesMax: Math.floor(payloadBytesMax / 8),
    presenceIdsMax: 1000,
    stateVectorBytesMax: Math.floor(payloadBytesMax / 4),
    statelessBytesMax: payloadBytesMax - envelopeOverheadBytes,
    joinBufferBytesMax: 1024 * 1024,
    presenceWindowMs: 20,
    presenceLeaveMs: 100,
    presenceSilentMs: 45_000,
    answerTimeoutMs: 3_000,
    retryMs: 50,
    retryMaxMs: 2_000,
    containsAttemptsMax: 3,
    containsBytesMax: 32 * 1024 * 1024,
    keepAliveMs: 1_000,
    workerSilentMs: 3_000,
    fetchBytes: Math.min(256 * 1024, Math.floor(payloadBytesMax / 2)),
    fetchWindowBytes: 1024 * 1024,
    answerUpdateBytesMax: 512 * 1024 * 1024,
  };
}
