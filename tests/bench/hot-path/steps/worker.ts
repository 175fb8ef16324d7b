import { decodeToGateway, encodeToGateway, type Relay } from '@weft/protocol';
import { documentName, once, sizes, typing } from '../material.ts';
import type { Step } from '../step.ts';
import { entriesOf, far, near, recordOf, WorkerHouse } from '../worker-house.ts';

const typed = once(() => typing(4_096));

/** Records that differ, so that what the tails merge is real: each bears the next letter for each of so many documents. */
function recordsOf(documents: number, count: number): Uint8Array[] {
  return Array.from({ length: count }, (_, turn) => recordOf(entriesOf(documents, () => typed()[turn]!)));
}

function relayed(what: string, documents: number, house: () => WorkerHouse): Step {
  return {
    name: `worker: record of ${documents} to relay, ${what}`,
    operations: documents,
    prepare: () => {
      const worker = house();
      const records = recordsOf(documents, documents === 1 ? 4_096 : 512);
      let next = 0;
      return () => {
        next = (next + 1) % records.length;
        return worker.take([records[next]!]);
      };
    },
  };
}

function relay(documents: number, update: Uint8Array): Relay {
  return {
    kind: 'relay',
    worker: { id: 'sync-worker-0', incarnation: '1a2b3c4d5e6f' },
    slice: 0,
    logIdentity: '1a2b3c4d5e6f1a2b',
    link: 1,
    sequence: 100_000,
    from: 1_000_000,
    to: 1_000_001,
    documents: Array.from({ length: documents }, (_, number) => ({ document: documentName(number), update })),
    released: [],
  };
}

function envelopes(documents: number, size: keyof typeof sizes): Step[] {
  const message = relay(documents, sizes[size]);
  return [
    { name: `envelope: encode a relay of ${documents}, ${size}`, operations: documents, prepare: () => () => encodeToGateway(message) },
    {
      name: `envelope: decode a relay of ${documents}, ${size}`,
      operations: documents,
      prepare: () => {
        const bytes = encodeToGateway(message).slice();
        return () => decodeToGateway(bytes);
      },
    },
  ];
}

export const workerSteps: readonly Step[] = [
  relayed('open on another gateway', 1, () => new WorkerHouse().open(1_000, [near, far])),
  relayed('open on nobody but its writer', 1, () => new WorkerHouse().open(1_000, [near])),
  relayed('open on another gateway', 100, () => new WorkerHouse().open(1_000, [near, far])),
  relayed('open nowhere', 100, () => new WorkerHouse()),
  relayed('owned by others', 100, () => new WorkerHouse(undefined, () => false)),
  {
    name: 'worker: 64 updates of one document in 64 records, relayed merged',
    operations: 64,
    prepare: () => {
      const worker = new WorkerHouse().open(1, [near, far]);
      const records = recordsOf(1, 4_096);
      let next = 0;
      return () => {
        const from = next;
        next = (next + 64) % records.length;
        return worker.take(records.slice(from, from + 64));
      };
    },
  },
  {
    name: 'worker: a tick with 1,000 documents open at rest',
    prepare: () => {
      const worker = new WorkerHouse().open(1_000, [near]);
      // Every tick a second later: each looks the documents over.
      return () => {
        worker.nowMs += 1_001;
        worker.core.hear({ kind: 'keep-alive', gateway: near }, worker.nowMs);
        worker.core.tick(worker.nowMs);
      };
    },
  },
  ...envelopes(1, 'typing 25 B'),
  ...envelopes(100, 'typing 25 B'),
  ...envelopes(1, 'paste 100 kB'),
];
