import { expect, test } from 'vitest';
import { useDatabases } from './test-database.test-data.ts';

const newDatabase = useDatabases();
const MIB = 1 << 20;
const PIECE_BYTES = 256 << 10;
const PIECES = 200;

/** Memory outside the heap, highest of many looks while `work` goes on. */
async function peakBytes<T>(work: Promise<T>): Promise<{ result: T; peak: number }> {
  let peak = 0;
  const timer = setInterval(() => (peak = Math.max(peak, process.memoryUsage().arrayBuffers)), 2);
  try {
    return { result: await work, peak };
  } finally {
    clearInterval(timer);
  }
}

test('[ST11] 50 MB are written and read back with little more memory than themselves', { timeout: 30_000 }, async () => {
  const { store } = await newDatabase();
  await store.adoptFloor(0, { expected: undefined, floor: { identity: 'log', position: 0 } });
  const update = Uint8Array.of(1);
  await store.commitFlush({
    slice: 0,
    identity: 'log',
    fromPosition: 0,
    toPosition: 1,
    documents: [{ name: 'big', update }],
    quarantined: [],
  });
  const from = await store.loadForCompaction('big', { tailBytesMax: 1 });
  const pieces = Array.from({ length: PIECES }, (_, index) => new Uint8Array(PIECE_BYTES).fill(index));
  const snapshot = { pieces, stateVector: Uint8Array.of(0), deletes: Uint8Array.of(0, 0) };
  const consumedRowIds = from?.tail.map(({ id }) => id) ?? [];
  const documentId = from?.documentId ?? 0;
  await store.replaceWithSnapshot({ documentId, expectedVersion: 0, consumedRowIds, snapshot, quarantined: [] });

  const before = process.memoryUsage().arrayBuffers;
  const { result, peak } = await peakBytes(store.loadDocument('big', 0));
  expect(result.snapshot.pieces.map((piece) => [piece.length, piece[0], piece.at(-1)])).toEqual(
    pieces.map((piece) => [PIECE_BYTES, piece[0], piece.at(-1)]),
  );
  // What V8 has not collected of the receive buffers yet counts too.
  expect(peak - before).toBeLessThan(PIECES * PIECE_BYTES + 32 * MIB);
});
