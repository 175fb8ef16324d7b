import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';

export interface InstrumentOptions {
  readonly help: string;
  readonly labels?: readonly string[];
}

export interface HistogramOptions extends InstrumentOptions {
  /** Upper bounds in the metric's unit, growing. Default: prom-client's, for seconds. */
  readonly buckets?: readonly number[];
}

/**
 * One registry of a process. Names follow Prometheus: `weft_gateway_appends_total`, `weft_wal_append_seconds`, unit last.
 * Several services of one process share instruments by name. Labels must have few values: never a document or a connection.
 */
export class Metrics {
  readonly #registry = new Registry();
  readonly #kinds = new Map<string, string>();
  readonly #scrapeListeners = new Set<() => void>();

  constructor({ defaultMetrics = false, labels = {} }: { defaultMetrics?: boolean; labels?: Record<string, string> } = {}) {
    this.#registry.setDefaultLabels(labels);
    if (defaultMetrics) collectDefaultMetrics({ register: this.#registry });
  }

  counter(name: string, options: InstrumentOptions): Counter {
    return this.#instrument('counter', name, options, (common) => new Counter(common));
  }

  gauge(name: string, options: InstrumentOptions): Gauge {
    return this.#instrument('gauge', name, options, (common) => new Gauge(common));
  }

  histogram(name: string, options: HistogramOptions): Histogram {
    const buckets = options.buckets === undefined ? {} : { buckets: [...options.buckets] };
    return this.#instrument('histogram', name, options, (common) => new Histogram({ ...common, ...buckets }));
  }

  /** Called before each scrape, to set gauges from what is true then. Returns its own removal. */
  onScrape(listener: () => void): () => void {
    this.#scrapeListeners.add(listener);
    return () => this.#scrapeListeners.delete(listener);
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  /** The Prometheus text format. */
  async text(): Promise<string> {
    for (const listener of this.#scrapeListeners) listener();
    return this.#registry.metrics();
  }

  #instrument<T>(kind: string, name: string, options: InstrumentOptions, make: (common: CommonOptions) => T): T {
    const signature = `${kind}(${[...(options.labels ?? [])].toSorted().join(', ')})`;
    const known = this.#kinds.get(name);
    if (known !== undefined) {
      if (known !== signature) throw new Error(`metric ${name} is a ${known} already and cannot be a ${signature} too`);
      return this.#registry.getSingleMetric(name) as T;
    }
    const made = make({ name, help: options.help, labelNames: [...(options.labels ?? [])], registers: [this.#registry] });
    this.#kinds.set(name, signature);
    return made;
  }
}

interface CommonOptions {
  name: string;
  help: string;
  labelNames: string[];
  registers: Registry[];
}
