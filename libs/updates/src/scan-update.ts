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
  const reader = new UpdateReader(update);
  const ranges: ClockRange[] = [];
  const sections = reader.varUint();
  let lastClient = Infinity;
  for (let i = 0; i < sections; i++) {
    lastClient = scanSection(reader, lastClient, ranges);
  }
  const deletes = scanDeletes(reader);
  reader.end();
  return { ranges, deletes };
}

/** Whether the update changes nothing. False, too, for bytes that are no update. */
export function isEmptyUpdate(update: Uint8Array): boolean {
  return update.length === 2 && update[0] === 0 && update[1] === 0;
}

function scanSection(reader: UpdateReader, lastClient: number, ranges: ClockRange[]): number {
  const at = reader.pos;
  const structs = reader.sectionHead();
  const client = reader.client;
  checkSectionOrder(client, lastClient, at);
  let from = reader.clock;
  for (let j = 0; j < structs; j++) {
    reader.struct();
    if (reader.info === SKIP) {
      if (reader.clock > from) ranges.push({ client, from, to: reader.clock });
      from = reader.clock + reader.length;
    }
    reader.clock += reader.length;
  }
  if (reader.clock > from) ranges.push({ client, from, to: reader.clock });
  return client;
}

/**
 * Every Yjs since 13.0 (and yrs) writes clients in descending order, each once. Applying an update with a client twice loses the first
 * part, and mergeUpdates makes exactly such updates out of unordered ones.
 */
export function checkSectionOrder(client: number, lastClient: number, at: number): void {
  if (client >= lastClient) throw new MalformedUpdate(`client ${client} after ${lastClient}: clients must descend`, at);
}

function scanDeletes(reader: UpdateReader): boolean {
  let any = false;
  readDeletes(reader, () => {
    any = true;
  });
  return any;
}

/**
 * Reads a delete set; `visit` gets each range, of a client ascending and not overlapping. A client comes once, in any order (yrs does not sort).
 */
export function readDeletes(reader: UpdateReader, visit: (client: number, from: number, to: number) => void): void {
  const clients = reader.varUint();
  const seen = clients > 1 ? new Set<number>() : undefined;
  for (let i = 0; i < clients; i++) {
    const at = reader.pos;
    const client = reader.varUint();
    if (seen?.has(client) === true) reader.fail(`client ${client} twice in the delete set`, at);
    seen?.add(client);
    const ranges = reader.varUint();
    let end = 0;
    for (let j = 0; j < ranges; j++) end = readDeletedRange(reader, client, end, visit);
  }
}

/** Yjs keeps deletes that must wait in a form that knows only ascending ranges that are not empty: others corrupt or throw there. */
function readDeletedRange(
  reader: UpdateReader,
  client: number,
  end: number,
  visit: (client: number, from: number, to: number) => void,
): number {
  const at = reader.pos;
  const from = reader.clockValue();
  const length = reader.varUint();
  if (length === 0) reader.fail('an empty range in the delete set', at);
  if (from < end) reader.fail('ranges of the delete set out of order or overlapping', at);
  if (from + length > CLOCK_MAX) reader.fail(`a clock above ${CLOCK_MAX}`, at);
  visit(client, from, from + length);
  return from + length;
}
