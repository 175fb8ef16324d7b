import { type DocumentReader, StoreUnavailable } from '@weft/store';
import { createLogger } from '@weft/telemetry';
import { expect, test } from 'vitest';
import { DocumentLoader } from './document-loader.ts';
import { HeldDocument } from './held-document.ts';
import type { WorkerCore } from './worker-core.ts';

test('a few are read at once, a number wait, and beyond it a load fails at once, but not within the call', async () => {
  const asked: ((error: Error) => void)[] = [];
  // A store that hangs.
  const store = { loadDocument: () => new Promise((_, reject) => asked.push(reject)) } as unknown as DocumentReader;
  const failed: string[] = [];
  const core = {
    loadFailed: (_: number, held: HeldDocument, detail: string) => void failed.push(`${held.name}: ${detail}`),
  } as unknown as WorkerCore;
  const logger = createLogger({ service: 'test', level: 'error', stream: { write: () => {} } });
  const loader = new DocumentLoader(store, logger, new AbortController().signal, { atOnceMax: 2, waitingMax: 3, nowMs: () => 0 });
  for (let i = 1; i <= 7; i++) loader.load(core, 0, new HeldDocument(`d${i}`, 0));
  expect(asked.length).toBe(2);
  expect(failed).toEqual([]);
  await Promise.resolve();
  expect(failed).toEqual(['d6: too many documents wait to be read', 'd7: too many documents wait to be read']);

  asked[0]!(new StoreUnavailable('Postgres is away'));
  await expect.poll(() => asked.length).toBe(3);
  expect(failed[2]).toBe('d1: Postgres is away');
});
