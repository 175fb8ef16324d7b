import { ByteWriter } from './byte-writer.ts';
import { DeleteSet } from './delete-set.ts';
import { readRuns, type Run } from './run.ts';
import { EMPTY_UPDATE } from './scan-update.ts';
import { SectionWriter } from './section-writer.ts';
import { UpdateReader } from './update-reader.ts';

/**
 * One update (V1) that brings what all of them bring, in any order, doubles and holes included. One update is given back as it is.
 * Throws `MalformedUpdate`.
 *
 * Works on bytes and in one pass, so its cost grows with what goes in (`Y.mergeUpdates` is quadratic in the number of updates and builds an object
 * a struct): stretches of structs that nobody else brings are copied whole, doubles are left out, overlaps cut. Text that goes on where
 * another update's text ended becomes one struct, as in a Yjs document: a minute's typing shrinks to its letters.
 */
export function mergeUpdatesInTree(updates: readonly Uint8Array[]): Uint8Array {
  if (updates.length === 0) return EMPTY_UPDATE;
  if (updates.length === 1) return updates[0]!;
  const runs: Run[] = [];
  const deletes = new DeleteSet();
  let bytes = 0;
  for (const update of updates) {
    const reader = new UpdateReader(update);
    readRuns(reader, runs);
    deletes.read(reader);
    reader.end();
    bytes += update.length;
  }
  // The longer of two that start together first: the other is then covered.
  runs.sort((a, b) => b.client - a.client || a.from - b.from || b.to - a.to);
  return writeMerged(runs, deletes, bytes);
}

function writeMerged(runs: readonly Run[], deletes: DeleteSet, bytes: number): Uint8Array {
  const sections: {
    readonly client: number;
    readonly clock: number;
    readonly structs: number;
    readonly from: number;
    readonly to: number;
  }[] = [];
  const body = new ByteWriter(bytes);
  let at = 0;
  while (at < runs.length) {
    const { client, from: clock } = runs[at]!;
    const from = body.length;
    const section = new SectionWriter(body, client, clock);
    for (; at < runs.length && runs[at]!.client === client; at++) section.add(runs[at]!);
    section.finish();
    sections.push({ client, clock, structs: section.structs, from, to: body.length });
  }
  const merged = new ByteWriter(body.length + sections.length * SECTION_HEAD_BYTES + 16);
  merged.varUint(sections.length);
  const written = body.view();
  for (const section of sections) {
    merged.varUint(section.structs);
    merged.varUint(section.client);
    merged.varUint(section.clock);
    merged.copy(written, section.from, section.to);
  }
  deletes.write(merged);
  return merged.take();
}

const SECTION_HEAD_BYTES = 20;
