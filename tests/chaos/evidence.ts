import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLogger } from '@weft/telemetry';
import { JetStreamWal } from '@weft/wal';
import * as Y from 'yjs';
import { type ChaosRun, slices } from './chaos-run.ts';
import type { Checked } from './checker.ts';

/** Whole documents are large; of a run that went wrong altogether some are enough. */
const documentsMax = 20;

/**
 * Keeps what tells how a run went wrong, in a folder whose name it gives: all services' logs; what was done, seen and promised when; what is left of the log; and of each document something is wrong with, what Postgres
 * and the clients have.
 */
export async function keepEvidence(run: ChaosRun, checked: Checked, seed: number): Promise<string> {
  const kept = join(tmpdir(), `weft-chaos-${seed}`);
  cpSync(run.cluster.folder, kept, { recursive: true });
  const { startMs, violations, sightings, crowd, injector } = run;
  const timeline = {
    epochOfZeroMs: performance.timeOrigin,
    startMs,
    faults: injector.windows,
    violations: [...violations, ...checked.violations],
    seen: sightings.all,
    notes: crowd.notes,
  };
  writeFileSync(join(kept, 'timeline.json'), JSON.stringify(timeline));
  const wrong = new Set(checked.violations.flatMap(({ document }) => (document === undefined ? [] : [document])));
  for (const document of [...wrong].slice(0, documentsMax)) await keepDocument(run, document, join(kept, 'documents', document));
  if (wrong.size > 0) await keepLog(run, join(kept, 'log'));
  return kept;
}

async function keepDocument({ cluster, crowd }: ChaosRun, document: string, folder: string): Promise<void> {
  mkdirSync(folder, { recursive: true });
  const { snapshot, tail } = await cluster.withStore((store) => store.loadDocument(document, 0));
  for (const [i, piece] of snapshot.pieces.entries()) writeFileSync(join(folder, `postgres-snapshot-${i}`), piece);
  for (const [i, row] of tail.entries()) writeFileSync(join(folder, `postgres-tail-${i}`), row);
  for (const typist of crowd.living)
    if (typist.document === document) writeFileSync(join(folder, typist.notes.writer), Y.encodeStateAsUpdate(typist.doc));
}

/** A file a record, by its position. */
async function keepLog({ cluster }: ChaosRun, folder: string): Promise<void> {
  const logger = createLogger({ service: 'chaos', level: 'silent' });
  const wal = new JetStreamWal({ url: cluster.nats.url, name: 'chaos', logger, slices, replicas: cluster.nats.servers.length });
  await wal.open();
  for (let slice = 0; slice < slices; slice++) {
    const { identity, first, last } = await wal.state(slice);
    mkdirSync(join(folder, String(slice)), { recursive: true });
    const reader = wal.read(slice, first, identity);
    for (let next = first; next <= last;)
      for (const { position, bytes } of await reader.next()) {
        writeFileSync(join(folder, String(slice), String(position)), bytes);
        next = position + 1;
      }
  }
  await wal.close();
}
