import { Database } from '@weft/store';
import { afterAll, beforeAll, expect, onTestFailed, test } from 'vitest';
import { printedSeed } from '../harness/random.ts';
import { ChaosRun } from './chaos-run.ts';
import type { Patience } from './checker.ts';
import { lostIn, reportOf } from './report.ts';
import type { Notes } from './typist.ts';

/** Issue 4, Shows 2, short: `npm run chaos -- --minutes 10` goes on for longer, with more of everything. */
let run: ChaosRun;
/** Of the controls, which have to wait for what does not come. */
const patience: Patience = { storedWithinMs: 1_000, shownWithinMs: 1_000 };

beforeAll(async () => {
  run = await ChaosRun.begin({
    seed: printedSeed('chaos'),
    durationMs: 30_000,
    clients: 18,
    kinds: ['kill-gateway', 'kill-worker', 'freeze-worker', 'freeze-gateway', 'roll-gateways', 'kill-nats', 'step-down', 'kill-postgres'],
    pauseMs: 1_500,
    freezeMsMax: 3_000,
    cluster: { gateways: 2, workers: 2, persistence: 1, env: { WEFT_DRAIN: '1s' } },
  });
});
afterAll(() => run?.end());

test('while the house is hurt nothing acknowledged is lost, and nobody sees more than a reconnect', { timeout: 300_000 }, async () => {
  onTestFailed(() => console.error(run.cluster.logTails()));
  await run.rage();
  await run.settle();
  const checked = await run.check();
  console.log(reportOf(run, checked).join('\n'));
  expect([...run.violations, ...checked.violations]).toEqual([]);
  expect(run.injector.windows.length).toBeGreaterThan(1);
  expect(run.crowd.vanished.length).toBeGreaterThan(2);
  expect(checked.promised).toBeGreaterThan(200);
});

test('control: an edit that was noted and never made is missed in every place', { timeout: 300_000 }, async () => {
  const [honest] = promisedToVanished();
  const { violations } = await run.check({ notes: [withOneMore(honest!)], patience });
  const invented = `${honest!.document} ${honest!.writer}#${honest!.acknowledgedMs.length + 1}`;
  expect(new Set(violations.map(({ edit }) => edit))).toEqual(new Set([invented]));
  expect(violations.map(({ says }) => says)).toEqual([
    expect.stringContaining('is not in what a fresh reader is shown'),
    expect.stringContaining('is not in Postgres'),
  ]);
});

test('control: what is deleted from Postgres is missed there', { timeout: 300_000 }, async () => {
  const [, robbed] = promisedToVanished();
  await deleteFromPostgres(robbed!.document);
  const { violations } = await run.check({ notes: [robbed!], patience });
  expect(violations.filter(({ says }) => says.includes('is not in Postgres')).length).toBeGreaterThan(0);
  expect(lostIn(violations)).toBeGreaterThan(0);
});

/** Of those who wrote alone: nobody else has their edits. */
function promisedToVanished(): readonly Notes[] {
  return run.crowd.vanished.filter(
    ({ document, acknowledgedMs, madeMs }) => document.includes('alone') && acknowledgedMs.length === madeMs.length && madeMs.length > 0,
  );
}

function withOneMore(notes: Notes): Notes {
  const nowMs = performance.now();
  const upTo = notes.acknowledgedMs.length;
  return { ...notes, madeMs: [...notes.madeMs.slice(0, upTo), nowMs], acknowledgedMs: [...notes.acknowledgedMs, nowMs] };
}

async function deleteFromPostgres(document: string): Promise<void> {
  const database = new Database({ url: run.cluster.postgresUrl, applicationName: 'weft-chaos-control' });
  try {
    for (const table of ['document_updates', 'document_snapshots'])
      await database.query(`DELETE FROM weft.${table} WHERE document_id = (SELECT id FROM weft.documents WHERE name = $1)`, [document]);
  } finally {
    await database.close();
  }
}
