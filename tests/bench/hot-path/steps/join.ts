import { decodeToGateway, encodeToGateway, frameUpdates } from '@weft/protocol';
import type { StoredDocument } from '@weft/store';
import { DeleteSet, scanUpdate, splitUpdate, stateVectorOf } from '@weft/updates';
import { GatewayHouse } from '../gateway-house.ts';
import { collabStep1, documentName, documentOf, once, typing } from '../material.ts';
import type { Step } from '../step.ts';
import { entriesOf, far, near, recordOf, WorkerHouse } from '../worker-house.ts';

const nothing = Uint8Array.of(0);
const chunkBytes = 256 * 1024;
const sizes = { '25 kB': 25_000, '10 MB': 10_000_000 };

function storedOf(bytes: number): StoredDocument {
  const document = documentOf(bytes);
  const pieces = splitUpdate(document, chunkBytes);
  const stateVector = stateVectorOf([document]);
  const deletes = DeleteSet.ofUpdate(document).toUpdates(chunkBytes)[0] ?? Uint8Array.of(0, 0);
  return { snapshot: { version: 1, pieces, stateVector, deletes }, tail: [], floor: { identity: 'log', position: 1 } };
}

/** The answer to one question, and all that is fetched after it. */
function answerWhole(worker: WorkerHouse): number {
  const question = worker.ask(documentName(0), far);
  const { last } = worker;
  if (last?.kind !== 'answer') throw new Error(`an answer is expected, there was ${last?.kind}`);
  for (let offset = last.bytes.byteLength; offset < last.totalBytes; offset += chunkBytes)
    worker.core.hear({ kind: 'fetch', gateway: far, question, offset, bytesMax: chunkBytes }, worker.nowMs);
  return worker.bytesOut;
}

function workerAnswers([size, bytes]: readonly [string, number]): Step[] {
  return [
    {
      name: `join: the worker answers, ${size}, nobody typing`,
      prepare: () => {
        const worker = new WorkerHouse(storedOf(bytes)).open(1, [near]);
        worker.take([recordOf(entriesOf(1, () => typed()[0]!))]);
        return () => answerWhole(worker);
      },
    },
    {
      name: `join: the worker answers, ${size}, an update before each`,
      prepare: () => {
        const worker = new WorkerHouse(storedOf(bytes)).open(1, [near]);
        const records = typed().map((update) => recordOf(entriesOf(1, () => update)));
        let next = 0;
        return () => {
          next = (next + 1) % records.length;
          worker.take([records[next]!]);
          return answerWhole(worker);
        };
      },
    },
  ];
}

/** Step1 from a client that is in already, which asks again; the worker's answer is decoded as it comes. */
function gatewayAnswers([size, bytes]: readonly [string, number]): Step {
  return {
    name: `join: the gateway asks, takes the answer and sends it, ${size}`,
    prepare: async () => {
      const house = await GatewayHouse.open(1, 1);
      const framed = frameUpdates([...storedOf(bytes).snapshot.pieces, typed()[0]!]);
      house.onOpen = (question) => house.later(() => house.answer(question, framed.subarray(0, 1_000_000), framed.byteLength));
      house.onFetch = (question, offset, bytesMax) =>
        house.later(() => {
          const chunk = framed.subarray(offset, offset + bytesMax);
          const message = { kind: 'answer-bytes', worker: { id: 'w', incarnation: '1' }, question, offset, bytes: chunk } as const;
          house.hear(encodeToGateway(message).slice());
        });
      const step1 = collabStep1(documentName(0), nothing);
      const member = house.members[0]![0]!;
      return () => {
        member.frame(step1, true);
        house.endTick();
        return house.bytesOut;
      };
    },
  };
}

function opened([size, bytes]: readonly [string, number]): Step {
  return {
    name: `join: the worker opens what the store gave, ${size}`,
    prepare: () => {
      const stored = storedOf(bytes);
      return () => new WorkerHouse(stored, (partition) => partition === owned).open(1, [near]);
    },
  };
}

const typed = once(() => typing(4_096));
const owned = entriesOf(1, () => nothing)[0]!.partition;

export const joinSteps: readonly Step[] = [
  ...Object.entries(sizes).flatMap((size) => [...workerAnswers(size), gatewayAnswers(size), opened(size)]),
  {
    name: 'join: scan of a 10 MB document',
    prepare: () => {
      const document = documentOf(sizes['10 MB']);
      return () => scanUpdate(document);
    },
  },
  {
    name: 'join: decode of an answer of 1 MB',
    prepare: () => {
      const worker = new WorkerHouse(storedOf(sizes['10 MB'])).open(1, [near]);
      const bytes = encodeToGateway(worker.last!).slice();
      return () => decodeToGateway(bytes);
    },
  },
];
