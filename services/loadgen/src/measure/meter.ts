import type { Dialect, Distribution, Second } from '../result.ts';
import { nowUs } from '../wire/stamp.ts';
import { Latency } from './latency.ts';
import { ProcessWatch, type Usage, type WatchedProcess } from './processes.ts';

const troublesMax = 20;
/** The generator itself is in the way when it sends so late. */
const lateMs = 20;

export interface MeterOptions {
  readonly dialect: Dialect;
  readonly processes: readonly WatchedProcess[];
  /** Called once a second with what the second brought. */
  readonly progress: (second: Second) => void;
}

/** Where a person's doings are counted. */
export interface Counts {
  readonly acknowledges: boolean;
  sent(dueUs: number): void;
  /** Another has it. `same`: on the target it was sent to. */
  delivered(dueUs: number, atUs: number, same: boolean): void;
  /** So many edits reached somebody who is not timed. */
  arrived(edits: number): void;
  acknowledged(dueUs: number, atUs: number): void;
  /** A frame of so many bytes came. */
  heard(bytes: number): void;
  lost(code: number | undefined, reason: string): void;
  trouble(sentence: string): void;
}

/**
 * Everything that is counted in a run. Edits count for the phase in which they were due, whenever they arrive: who is late in a measured phase shows, and so do those who never
 * arrive.
 */
export class Meter implements Counts {
  /** Whether this dialect acknowledges edits. */
  readonly acknowledges: boolean;
  readonly series: Second[] = [];
  readonly latencies = new Map<string, Latency>();
  readonly troubles: string[] = [];
  readonly #options: MeterOptions;
  readonly #watch: ProcessWatch;
  readonly #startedUs = nowUs();
  readonly #timer: NodeJS.Timeout;
  #phase = 'warming';
  #measuredFromUs = Number.POSITIVE_INFINITY;
  #measuredToUs = Number.POSITIVE_INFINITY;
  #usageAt: { readonly from: Map<string, Usage>; readonly to: Map<string, Usage> } | undefined;
  #usageFrom: Map<string, Usage> | undefined;
  readonly #peakRss = new Map<string, number>();
  #lastUsage: Map<string, Usage>;
  readonly #total = { sent: 0, delivered: 0, acknowledged: 0, frames: 0, bytes: 0 };
  readonly #measured = { sent: 0, delivered: 0, acknowledged: 0, frames: 0, bytes: 0 };
  #second = { sent: 0, delivered: 0, acknowledged: 0 };
  readonly #secondDelivery = new Latency();
  readonly #secondAck = new Latency();
  connections = 0;
  lostConnections = 0;

  constructor(options: MeterOptions) {
    this.#options = options;
    this.acknowledges = options.dialect !== 'yjs';
    this.#watch = new ProcessWatch(options.processes);
    this.#lastUsage = this.#watch.rough();
    this.#timer = setInterval(() => this.#endSecond(), 1000);
  }

