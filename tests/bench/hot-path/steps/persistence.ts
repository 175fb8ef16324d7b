import { Combiner, mergeDocument } from '../built.ts';
import { typing } from '../material.ts';
import type { Step } from '../step.ts';
import { entriesOf, recordOf } from '../worker-house.ts';

const updates = 1_000;

/** A flush window: records of one letter for each document, read, checked, sorted by document and merged. */
function combined(documents: number): Step {
  const turns = updates / documents;
  return {
    name: `persistence: combine ${updates.toLocaleString('en')} updates of ${documents} documents into rows`,
    operations: updates,
    prepare: () => {
      const typed = typing(turns);
      const records = typed.map((update) => recordOf(entriesOf(documents, () => update)));
      const combiner = new Combiner({ slice: 0, floorPosition: 0, onDropped: () => {} });
      let position = 0;
      return () => {
        for (const bytes of records) combiner.add({ position: ++position, atMs: position, bytes });
        let rows = 0;
        for (const of of combiner.take()!.documents.values()) rows += mergeDocument(of).rows.length;
        return rows;
      };
    },
  };
}

export const persistenceSteps: readonly Step[] = [combined(1), combined(50)];
