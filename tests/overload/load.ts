import { randomBytes } from 'node:crypto';
import { LightClient } from './light-client.ts';

/** How often the load looks whether an edit is due. */
const stepMs = 5;

export interface LoadOptions {
  readonly documents: number;
  /** Edits a second over all documents, whatever comes back (open loop). */
  readonly editsPerSecond: number;
  /** `ws://…` of the gateways: the two people of a document begin on different ones. */
  readonly urls: readonly string[];
  readonly token: string;
  readonly prefix?: string;
  /** Each edit replaces its writer's page, of so many bytes; default: one character. */
  readonly pageBytes?: number;
}

export interface Sample {
  readonly document: string;
  readonly sentAtMs: number;
  readonly atMs: number;
}

export interface Relayed extends Sample {
  /** Which of the two people made it. */
  readonly from: 0 | 1;
}

interface Half {
  readonly client: LightClient;
  /** Own edits the other has not seen: the clock that shows them, and when they were made. */
  readonly unseen: { readonly clock: number; readonly sentAtMs: number }[];
}

interface Pair {
  readonly document: string;
  readonly halves: readonly [Half, Half];
}

/**
 * Steady typing in many documents, two people each, on different gateways: every edit needs its acknowledgement and a relay. Keeps when each edit was made, acknowledged,
 * and seen by the other.
 */
export class Load {
  readonly acks: Sample[] = [];
  readonly relays: Relayed[] = [];
  readonly #pairs: readonly Pair[];
  readonly #editsPerSecond: number;
  readonly #pageBytes: number | undefined;
  #timer: NodeJS.Timeout | undefined;

  private constructor(pairs: readonly Pair[], { editsPerSecond, pageBytes }: LoadOptions) {
    this.#pairs = pairs;
    this.#editsPerSecond = editsPerSecond;
    this.#pageBytes = pageBytes;
  }

  /** Everybody is connected and synced; nobody types yet. */
  static async gather(options: LoadOptions): Promise<Load> {
    const { documents, urls, token, prefix = 'load' } = options;
    const pairs: Pair[] = [];
    const load = new Load(pairs, options);
    for (let i = 0; i < documents; i++) {
      const document = `${prefix}-${i}`;
      const halves = ([0, 1] as const).map((which): Half => {
        const turned = urls.map((_, at) => urls[(at + which) % urls.length]!);
        const client = new LightClient({
          document,
          token,
          urls: turned,
          onAcknowledged: (sentAtMs, atMs) => load.acks.push({ document, sentAtMs, atMs }),
          onNews: () => load.#see(halves, which, document),
        });
        return { client, unseen: [] };
      });
      pairs.push({ document, halves: halves as [Half, Half] });
      // A handful at a time, as people come.
      if (i % 10 === 9) await load.untilSynced();
    }
    await load.untilSynced();
    return load;
  }

  get documents(): readonly string[] {
    return this.#pairs.map(({ document }) => document);
  }

  get clients(): LightClient[] {
    return this.#pairs.flatMap(({ halves }) => halves.map(({ client }) => client));
  }

  start(): void {
    const startedMs = performance.now();
    let made = 0;
    this.#timer = setInterval(() => {
      const due = ((performance.now() - startedMs) / 1000) * this.#editsPerSecond;
      for (; made < due; made++) this.#type(made);
    }, stepMs);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  leave(): void {
    this.stop();
    for (const client of this.clients) client.leave();
  }

  /** Every edit is acknowledged, and seen by the other. */
  async untilSettled(withinMs = 60_000): Promise<void> {
    await this.#until(
      withinMs,
      () => this.clients.every((client) => client.isSynced && client.unacknowledged === 0) && this.#differing().length === 0,
      () =>
        `${this.clients.filter((client) => client.unacknowledged > 0).length} wait for acknowledgements, differing: ${this.#differing().join(' ')}`,
    );
  }

  async untilSynced(withinMs = 60_000): Promise<void> {
    await this.#until(
      withinMs,
      () => this.clients.every((client) => client.isSynced),
      () => `${this.clients.filter((client) => !client.isSynced).length} are not synced`,
    );
  }

  /** Refusals of any kind, and drops: what the clients of a house should not notice. */
  troubles(): string[] {
    return this.#pairs.flatMap(({ document, halves }) =>
      halves.flatMap(({ client }) => [
        ...client.drops.map(({ code, reason }) => `${document} dropped with ${code} ${reason}`),
        ...Array<string>(client.refused).fill(`${document} refused an edit`),
        ...Array<string>(client.denied).fill(`${document} denied`),
      ]),
    );
  }

  #differing(): string[] {
    return this.#pairs.filter(({ halves: [a, b] }) => a.client.content !== b.client.content).map(({ document }) => document);
  }

  #type(turn: number): void {
    const pair = this.#pairs[turn % this.#pairs.length]!;
    const { client, unseen } = pair.halves[Math.floor(turn / this.#pairs.length) % 2]!;
    if (this.#pageBytes === undefined) client.type();
    else client.replace(randomBytes(this.#pageBytes / 2).toString('hex'));
    unseen.push({ clock: client.has(client.doc.clientID), sentAtMs: performance.now() });
  }

  #see(halves: readonly Half[], who: 0 | 1, document: string): void {
    const from = who === 0 ? 1 : 0;
    const [reader, writer] = [halves[who]!, halves[from]!];
    const clock = reader.client.has(writer.client.doc.clientID);
    const atMs = performance.now();
    while (writer.unseen.length > 0 && writer.unseen[0]!.clock <= clock)
      this.relays.push({ document, from, sentAtMs: writer.unseen.shift()!.sentAtMs, atMs });
  }

  async #until(withinMs: number, condition: () => boolean, seen: () => string): Promise<void> {
    for (
      const deadline = performance.now() + withinMs;
      performance.now() < deadline;
      await new Promise((resolve) => setTimeout(resolve, 20))
    )
      if (condition()) return;
    throw new Error(`within ${withinMs} ms the load did not get there: ${seen()}`);
  }
}

/** A newcomer opens the document: how long until it is synced, ms. Rejects after `withinMs`. */
export async function join(
  options: { readonly url: string; readonly document: string; readonly token: string },
  withinMs = 30_000,
): Promise<number> {
  const startedMs = performance.now();
  const client = new LightClient({ ...options, urls: [options.url] });
  try {
    while (!client.isSynced) {
      if (performance.now() - startedMs > withinMs) throw new Error(`${options.document} was not joined within ${withinMs} ms`);
      if (client.drops.length > 0) throw new Error(`joining ${options.document}: dropped with ${client.drops[0]!.code}`);
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    return client.syncs[0]! - startedMs;
  } finally {
    client.leave();
  }
}
