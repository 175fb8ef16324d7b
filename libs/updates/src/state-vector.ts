import { ByteWriter } from './byte-writer.ts';
import { MalformedUpdate } from './malformed-update.ts';
import { type ClockRange, scanUpdate, type UpdateScan } from './scan-update.ts';
import { UpdateReader } from './update-reader.ts';

/** Client -> the clock it is known up to (exclusive). A client that is not in it stands at 0. */
export type StateVector = Map<number, number>;

export class MalformedStateVector extends Error {
  override readonly name = 'MalformedStateVector';
}

/** Decodes Yjs' V1 state vector: varUint n, n x (varUint client, varUint clock). Throws `MalformedStateVector`, also for trailing bytes. */
export function decodeStateVector(bytes: Uint8Array): StateVector {
  const reader = new UpdateReader(bytes);
  const stateVector: StateVector = new Map();
  try {
    const clients = reader.varUint();
    for (let i = 0; i < clients; i++) {
      const client = reader.varUint();
      stateVector.set(client, reader.clockValue());
    }
    reader.end();
  } catch (error) {
    if (!(error instanceof MalformedUpdate)) throw error;
    throw new MalformedStateVector(`not a Yjs state vector: ${error.reason}, at byte ${error.offset}`, { cause: error });
  }
  return stateVector;
}

/** Clients in descending order, as Yjs writes them: equal state vectors have equal bytes. */
export function encodeStateVector(stateVector: ReadonlyMap<number, number>): Uint8Array {
  const writer = new ByteWriter(8 + stateVector.size * 10);
  writer.varUint(stateVector.size);
  for (const [client, clock] of [...stateVector].sort((a, b) => b[0] - a[0])) {
    writer.varUint(client);
    writer.varUint(clock);
  }
  return writer.take();
}

/** Moves `stateVector` forward over the ranges that join up with it; one behind a hole does not count. */
export function advanceStateVector(stateVector: StateVector, scan: UpdateScan): void {
  for (const range of scan.ranges) {
    const known = stateVector.get(range.client) ?? 0;
    if (range.from <= known && range.to > known) stateVector.set(range.client, range.to);
  }
}

/** Whether someone at `stateVector` has all structs of the update (its deletes are another question). */
export function coversRanges(stateVector: ReadonlyMap<number, number>, scan: UpdateScan): boolean {
  return scan.ranges.every((range) => range.to <= (stateVector.get(range.client) ?? 0));
}

/**
 * The encoded state vector of updates taken together, in any order. Says of each client how far its structs reach without a hole.
 * Throws `MalformedUpdate`.
 */
export function stateVectorOf(updates: readonly Uint8Array[]): Uint8Array {
  const ranges: ClockRange[] = [];
  for (const update of updates) {
    for (const range of scanUpdate(update).ranges) ranges.push(range);
  }
  ranges.sort((a, b) => a.from - b.from);
  const stateVector: StateVector = new Map();
  advanceStateVector(stateVector, { ranges, deletes: false });
  return encodeStateVector(stateVector);
}
