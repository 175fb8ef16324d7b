import { encodeToGateway, type ToGateway } from '@weft/protocol';
import { partitionOf } from '@weft/ring';
import type { StoredDocument } from '@weft/store';
import { EMPTY_UPDATE } from '@weft/updates';
import { type PendingEntry, RecordPacker } from '@weft/wal';
import { WorkerCore, type WorkerLimits } from './built.ts';
import { documentName } from './material.ts';

const mib = 1024 * 1024;
/** As a worker has them by default. */
const limits: WorkerLimits = {
  partitions: 128,
  slices: 1,
  payloadBytesMax: mib,
  lookbackMs: 10_000,
  pieceBytesMax: 256 * mib,
  waitingMax: 10_000,
  waitMs: 10_000,
  waitingBytesMax: 64 * mib,
  transfersMax: 1_000,
  transfersBytesMax: 512 * mib,
  transferMs: 30_000,
  loadRetryMs: 100,
  loadRetryMaxMs: 5_000,
  linkIdleMs: 500,
  gatewaySilentMs: 5_000,
  documentIdleMs: 60_000,
  tailBytesMax: 256 * 1024,
  refreshMs: 10_000,
};
const self = { id: 'w', incarnation: '1' };
/** Who writes, and who else has documents open. */
export const near = { id: 'near', incarnation: '1' };
export const far = { id: 'far', incarnation: '1' };
const nothing = Uint8Array.of(0);
const emptyDocument: StoredDocument = {
  snapshot: { version: 0, pieces: [], stateVector: nothing, deletes: EMPTY_UPDATE },
  tail: [],
  floor: undefined,
};

export const partitionOfDocument = (document: string): number => partitionOf(document, limits.partitions);

/** A worker whose log, store and gateways are here: what it would send is encoded, as its service does, and counted. */
export class WorkerHouse {
  readonly core: InstanceType<typeof WorkerCore>;
  bytesOut = 0;
  last: ToGateway | undefined;
  nowMs = 0;
  #position = 1;
  #question = 0;
  readonly #loads: (() => void)[] = [];

  /** `owned`: whether it owns a partition. */
  constructor(stored: StoredDocument = emptyDocument, owned: (partition: number) => boolean = () => true) {
    this.core = new WorkerCore(self, limits, {
      send: (_, message) => {
        this.last = message;
        this.bytesOut += encodeToGateway(message).byteLength;
      },
      load: (slice, held) => void this.#loads.push(() => this.core.loaded(slice, held, stored, this.nowMs)),
      refresh: (_, held) => {
        held.refreshing = false;
      },
      completeDeletes: (_, done) => done(undefined, this.nowMs),
      wake: () => {},
      report: () => {},
    });
    this.core.follow(0, 'log', this.#position);
    const range = { base: this.#position, to: this.#position, target: this.#position };
    for (let partition = 0; partition < limits.partitions; partition++) {
      if (!owned(partition)) continue;
      this.core.slice(0)!.gain(partition);
      this.core.filled(0, range, new Map([[partition, new Map()]]), this.nowMs);
    }
  }

  /** The first documents are open on these gateways. */
  open(documents: number, gateways: readonly (typeof near)[]): this {
    for (let number = 0; number < documents; number++) for (const gateway of gateways) this.ask(documentName(number), gateway);
    return this;
  }

  /** Somebody joins on this gateway; gives the question's number. */
  ask(document: string, gateway: typeof near): number {
    this.#question += 1;
    const question = this.#question;
    const want = { kind: 'state-vector', stateVector: nothing } as const;
    this.core.hear({ kind: 'open', gateway, question, document, atLeast: 0, logIdentity: 'log', want, presence: [] }, this.nowMs);
    for (const load of this.#loads.splice(0)) load();
    return question;
  }

  /** The log brings these records, a millisecond after the last. */
  take(records: readonly Uint8Array[]): number {
    this.nowMs += 1;
    this.core.takeRecords(
      0,
      records.map((bytes) => ({ position: ++this.#position, atMs: this.nowMs, bytes })),
      this.nowMs,
    );
    return this.bytesOut;
  }
}

/** Entries as the gateway `near` would write them in one tick. */
export function recordOf(entries: readonly PendingEntry[]): Uint8Array {
  return [...new RecordPacker('near/1').recordsFrom(entries, mib)][0]!.bytes;
}

/** One update for each of so many documents. */
export function entriesOf(documents: number, update: (number: number) => Uint8Array): PendingEntry[] {
  return Array.from({ length: documents }, (_, number) => {
    const document = documentName(number);
    return { document, partition: partitionOfDocument(document), update: update(number) };
  });
}
