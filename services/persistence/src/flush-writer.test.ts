import { systemClock } from '@weft/lifecycle';
import type { DocumentStore, Flush, StoredFloor } from '@weft/store';
import { createLogger } from '@weft/telemetry';
import { describe, expect, test } from 'vitest';
import type { Batch } from './combiner.ts';
import { FlushWriter } from './flush-writer.ts';
import { typist } from './typist.test-data.ts';

const identity = 'log-1';
const logger = createLogger({ service: 'test', level: 'silent' });

/** As commitFlush is specified: rows and floor at once, or neither. */
class FloorAndRows implements Pick<DocumentStore, 'commitFlush'> {
  floor: StoredFloor = { identity, position: 0 };
  rows = 0;

  commitFlush({ fromPosition, toPosition, documents }: Flush): ReturnType<DocumentStore['commitFlush']> {
    if (fromPosition !== this.floor.position) return Promise.resolve({ committed: false, floor: this.floor });
    this.floor = { identity, position: toPosition };
    this.rows += documents.length;
    return Promise.resolve({ committed: true });
  }
}

const writerOn = (store: FloorAndRows) =>
  new FlushWriter({ identity, position: 0 }, { slice: 0, store, clock: systemClock, logger, signal: new AbortController().signal });

/** Read to `readPosition`; an unfinished update holds the floor. */
const batch = (floorPosition: number, readPosition: number): Batch => ({
  floorPosition,
  readPosition,
  documents: new Map([['plan', [typist().type()]]]),
  quarantined: [],
  updates: 1,
  bytes: 10,
  oldestAtMs: 0,
});

describe('[PE19] when another persistence was faster', () => {
  test('and exactly as far, nothing is written again', async () => {
    const store = new FloorAndRows();
    const writer = writerOn(store);
    await writerOn(store).write(batch(5, 5));
    expect(await writer.write(batch(5, 5))).toMatchObject({ kind: 'committed', floor: { position: 5 } });
    expect(store.rows).toBe(1);
  });

  test('and had not read what we have from above its floor, that is written', async () => {
    const store = new FloorAndRows();
    const writer = writerOn(store);
    await writerOn(store).write(batch(5, 5));
    expect(await writer.write(batch(5, 9))).toMatchObject({ kind: 'committed', floor: { position: 5 } });
    expect(store).toMatchObject({ rows: 2, floor: { position: 5 } });
  });

  test('and went further, ours is read again from there', async () => {
    const store = new FloorAndRows();
    const writer = writerOn(store);
    await writerOn(store).write(batch(7, 7));
    expect(await writer.write(batch(5, 9))).toEqual({ kind: 'overtaken', stored: { identity, position: 7 } });
  });
});
