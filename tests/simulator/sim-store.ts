import {
  type Compactable,
  type Compacted,
  type DocumentStore,
  type Flush,
  type FlushOutcome,
  type Quarantined,
  type Snapshot,
  type StoredDocument,
  type StoredFloor,
  StoreUnavailable,
  type TailRow,
  type TailSize,
} from '@weft/store';
import type { Random } from './random.ts';
import type { Scheduler } from './scheduler.ts';
import { attempt, fail } from './sim-log.ts';
import type { SimProcess } from './sim-process.ts';

/** What goes wrong with Postgres at the moment. Chances of a call. */
export interface StoreWeather {
  refused: number;
  /** Done, and the answer never comes. */
  answerLost: number;
  slowMs: number;
  /** What was done or read at one moment is told this much later, at most: a large answer on a slow line. Less than the 30 s after which libs/store gives up. */
  answerMs: number;
  /** The same, of documents alone. */
  readMs: number;
  away: boolean;
}

const timeoutMs = 1_500;
/** Yjs V1: a state vector of no clients, an update with nothing in it. */
const emptySnapshot: Snapshot = { version: 0, pieces: [], stateVector: Uint8Array.of(0), deletes: Uint8Array.of(0, 0) };

/** Postgres as the queries of libs/store use it: each call is one transaction, at one moment. */
export class SimDatabase {
  readonly weather: StoreWeather = { refused: 0, answerLost: 0, slowMs: 0, answerMs: 0, readMs: 0, away: false };
  readonly quarantined: Quarantined[] = [];
  readonly #scheduler: Scheduler;
  readonly #random: Random;
  readonly #documents = new Map<string, StoredTable>();
  readonly #floors = new Map<number, StoredFloor>();
  readonly #leases = new Map<number, { readonly holder: string; readonly untilMs: number }>();
  #rowIds = 0;

  constructor(parts: { scheduler: Scheduler; random: Random }) {
    this.#scheduler = parts.scheduler;
    this.#random = parts.random;
  }

