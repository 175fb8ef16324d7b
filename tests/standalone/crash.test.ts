import { temporaryFolder } from '@weft/testkit';
import { afterAll, beforeAll, expect, onTestFailed, test } from 'vitest';
import { printedSeed, randomFrom } from '../harness/random.ts';
import { CrashRounds } from './crash-rounds.ts';
import { StandaloneProcess } from './standalone-process.ts';

/** Issue 3, Shows 4. `npm run crash:standalone -- --rounds 100` goes on for longer. */
const frozenMs = 5_000;
let standalone: StandaloneProcess;
let crashes: CrashRounds;

beforeAll(async () => {
  standalone = await StandaloneProcess.plan(temporaryFolder('crash'));
  crashes = await CrashRounds.begin(standalone, randomFrom(printedSeed('crash of standalone')), { frozenMs });
});
afterAll(async () => {
  crashes?.leave();
  await standalone?.stop();
});

test.each(['standalone', 'postgres', 'frozen'] as const)(
  'standalone: a fresh client finds every acknowledged edit after a round of: %s',
  { timeout: 180_000 },
  async (blow) => {
    onTestFailed(() => console.error(standalone.logTail));
    const { acknowledged, lost } = await crashes.run(blow);
    expect(acknowledged).toBeGreaterThan(0);
    expect(lost).toEqual([]);
  },
);
