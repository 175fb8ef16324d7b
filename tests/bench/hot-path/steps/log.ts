import { mergeUpdatesInTree } from '@weft/updates';
import { forEachEntry, RecordPacker, RecordReader } from '@weft/wal';
import * as Y from 'yjs';
import { once, paste, sizes, typing } from '../material.ts';
import type { Step } from '../step.ts';
import { entriesOf, recordOf } from '../worker-house.ts';

const typed = once(() => typing(1_000));
const mib = 1024 * 1024;
const largePaste = once(() => paste(4_000_000));

function packed(updates: number, size: string, update: (number: number) => Uint8Array): Step {
  return {
    name: `pack: a record of ${updates.toLocaleString('en')} updates, ${size}`,
    operations: updates,
    prepare: () => {
      const packer = new RecordPacker('gateway-0/1a2b3c4d5e6f');
      const entries = entriesOf(updates, update);
      return () => {
        let bytes = 0;
        for (const record of packer.recordsFrom(entries, mib)) bytes += record.bytes.byteLength;
        return bytes;
      };
    },
  };
}

function merged(what: string, merge: (updates: Uint8Array[]) => Uint8Array, count: number): Step {
  return {
    name: `merge: ${what}, ${count.toLocaleString('en')} typing updates of one person`,
    operations: count,
    prepare: () => {
      const updates = typed().slice(0, count);
      return () => merge(updates);
    },
  };
}

/** Each in turn, as they come of people who type at the same time. */
function mergedOf(people: number, count: number): Step {
  return {
    name: `merge: ours, ${count} typing updates of ${people} people`,
    operations: count,
    prepare: () => {
      const each = Array.from({ length: people }, (_, i) => typing(Math.ceil(count / people), 1_000_000_000 + i));
      const updates = Array.from({ length: count }, (_, i) => each[i % people]![Math.floor(i / people)]!);
      return () => mergeUpdatesInTree(updates);
    },
  };
}

function read(what: string, wants: (partition: number) => boolean): Step {
  return {
    name: `record: read of 100 updates, ${what}`,
    operations: 100,
    prepare: () => {
      const bytes = recordOf(entriesOf(100, () => typed()[0]!));
      return () => {
        let sum = 0;
        forEachEntry(new RecordReader(bytes), wants, ({ payload }) => {
          if (payload.kind === 'update') sum += payload.update.slice().byteLength;
        });
        return sum;
      };
    },
  };
}

export const logSteps: readonly Step[] = [
  ...[1, 10, 100, 1_000].map((updates) => packed(updates, 'typing 25 B', (number) => typed()[number]!)),
  packed(10, 'paste 1 kB', () => sizes['paste 1 kB']),
  packed(1, 'paste 100 kB', () => sizes['paste 100 kB']),
  packed(1, 'paste 4 MB, in pieces', () => largePaste()),
  ...[2, 10, 100, 1_000].flatMap((count) => [merged('ours', mergeUpdatesInTree, count), merged('Y.mergeUpdates', Y.mergeUpdates, count)]),
  {
    name: 'merge: ours, a paste of 100 kB and a typing update',
    operations: 2,
    prepare: () => {
      const updates = [sizes['paste 100 kB'], typed()[0]!];
      return () => mergeUpdatesInTree(updates);
    },
  },
  mergedOf(3, 12),
  mergedOf(10, 100),
  read('none of its partitions owned', () => false),
  read('a quarter of the partitions owned', (partition) => partition % 4 === 0),
  read('all owned', () => true),
];
