import { ByteWriter, varUintBytes } from './byte-writer.ts';
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
  const reader = new UpdateReader(EMPTY_UPDATE);
  const runs: Run[] = [];
  const deletes = new DeleteSet();
  let bytes = 0;
  for (const update of updates) {
    reader.reset(update);
    readRuns(reader, runs);
    deletes.read(reader);
    reader.end();
    bytes += update.length;
  }
  if (!areInOrder(runs)) runs.sort(byOrder);
  return writeMerged(reader, runs, deletes, bytes);
}

/** Clients descend, clocks ascend. The longer of two that start together first: the other is then covered. */
function byOrder(a: Run, b: Run): number {
  return b.client - a.client || a.from - b.from || b.to - a.to;
}

/** As one person's typing mostly is. */
function areInOrder(runs: readonly Run[]): boolean {
  for (let i = 1; i < runs.length; i++) if (byOrder(runs[i - 1]!, runs[i]!) > 0) return false;
  return true;
}

interface Section {
  readonly client: number;
  readonly clock: number;
  readonly structs: number;
  /** Its structs are bytes [from, to) of what is written. */
  readonly from: number;
  readonly to: number;
}

const SCRATCH_BYTES = 64 * 1024;
/** Where small merges are written before their size is known. One for all: no merge starts another. */
const scratch = new ByteWriter(SCRATCH_BYTES);

function writeMerged(reader: UpdateReader, runs: readonly Run[], deletes: DeleteSet, bytes: number): Uint8Array {
  const body = bytes <= SCRATCH_BYTES ? scratch : new ByteWriter(bytes);
  body.clear();
  const sections: Section[] = [];
  let headBytes = 0;
  let at = 0;
  while (at < runs.length) {
    const { client, from: clock } = runs[at]!;
    const from = body.length;
    const section = new SectionWriter(body, reader, client, clock);
    for (; at < runs.length && runs[at]!.client === client; at++) section.add(runs[at]!);
    section.finish();
    headBytes += varUintBytes(section.structs) + varUintBytes(client) + varUintBytes(clock);
    sections.push({ client, clock, structs: section.structs, from, to: body.length });
  }
  const deletesAt = body.length;
  deletes.write(body);
  const merged = new ByteWriter(varUintBytes(sections.length) + headBytes + body.length);
  const written = body.view();
  merged.varUint(sections.length);
  for (const section of sections) {
    merged.varUint(section.structs);
    merged.varUint(section.client);
    merged.varUint(section.clock);
    merged.copy(written, section.from, section.to);
  }
  merged.copy(written, deletesAt);
  return merged.take();
}