  storeOf(process: SimProcess): DocumentStore {
    const call = <T>(transaction: () => T): Promise<T> => this.#call(process, transaction);
    return {
      loadDocument: (document, slice) => this.#call(process, () => this.load(document, slice), this.weather.readMs),
      snapshotVersion: (document) => call(() => this.#documents.get(document)?.snapshot.version ?? 0),
      floor: (slice) => call(() => this.#floors.get(slice)),
      commitFlush: (flush) => call(() => this.#commit(flush)),
      adoptFloor: (slice, { expected, floor }) => call(() => this.#adopt(slice, expected, floor)),
      takeLease: (slice, { holder, leaseMs }) => call(() => this.#takeLease(slice, holder, leaseMs)),
      releaseLease: (slice, holder) =>
        call(() => {
          if (this.#leases.get(slice)?.holder === holder) this.#leases.delete(slice);
        }),
      loadForCompaction: (document) => call(() => this.#compactable(document)),
      replaceWithSnapshot: (compacted) => call(() => this.#replace(compacted)),
      tailsOf: (documents) => call(() => documents.flatMap((name) => this.#tailSize(name))),
      longTails: (slice, { rowsOver, bytesOver }) =>
        call(() =>
          [...this.#documents]
            .filter(([, table]) => table.slice === slice)
            .flatMap(([name]) => this.#tailSize(name))
            .filter(({ rows, bytes }) => rows > rowsOver || bytes > bytesOver),
        ),
    };
  }

  /** As `loadDocument` reads it. */
  load(document: string, slice: number): StoredDocument {
    const table = this.#documents.get(document);
    return {
      snapshot: table?.snapshot ?? emptySnapshot,
      tail: (table?.rows ?? []).map(({ update }) => update),
      floor: this.#floors.get(slice),
    };
  }

  floorOf(slice: number): StoredFloor | undefined {
    return this.#floors.get(slice);
  }

  async #call<T>(process: SimProcess, transaction: () => T, readMs = 0): Promise<T> {
    const { refused, answerLost, away } = this.weather;
    if (away || process.isCut) return process.settle(timeoutMs, () => fail(new StoreUnavailable('Postgres is away')));
    if (this.#random.chance(refused)) return process.settle(this.#latencyMs(), () => fail(new StoreUnavailable('Postgres went away')));
    return new Promise((resolve, reject) => {
      this.#scheduler.after(this.#latencyMs(), () => {
        const done = attempt(transaction);
        const answer = this.#random.chance(answerLost)
          ? process.settle<T>(timeoutMs, () => fail(new StoreUnavailable('the connection was lost')))
          : process.settle<T>(this.#latencyMs() + this.#random.between(0, Math.max(readMs, this.weather.answerMs)), done);
        answer.then(resolve, reject);
      });
    });
  }

  #latencyMs(): number {
    return this.#random.between(0.2, 4) + this.#random.between(0, this.weather.slowMs);
  }

  #commit({ slice, identity, fromPosition, toPosition, documents, quarantined }: Flush): FlushOutcome {
    const floor = this.#floors.get(slice);
    if (floor?.identity !== identity || floor.position !== fromPosition) return { committed: false, floor };
    this.#floors.set(slice, { identity, position: toPosition });
    for (const { name, update } of documents) this.#append(name, slice, update);
    this.quarantined.push(...quarantined);
    return { committed: true };
  }

  #append(name: string, slice: number, update: Uint8Array): void {
    let table = this.#documents.get(name);
    if (!table) this.#documents.set(name, (table = { id: this.#documents.size + 1, slice, snapshot: emptySnapshot, rows: [] }));
    this.#rowIds += 1;
    table.rows.push({ id: this.#rowIds, update: update.slice(), atMs: this.#scheduler.nowMs });
  }

  #adopt(slice: number, expected: StoredFloor | undefined, floor: StoredFloor): boolean {
    const stored = this.#floors.get(slice);
    if (stored?.identity !== expected?.identity || stored?.position !== expected?.position) return false;
    this.#floors.set(slice, { ...floor });
    return true;
  }

  #takeLease(slice: number, holder: string, leaseMs: number): boolean {
    const lease = this.#leases.get(slice);
    if (lease && lease.holder !== holder && lease.untilMs >= this.#scheduler.nowMs) return false;
    this.#leases.set(slice, { holder, untilMs: this.#scheduler.nowMs + leaseMs });
    return true;
  }

  #compactable(document: string): Compactable | undefined {
    const table = this.#documents.get(document);
    return table && { documentId: table.id, snapshot: table.snapshot, tail: table.rows.map(({ id, update }) => ({ id, update })) };
  }

  #replace({ documentId, expectedVersion, consumedRowIds, snapshot, quarantined }: Compacted): boolean {
    const table = [...this.#documents.values()].find(({ id }) => id === documentId);
    if (table?.snapshot.version !== expectedVersion) return false;
    const consumed = new Set(consumedRowIds);
    const left = table.rows.filter(({ id }) => !consumed.has(id));
    if (left.length !== table.rows.length - consumed.size) throw new Error('rows were compacted that are not there');
    table.rows = left;
    table.snapshot = { ...snapshot, version: expectedVersion + 1 };
    this.quarantined.push(...quarantined);
    return true;
  }

  #tailSize(document: string): TailSize[] {
    const table = this.#documents.get(document);
    if (!table || table.rows.length === 0) return [];
    const bytesOf = (updates: readonly Uint8Array[]): number => updates.reduce((sum, { byteLength }) => sum + byteLength, 0);
    return [
      {
        document,
        rows: table.rows.length,
        bytes: bytesOf(table.rows.map(({ update }) => update)),
        ageMs: this.#scheduler.nowMs - table.rows[0]!.atMs,
        snapshotBytes: bytesOf(table.snapshot.pieces),
      },
    ];
  }
}

interface StoredTable {
  readonly id: number;
  readonly slice: number;
  snapshot: Snapshot;
  rows: (TailRow & { readonly atMs: number })[];
}
