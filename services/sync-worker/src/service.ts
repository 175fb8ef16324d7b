import { randomBytes } from 'node:crypto';
import type { Bus, BusSubscription } from '@weft/bus';
import { type Clock, every, type Service, sleep, systemClock } from '@weft/lifecycle';
import {
  decodeHeartbeat,
  decodeToWorker,
  encodeHeartbeat,
  encodeToGateway,
  EnvelopeError,
  gatewaySubject,
  type Peer,
  peerKey,
  ringSubject,
  workerSubject,
} from '@weft/protocol';
import { type RingReport, RingView, type SliceReport, sliceOf } from '@weft/ring';
import type { DocumentReader } from '@weft/store';
import type { Logger, Metrics } from '@weft/telemetry';
import type { Wal } from '@weft/wal';
import { DeletesThread } from './adapters/deletes-thread.ts';
import type { WorkerConfig } from './config.ts';
import { DocumentLoader } from './document-loader.ts';
import type { Partition } from './slice.ts';
import { SliceFollower } from './slice-follower.ts';
import { WorkerCore, type WorkerLimits } from './worker-core.ts';

/** What the worker is given: real parts or embedded ones. */
export interface WorkerParts {
  readonly bus: Bus;
  readonly wal: Wal;
  readonly store: DocumentReader;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly clock?: Clock;
  /** New at each start; random unless given. */
  readonly incarnation?: string;
  /** Off the main thread unless given. */
  readonly completeDeletes?: (updates: readonly Uint8Array[]) => Promise<Uint8Array>;
}

export interface SyncWorker extends Service {
  /** Why it is not ready, one sentence each; empty when it is. */
  notReady(): string[];
  /** The ring as it is seen here, and what is held of the log. */
  ring(): Promise<RingReport>;
}

const heartbeatMs = 500;
const tickMs = 100;
/** Presence that changes within it goes out together. */
const presenceWindowMs = 10;
const loadsAtOnceMax = 8;
/** As many as questions may wait: more only where those were given up meanwhile. */
const loadsWaitingMax = 10_000;

/**
 * The sync-worker's edges: bus, log, store and clock around the core.
 * run: follows its slices, then announces itself and gains partitions. drain: announces draining and goes on answering until nobody has a document open here.
 */
export function createSyncWorker(parts: WorkerParts, config: WorkerConfig): SyncWorker {
  return new SyncWorkerService(parts, config);
}

class SyncWorkerService implements SyncWorker {
  readonly #parts: WorkerParts;
  readonly #config: WorkerConfig;
  readonly #clock: Clock;
  readonly #self: Peer;
  readonly #logger: Logger;
  readonly #core: WorkerCore;
  readonly #ring: RingView;
  readonly #followers: SliceFollower[];
  readonly #deletes = new DeletesThread();
  readonly #owned = new Set<number>();
  readonly #stop = new AbortController();
  readonly #subscriptions: BusSubscription[] = [];
  readonly #undo: (() => void)[] = [];
  #following = false;
  #draining = false;

