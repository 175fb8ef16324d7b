import type { Snapshot, TailRow } from '@weft/store';
import { DeleteSet, deletesOf, scanUpdate, splitUpdate } from '@weft/updates';
import * as Y from 'yjs';

/** Of a piece of the new snapshot. */
export const PIECE_BYTES = 256 << 10;
/** Bad updates one compaction takes out; every one found costs applying the document again. */
export const BAD_MAX = 32;

export interface CompactionInput {
  readonly pieces: readonly Uint8Array[];
  readonly tail: readonly TailRow[];
}

export interface CompactionResult {
  readonly snapshot: Omit<Snapshot, 'version'>;
  /** What of the tail throws when applied: whole rows or the smallest parts of them that do. It is not in the snapshot. */
  readonly bad: readonly BadUpdate[];
}

export interface BadUpdate {
  readonly update: Uint8Array;
  readonly reason: string;
}

/** The result would miss something that went in. It is not written; snapshot and tail stay as they are. */
export class CompactionLossy extends Error {
  override readonly name = 'CompactionLossy';
}

/**
 * Applies snapshot and tail to a Y.Doc with garbage collection and cuts it into pieces. Structs and deletes that wait for what has not come are kept:
 * `encodeStateAsUpdate` carries them. For a worker thread: a large document takes seconds and many times its bytes.
 */
export function compactDocument({ pieces, tail }: CompactionInput): CompactionResult {
  const bad: BadUpdate[] = [];
  let updates: readonly TailUpdate[] = tail.map(({ update }) => ({ update, whole: true }));
  let tried = apply(pieces, updates);
  while (tried.kind === 'threw') {
    if (bad.length >= BAD_MAX) throw new Error(`more than ${BAD_MAX} updates cannot be applied, the last one: ${tried.reason}`);
    const { at, reason } = tried;
    const parts = partsOf(updates[at]);
    if (parts.length === 1) bad.push(...parts.map(({ update }) => ({ update, reason })));
    updates = updates.toSpliced(at, 1, ...(parts.length === 1 ? [] : parts));
    tried = apply(pieces, updates);
  }
  const { doc } = tried;
  const made = splitUpdate(Y.encodeStateAsUpdate(doc), PIECE_BYTES);
  const snapshot = { pieces: made, stateVector: Y.encodeStateVector(doc), deletes: deletesOf(made) };
  doc.destroy();
  assertLossless([...pieces, ...updates.map(({ update }) => update)], made);
  return { snapshot, bad };
}

interface TailUpdate {
  readonly update: Uint8Array;
  /** A row as it was flushed: a second of everybody's edits. Of a bad one only the part that is bad shall go. */
  readonly whole: boolean;
}

function partsOf(one: TailUpdate | undefined): readonly TailUpdate[] {
  if (one === undefined) return [];
  return one.whole ? splitUpdate(one.update, 1).map((update) => ({ update, whole: false })) : [one];
}

type Tried = { readonly kind: 'applied'; readonly doc: Y.Doc } | { readonly kind: 'threw'; readonly at: number; readonly reason: string };

/**
 * The snapshot in one transaction: what Yjs does at the end of each would cost three times the rest. The tail in one each, as every reader
 * does it: in a common one some updates do not throw that throw there. A Y.Doc that threw half way through is in no known state: whoever tries
 * again starts with a new one. A snapshot that throws is not caught: nothing may be taken out of it.
 */
function apply(pieces: readonly Uint8Array[], updates: readonly TailUpdate[]): Tried {
  const doc = new Y.Doc({ gc: true });
  doc.transact(() => {
    for (const piece of pieces) Y.applyUpdate(doc, piece);
  });
  for (const [at, { update }] of updates.entries()) {
    try {
      Y.applyUpdate(doc, update);
    } catch (error) {
      doc.destroy();
      return { kind: 'threw', at, reason: `the update cannot be applied: ${error instanceof Error ? error.message : String(error)}` };
    }
  }
  return { kind: 'applied', doc };
}

/** Every struct's clock and every delete that went in has come out: the one property a compaction must not break, checked on bytes, without Yjs. */
export function assertLossless(before: readonly Uint8Array[], after: readonly Uint8Array[]): void {
  const held = rangesOf(after);
  for (const [client, ranges] of rangesOf(before)) {
    const missing = firstNotCovered(ranges, held.get(client) ?? []);
    if (missing !== undefined)
      throw new CompactionLossy(`the compaction would lose clocks ${missing[0]} to ${missing[1]} of client ${client}`);
  }
  const deletes = DeleteSet.ofUpdate(deletesOf(after));
  if (!deletes.contains(DeleteSet.ofUpdate(deletesOf(before)))) throw new CompactionLossy('the compaction would lose deletes');
}

type Ranges = readonly (readonly [from: number, to: number])[];

/** Both ascending and joined, so each range lies in one of `by` or in none. */
function firstNotCovered(ranges: Ranges, by: Ranges): Ranges[number] | undefined {
  let at = 0;
  return ranges.find(([from, to]) => {
    while ((by[at]?.[1] ?? Infinity) < to) at += 1;
    return !((by[at]?.[0] ?? Infinity) <= from);
  });
}

/** Per client, ranges that touch joined. */
function rangesOf(updates: readonly Uint8Array[]): ReadonlyMap<number, Ranges> {
  const found = new Map<number, [number, number][]>();
  for (const update of updates) {
    for (const { client, from, to } of scanUpdate(update).ranges) {
      const ranges = found.get(client);
      if (ranges === undefined) found.set(client, [[from, to]]);
      else ranges.push([from, to]);
    }
  }
  return new Map([...found].map(([client, ranges]) => [client, joinedRanges(ranges)]));
}

function joinedRanges(ranges: readonly [number, number][]): Ranges {
  const joined: [number, number][] = [];
  for (const [from, to] of ranges.toSorted((a, b) => a[0] - b[0])) {
    const last = joined.at(-1);
    if (last !== undefined && from <= last[1]) last[1] = Math.max(last[1], to);
    else joined.push([from, to]);
  }
  return joined;
}
