import { decodeCollabFrame, decodeYFrame, workerSubject } from '@weft/protocol';
import { partitionOf, RingView, sliceOf } from '@weft/ring';
import { scanUpdate } from '@weft/updates';
import { collabUpdate, documentName, sizes, yUpdate } from '../material.ts';
import type { Step } from '../step.ts';

const limits = { awarenessEntriesMax: 5_000 };
const document = documentName(1);

export const decodeSteps: readonly Step[] = [
  ...Object.entries(sizes).flatMap(([size, update]): Step[] => [
    {
      name: `decode: collab frame, ${size}`,
      prepare: () => {
        const frame = collabUpdate(document, update);
        return () => decodeCollabFrame(frame, limits);
      },
    },
    {
      name: `decode: y frame, ${size}`,
      prepare: () => {
        const frame = yUpdate(update);
        return () => decodeYFrame(frame, limits);
      },
    },
  ]),
  ...Object.entries(sizes).map(([size, update]): Step => ({ name: `check: scanUpdate, ${size}`, prepare: () => () => scanUpdate(update) })),
  {
    name: 'route: name to partition, slice, owner and subject',
    prepare: () => {
      const ring = new RingView({ partitions: 128 });
      for (const id of ['w0', 'w1']) ring.hear({ role: 'worker', peer: { id, incarnation: '1' }, draining: false, load: 0 }, 0);
      ring.sweep(0);
      const owners = ring.owners();
      return () => {
        const partition = partitionOf(document, 128);
        return sliceOf(partition, 4) + workerSubject(owners[partition]!).length;
      };
    },
  },
];