  constructor(parts: WorkerParts, config: WorkerConfig) {
    this.#parts = parts;
    this.#config = config;
    this.#clock = parts.clock ?? systemClock;
    const now = (): number => this.#clock.now();
    this.#self = { id: config.id, incarnation: parts.incarnation ?? randomBytes(6).toString('hex') };
    this.#logger = parts.logger.child({ worker: peerKey(this.#self) });
    this.#ring = new RingView({ partitions: config.partitions });
    const loader = new DocumentLoader(parts.store, this.#logger, this.#stop.signal, {
      atOnceMax: loadsAtOnceMax,
      waitingMax: loadsWaitingMax,
      nowMs: now,
    });
    this.#core = new WorkerCore(this.#self, limitsFrom(config, parts.bus.payloadBytesMax), {
      send: (gateway, message) => parts.bus.publish(gatewaySubject(gateway), encodeToGateway(message)),
      load: (slice, held) => loader.load(this.#core, slice, held),
      refresh: (slice, held, version) => loader.refresh(this.#core, slice, held, version),
      completeDeletes: (updates, done) =>
        void (parts.completeDeletes ?? ((of) => this.#deletes.run(of)))(updates).then(
          (deletes) => done(deletes, now()),
          (error: unknown) => {
            this.#logger.warn({ err: error }, 'what is deleted in a document could not be found out');
            done(undefined, now());
          },
        ),
      wake: () => void this.#clock.after(presenceWindowMs, () => this.#core.flushPresence(), { background: true }),
      report: (event, fields) => this.#logger[event === 'malformed-update' ? 'error' : 'info'](fields, event),
    });
    this.#followers = Array.from(
      { length: config.slices },
      (_, slice) =>
        new SliceFollower({
          slice,
          core: this.#core,
          wal: parts.wal,
          store: parts.store,
          logger: this.#logger,
          signal: this.#stop.signal,
          clock: this.#clock,
          onReplaced: () => this.#gain([...this.#owned].filter((partition) => sliceOf(partition, config.slices) === slice)),
        }),
    );
    this.#gauges();
  }

  notReady(): string[] {
    const reasons: string[] = [];
    if (!this.#following) reasons.push('the log is not followed yet');
    if (this.#draining) reasons.push('draining');
    if (!this.#parts.bus.connected) reasons.push('the bus is not connected');
    return reasons;
  }

  async ring(): Promise<RingReport> {
    const slices = await Promise.all(Array.from({ length: this.#config.slices }, (_, slice) => this.#sliceReport(slice)));
    return { role: 'worker', peer: peerKey(this.#self), ...this.#ring.view(this.#clock.now()), slices };
  }

  async #sliceReport(slice: number): Promise<SliceReport> {
    const end = await this.#parts.wal.state(slice).then(
      ({ last }) => last,
      () => null,
    );
    const { identity = '', position = 0, partitions = new Map<number, Partition>() } = this.#core.slice(slice) ?? {};
    const ready = [...partitions.values()].filter((partition) => this.#core.slice(slice)!.isReady(partition));
    return { slice, identity, position, end, owned: numbers([...partitions.values()]), ready: numbers(ready) };
  }

  async run(): Promise<void> {
    const { bus, wal } = this.#parts;
    const { signal } = this.#stop;
    await Promise.all(this.#followers.map((follower) => follower.start()));
    for (let slice = 0; slice < this.#config.slices; slice++)
      this.#undo.push(wal.onFloor(slice, (floor) => this.#core.floor(slice, floor.identity, floor.position, this.#clock.now())));
    this.#subscriptions.push(
      bus.subscribe(workerSubject(this.#self), ({ data }) => this.#decoded(() => this.#core.hear(decodeToWorker(data), this.#clock.now()))),
      bus.subscribe(ringSubject, ({ data }) => this.#decoded(() => this.#hearHeartbeat(data))),
    );
    this.#following = true;
    this.#heartbeat();
    void every(heartbeatMs, () => this.#heartbeat(), signal, this.#clock);
    void every(tickMs, () => this.#tick(), signal, this.#clock);
    this.#logger.info({ slices: this.#config.slices }, 'sync-worker following the log');
  }

  async drain(): Promise<void> {
    this.#draining = true;
    this.#heartbeat();
    const deadline = this.#clock.now() + this.#config.handoverMs;
    // Gateways ask the new owners, then say `close` here. What nobody has open needs no hand-over.
    while (this.#core.registrations > 0 && this.#ring.workers > 1 && this.#clock.now() < deadline)
      await sleep(20, this.#stop.signal, this.#clock);
  }

  async stop(): Promise<void> {
    if (this.#stop.signal.aborted) return;
    this.#stop.abort(new Error('the sync-worker stops'));
    for (const subscription of this.#subscriptions) subscription.unsubscribe();
    for (const undo of this.#undo) undo();
    await this.#deletes.close();
  }

  #tick(): void {
    this.#lookAtRing();
    this.#core.tick(this.#clock.now());
  }

  /**
   * Who comes or drains is taken notice of at once: people wait for it. Whoever is new hears of us at once too, and looks only at its first tick: else it would take everything,
   * read all of the log for it, and give most of it back.
   */
  #hearHeartbeat(data: Uint8Array): void {
    if (!this.#ring.hear(decodeHeartbeat(data), this.#clock.now())) return;
    this.#heartbeat();
    if (this.#owned.size > 0) this.#lookAtRing();
  }

  #lookAtRing(): void {
    // While draining what is owned stays owned: others take over, and nobody is left without an answer.
    if (this.#ring.sweep(this.#clock.now()) && !this.#draining) this.#reassign();
  }

  #reassign(): void {
    const owners = this.#ring.owners();
    const mine = new Set<number>();
    owners.forEach((owner, partition) => {
      if (owner && peerKey(owner) === peerKey(this.#self)) mine.add(partition);
    });
    const lost = [...this.#owned].filter((partition) => !mine.has(partition));
    const gained = [...mine].filter((partition) => !this.#owned.has(partition));
    for (const partition of lost) this.#owned.delete(partition);
    for (const partition of gained) this.#owned.add(partition);
    for (const [slice, partitions] of this.#bySlice(lost)) this.#core.lose(slice, partitions, this.#clock.now());
    this.#gain(gained);
    this.#logger.info(
      { owned: this.#owned.size, gained: gained.length, lost: lost.length, workers: this.#ring.workers },
      'partitions assigned',
    );
  }

  #gain(partitions: readonly number[]): void {
    for (const [slice, gained] of this.#bySlice(partitions)) void this.#followers[slice]!.gain(gained);
  }

  #bySlice(partitions: readonly number[]): Map<number, number[]> {
    const slices = new Map<number, number[]>();
    for (const partition of partitions) {
      const slice = sliceOf(partition, this.#config.slices);
      slices.set(slice, [...(slices.get(slice) ?? []), partition]);
    }
    return slices;
  }

  #heartbeat(): void {
    const heartbeat = {
      kind: 'heartbeat',
      role: 'worker',
      peer: this.#self,
      draining: this.#draining,
      load: this.#core.documentsOpen,
    } as const;
    this.#ring.hear(heartbeat, this.#clock.now());
    this.#parts.bus.publish(ringSubject, encodeHeartbeat(heartbeat));
  }

  /** A message nobody can read harms nobody else. */
  #decoded(handle: () => void): void {
    try {
      handle();
    } catch (error) {
      if (!(error instanceof EnvelopeError)) throw error;
      this.#logger.error({ err: error }, 'a message on the bus could not be read');
    }
  }

  #gauges(): void {
    const { metrics } = this.#parts;
    const partitions = metrics.gauge('weft_worker_partitions', { help: 'Partitions this worker owns.' });
    const documents = metrics.gauge('weft_worker_documents', { help: 'Documents open in memory.' });
    const registrations = metrics.gauge('weft_worker_registrations', { help: 'Pairs of a gateway and a document it has open.' });
    this.#undo.push(
      metrics.onScrape(() => {
        partitions.set(this.#owned.size);
        documents.set(this.#core.documentsOpen);
        registrations.set(this.#core.registrations);
      }),
    );
  }
}

const numbers = (partitions: readonly Partition[]): number[] => partitions.map(({ number }) => number).toSorted((a, b) => a - b);

function limitsFrom(config: WorkerConfig, payloadBytesMax: number): WorkerLimits {
  return {
    partitions: config.partitions,
    slices: config.slices,
    documentIdleMs: config.documentIdleMs,
    payloadBytesMax,
    lookbackMs: 10_000,
    pieceBytesMax: 256 * 1024 * 1024,
    waitingMax: 10_000,
    waitMs: 10_000,
    waitingBytesMax: 64 * 1024 * 1024,
    transfersMax: 1_000,
    transfersBytesMax: 512 * 1024 * 1024,
    transferMs: 30_000,
    loadRetryMs: 100,
    loadRetryMaxMs: 5_000,
    linkIdleMs: 500,
    gatewaySilentMs: 5_000,
    tailBytesMax: 256 * 1024,
    refreshMs: 10_000,
  };
}