  /** From here on what is due is not of the measured phase. */
  phase(name: string): void {
    if (this.#phase === 'measured') this.#endMeasured();
    this.#phase = name;
  }

  /** What is due from now on is measured; what was measured before is forgotten. */
  measure(): void {
    this.phase('measured');
    for (const latency of this.latencies.values()) latency.reset();
    for (const name of ['sent', 'delivered', 'acknowledged', 'frames', 'bytes'] as const) this.#measured[name] = 0;
    this.#usageFrom = this.#watch.exact();
    this.#measuredFromUs = nowUs();
    this.#measuredToUs = Number.POSITIVE_INFINITY;
  }

  stop(): void {
    if (this.#phase === 'measured') this.#endMeasured();
    clearInterval(this.#timer);
  }

  get measuredSeconds(): number {
    return (Math.min(this.#measuredToUs, nowUs()) - this.#measuredFromUs) / 1e6;
  }

  get measured(): Readonly<{ sent: number; delivered: number; acknowledged: number; frames: number; bytes: number }> {
    return this.#measured;
  }

  get total(): Readonly<{ sent: number; delivered: number; acknowledged: number; frames: number; bytes: number }> {
    return this.#total;
  }

  /** Seconds of CPU that each process used in the measured phase. */
  get cpu(): Map<string, number> {
    const used = new Map<string, number>();
    if (!this.#usageAt) return used;
    const { from, to } = this.#usageAt;
    for (const [name, { cpu }] of to) used.set(name, cpu - (from.get(name)?.cpu ?? 0));
    return used;
  }

  /** Resident bytes now, by process; asks anew. */
  rss(): Map<string, number> {
    return new Map([...this.#watch.exact()].map(([name, { rss }]) => [name, rss]));
  }

  /** The most that was seen of each, once a second. */
  get peakRss(): ReadonlyMap<string, number> {
    return this.#peakRss;
  }

  latency(name: string): Latency {
    let latency = this.latencies.get(name);
    if (!latency) this.latencies.set(name, (latency = new Latency()));
    return latency;
  }

  distributions(): Record<string, Distribution> {
    return Object.fromEntries([...this.latencies].filter(([, of]) => of.count > 0).map(([name, of]) => [name, of.distribution()]));
  }

  /** For people beside the load: only how long their edits take is kept, by this name. */
  of(name: string): Counts {
    return {
      acknowledges: this.acknowledges,
      sent: () => undefined,
      arrived: () => undefined,
      delivered: (dueUs, atUs) => {
        if (this.#isMeasured(dueUs)) this.latency(name).record(atUs - dueUs);
      },
      acknowledged: (dueUs, atUs) => {
        if (this.#isMeasured(dueUs)) this.latency(`${name}_ack`).record(atUs - dueUs);
      },
      heard: () => undefined,
      lost: (code, reason) => this.lost(code, reason),
      trouble: (sentence) => this.trouble(sentence),
    };
  }

  sent(dueUs: number): void {
    this.#total.sent += 1;
    this.#second.sent += 1;
    if (!this.#isMeasured(dueUs)) return;
    this.#measured.sent += 1;
    this.latency('generator_late').record(nowUs() - dueUs);
  }

  delivered(dueUs: number, atUs: number, same: boolean): void {
    const us = atUs - dueUs;
    this.#total.delivered += 1;
    this.#second.delivered += 1;
    this.#secondDelivery.record(us);
    if (!this.#isMeasured(dueUs)) return;
    this.#measured.delivered += 1;
    this.latency('delivery').record(us);
    this.latency(same ? 'delivery_same' : 'delivery_across').record(us);
  }

  arrived(edits: number): void {
    this.#total.delivered += edits;
    this.#second.delivered += edits;
    if (this.#phase === 'measured') this.#measured.delivered += edits;
  }

  acknowledged(dueUs: number, atUs: number): void {
    const us = atUs - dueUs;
    this.#total.acknowledged += 1;
    this.#second.acknowledged += 1;
    this.#secondAck.record(us);
    if (!this.#isMeasured(dueUs)) return;
    this.#measured.acknowledged += 1;
    this.latency('ack').record(us);
  }

  heard(bytes: number): void {
    this.#total.frames += 1;
    this.#total.bytes += bytes;
    if (this.#phase !== 'measured') return;
    this.#measured.frames += 1;
    this.#measured.bytes += bytes;
  }

  lost(code: number | undefined, reason: string): void {
    this.lostConnections += 1;
    this.trouble(`a connection was lost: ${code === undefined ? '' : `${code} `}${reason}`);
  }

  trouble(sentence: string): void {
    if (this.troubles.length < troublesMax && !this.troubles.includes(sentence)) this.troubles.push(sentence);
  }

  #isMeasured(dueUs: number): boolean {
    return dueUs >= this.#measuredFromUs && dueUs < this.#measuredToUs;
  }

  #endMeasured(): void {
    this.#measuredToUs = nowUs();
    this.#usageAt = { from: this.#usageFrom!, to: this.#watch.exact() };
    const lateP99 = this.latency('generator_late').percentile(99);
    if (lateP99 > lateMs)
      this.trouble(`the generator was late itself: ${lateP99.toFixed(1)} ms (p99); it needs more CPU, or more processes`);
  }

  #endSecond(): void {
    const usage = this.#watch.rough();
    const cpu: Record<string, number> = {};
    const rss: Record<string, number> = {};
    for (const [name, now] of usage) {
      cpu[name] = Math.max(0, Math.round((now.cpu - (this.#lastUsage.get(name)?.cpu ?? 0)) * 1000) / 1000);
      rss[name] = now.rss;
      this.#peakRss.set(name, Math.max(now.rss, this.#peakRss.get(name) ?? 0));
    }
    this.#lastUsage = usage;
    const second: Second = {
      at: Math.round((nowUs() - this.#startedUs) / 1e5) / 10,
      phase: this.#phase,
      ...this.#second,
      connections: this.connections,
      ...(this.#secondDelivery.count > 0 ? { p50: this.#secondDelivery.percentile(50), p99: this.#secondDelivery.percentile(99) } : {}),
      ...(this.#secondAck.count > 0 ? { ackP50: this.#secondAck.percentile(50), ackP99: this.#secondAck.percentile(99) } : {}),
      cpu,
      rss,
    };
    this.#second = { sent: 0, delivered: 0, acknowledged: 0 };
    this.#secondDelivery.reset();
    this.#secondAck.reset();
    this.series.push(second);
    this.#options.progress(second);
  }
}
