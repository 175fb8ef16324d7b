import { ByteWriter } from './byte-writer.ts';
import { checkSectionOrder, readDeletes } from './scan-update.ts';
import { UpdateReader } from './update-reader.ts';

/** Ranges of one client, flat: [from, to, from, to, …], ascending, neither overlapping nor touching. */
type Ranges = number[];

/**
 * What is deleted, as clock ranges a client: two numbers a range. Adding is idempotent and does not mind the order.
 */
export class DeleteSet {
  private readonly clients = new Map<number, Ranges>();

  /** The delete set of one update (V1). Throws `MalformedUpdate`. */
  static ofUpdate(update: Uint8Array): DeleteSet {
    const set = new DeleteSet();
    set.add(update);
    return set;
  }

  get isEmpty(): boolean {
    return this.clients.size === 0;
  }

  /** Adds what `update` deletes. Throws `MalformedUpdate`, having added nothing. */
  add(update: Uint8Array): void {
    const reader = readerAtDeletes(update);
    const added = new DeleteSet();
    added.read(reader);
    reader.end();
    this.addAll(added);
  }

  /** Adds the delete set `reader` stands at. */
  read(reader: UpdateReader): void {
    readDeletes(reader, this);
  }

  addRange(client: number, from: number, to: number): void {
    const ranges = this.clients.get(client);
    if (ranges === undefined) this.clients.set(client, [from, to]);
    else joinRange(ranges, from, to);
  }

  addAll(other: DeleteSet): void {
    for (const [client, ranges] of other.clients) {
      const own = this.clients.get(client);
      if (own === undefined) this.clients.set(client, ranges.slice());
      else if (ranges.length <= SPLICE_RANGES_MAX * 2) addEach(own, ranges);
      else this.clients.set(client, union(own, ranges));
    }
  }

  /** Whether everything deleted in `other` is deleted here too. */
  contains(other: DeleteSet): boolean {
    for (const [client, ranges] of other.clients) {
      const own = this.clients.get(client);
      if (own === undefined) return false;
      for (let i = 0; i < ranges.length; i += 2) {
        const at = firstEndingAfter(own, ranges[i]!);
        if (at === own.length || own[at]! > ranges[i]! || own[at + 1]! < ranges[i + 1]!) return false;
      }
    }
    return true;
  }

  /** An update (V1) with no structs and this delete set. */
  toUpdate(): Uint8Array {
    const writer = new ByteWriter();
    writer.varUint(0);
    this.write(writer);
    return writer.take();
  }

  /** Writes the delete set as it stands at the end of an update: clients descending, as Yjs does. */
  write(writer: ByteWriter): void {
    writer.varUint(this.clients.size);
    if (this.isEmpty) return;
    for (const client of this.clientsDescending()) {
      const ranges = this.clients.get(client)!;
      writer.varUint(client);
      writer.varUint(ranges.length / 2);
      writeRanges(writer, ranges, 0, ranges.length);
    }
  }

  /** Updates (V1) with only deletes, each of about `bytesTarget`, together this set. None for an empty set. */
  toUpdates(bytesTarget: number): Uint8Array[] {
    const updates: Uint8Array[] = [];
    let part = new DeleteSet();
    let bytes = 0;
    for (const client of this.clientsDescending()) {
      const ranges = this.clients.get(client)!;
      for (let i = 0; i < ranges.length; i += RANGES_A_STEP * 2) {
        const step = ranges.slice(i, i + RANGES_A_STEP * 2);
        const own = part.clients.get(client);
        if (own === undefined) part.clients.set(client, step);
        else for (const bound of step) own.push(bound);
        bytes += step.length * RANGE_BOUND_BYTES + CLIENT_BYTES;
        if (bytes >= bytesTarget) {
          updates.push(part.toUpdate());
          part = new DeleteSet();
          bytes = 0;
        }
      }
    }
    if (!part.isEmpty) updates.push(part.toUpdate());
    return updates;
  }

  private clientsDescending(): number[] {
    return [...this.clients.keys()].sort((a, b) => b - a);
  }
}

/** What all `updates` delete, as one update (V1) with no structs. Throws `MalformedUpdate`. */
export function deletesOf(updates: readonly Uint8Array[]): Uint8Array {
  const all = new DeleteSet();
  for (const update of updates) all.add(update);
  return all.toUpdate();
}

/** Up to so many ranges are spliced in one by one; more are merged in one pass. */
const SPLICE_RANGES_MAX = 16;
/** How finely `toUpdates` cuts, and its estimate of the bytes of a clock and a client's head. */
const RANGES_A_STEP = 64;
const RANGE_BOUND_BYTES = 3;
const CLIENT_BYTES = 7;

function readerAtDeletes(update: Uint8Array): UpdateReader {
  const reader = new UpdateReader(update);
  const sections = reader.varUint();
  let lastClient = Infinity;
  for (let i = 0; i < sections; i++) {
    const at = reader.pos;
    const structs = reader.sectionHead();
    checkSectionOrder(reader.client, lastClient, at);
    lastClient = reader.client;
    for (let j = 0; j < structs; j++) {
      reader.struct();
      reader.clock += reader.length;
    }
  }
  return reader;
}

function writeRanges(writer: ByteWriter, ranges: Ranges, start: number, end: number): void {
  for (let i = start; i < end; i += 2) {
    writer.varUint(ranges[i]!);
    writer.varUint(ranges[i + 1]! - ranges[i]!);
  }
}

/** Index of the first range whose end is at or after `clock` + 1, or `ranges.length`. */
function firstEndingAfter(ranges: Ranges, clock: number): number {
  return firstWithEnd(ranges, clock + 1);
}

/** Index of the first range that ends at `end` or later. */
function firstWithEnd(ranges: Ranges, end: number): number {
  let low = 0;
  let high = ranges.length / 2;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (ranges[middle * 2 + 1]! < end) low = middle + 1;
    else high = middle;
  }
  return low * 2;
}

function addEach(ranges: Ranges, added: Ranges): void {
  for (let i = 0; i < added.length; i += 2) joinRange(ranges, added[i]!, added[i + 1]!);
}

/** Adds one range in place, joining what it overlaps or touches. Most come at the end. */
function joinRange(ranges: Ranges, from: number, to: number): void {
  if (ranges.length > 0 && from > ranges[ranges.length - 1]!) {
    ranges.push(from, to);
    return;
  }
  const first = firstWithEnd(ranges, from);
  let after = first;
  let joinedFrom = from;
  let joinedTo = to;
  while (after < ranges.length && ranges[after]! <= to) {
    joinedFrom = Math.min(joinedFrom, ranges[after]!);
    joinedTo = Math.max(joinedTo, ranges[after + 1]!);
    after += 2;
  }
  if (after - first === 2) {
    ranges[first] = joinedFrom;
    ranges[first + 1] = joinedTo;
  } else {
    ranges.splice(first, after - first, joinedFrom, joinedTo);
  }
}

function union(a: Ranges, b: Ranges): Ranges {
  const joined: Ranges = [];
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    const takeA = j >= b.length || (i < a.length && a[i]! <= b[j]!);
    const from = takeA ? a[i]! : b[j]!;
    const to = takeA ? a[i + 1]! : b[j + 1]!;
    if (takeA) i += 2;
    else j += 2;
    const last = joined.length - 1;
    if (last >= 0 && from <= joined[last]!) joined[last] = Math.max(joined[last]!, to);
    else joined.push(from, to);
  }
  return joined;
}
