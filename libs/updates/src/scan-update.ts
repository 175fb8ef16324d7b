import { MalformedUpdate } from './malformed-update.ts';
import { CLOCK_MAX, SKIP, UpdateReader } from './update-reader.ts';

/** A run of structs of one client: clocks `from` (inclusive) to `to` (exclusive). */
export interface ClockRange {
  readonly client: number;
  readonly from: number;
  readonly to: number;
}

export interface UpdateScan {
  /** What the update brings. Skips are left out, so a client may have several. Clients descend, clocks of a client ascend. */
  readonly ranges: readonly ClockRange[];
  /** Whether its delete set names anything. */
  readonly deletes: boolean;
}

/** The update that changes nothing. */
export const EMPTY_UPDATE: Uint8Array = new Uint8Array([0, 0]);

/**
 * Checks that every Yjs client can apply `update` (V1), and says what it brings. Throws `MalformedUpdate`. Builds no document:
 * a typing update takes well under a microsecond. What it refuses and why: SPEC.md, rules US.
 */
export function scanUpdate(update: Uint8Array): UpdateScan {
  reader.reset(update);
  try {
    const ranges = scanSections();
    const deletes = readDeletes(reader);
    reader.end();
    return { ranges, deletes };
  } finally {
    // Nobody's update is kept from the collector by it.
    reader.reset(EMPTY_UPDATE);
  }
}

/** One for all scans: a scan calls nothing that could start another. */
const reader = new UpdateReader(EMPTY_UPDATE);

/** Whether the update changes nothing. False, too, for bytes that are no update. */
export function isEmptyUpdate(update: Uint8Array): boolean {
  return update.length === 2 && update[0] === 0 && update[1] === 0;
}

function scanSections(): readonly ClockRange[] {
  let ranges: ClockRange[] | undefined;
  const sections = reader.varUint();
  let lastClient = Infinity;
  for (let i = 0; i < sections; i++) {
    const at = reader.pos;
    const structs = reader.sectionHead();
    const client = reader.client;
    checkSectionOrder(client, lastClient, at);
    lastClient = client;
    let from = reader.clock;
    for (let j = 0; j < structs; j++) {
      reader.struct();
      if (reader.info === SKIP) {
        if (reader.clock > from) ranges = withRange(ranges, { client, from, to: reader.clock });
        from = reader.clock + reader.length;
      }
      reader.clock += reader.length;
    }
    if (reader.clock > from) ranges = withRange(ranges, { client, from, to: reader.clock });
  }
  return ranges ?? [];
}

/** A first `push` makes room for 17; most updates bring one range. */
function withRange(ranges: ClockRange[] | undefined, range: ClockRange): ClockRange[] {
  if (ranges === undefined) return [range];
  ranges.push(range);
  return ranges;
}

/**
 * Every Yjs since 13.0 (and yrs) writes clients in descending order, each once. Applying an update with a client twice loses the first
 * part, and mergeUpdates makes exactly such updates out of unordered ones.
 */
export function checkSectionOrder(client: number, lastClient: number, at: number): void {
  if (client >= lastClient) throw new MalformedUpdate(`client ${client} after ${lastClient}: clients must descend`, at);
}

/** Who takes the ranges of a delete set. */
export interface DeletedRanges {
  addRange(client: number, from: number, to: number): void;
}

/**
 * Reads a delete set; gives whether it names anything. `into` gets each range, of a client ascending and not overlapping.
 * A client comes once, in any order (yrs does not sort).
 */
export function readDeletes(reader: UpdateReader, into?: DeletedRanges): boolean {
  const clients = reader.varUint();
  const seen = clients > 1 ? new Set<number>() : undefined;
  let any = false;
  for (let i = 0; i < clients; i++) {
    const at = reader.pos;
    const client = reader.varUint();
    if (seen?.has(client) === true) reader.fail(`client ${client} twice in the delete set`, at);
    seen?.add(client);
    const ranges = reader.varUint();
    let end = 0;
    for (let j = 0; j < ranges; j++) end = readDeletedRange(reader, client, end, into);
    any ||= ranges > 0;
  }
  return any;
}

/** Yjs keeps deletes that must wait in a form that knows only ascending ranges that are not empty: others corrupt or throw there. */
function readDeletedRange(reader: UpdateReader, client: number, end: number, into: DeletedRanges | undefined): number {
  const at = reader.pos;
  const from = reader.clockValue();
  const length = reader.varUint();
  if (length === 0) reader.fail('an empty range in the delete set', at);
  if (from < end) reader.fail('ranges of the delete set out of order or overlapping', at);
  if (from + length > CLOCK_MAX) reader.fail(`a clock above ${CLOCK_MAX}`, at);
  into?.addRange(client, from, from + length);
  return from + length;
}
