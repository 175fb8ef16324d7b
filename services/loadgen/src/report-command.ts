/**
 * `npm run load:report -- results.jsonl [more.jsonl] [--html report.html] [--title "…"] [--reference raw]`: what load runs found out, as a table;
 * with --html also as one page that needs no network.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { htmlReport } from './report/html-report.ts';
import { readResults } from './report/read-results.ts';
import { resultTable } from './report/result-table.ts';
import type { Result } from './result.ts';

const usage = 'usage: npm run load:report -- results.jsonl [more.jsonl] [--html report.html] [--title "…"] [--reference <candidate>]\n';

async function readAll(paths: readonly string[]): Promise<Result[]> {
  const results: Result[] = [];
  for (const path of paths) {
    try {
      results.push(...readResults(await readFile(path, 'utf8')));
    } catch (cause) {
      throw new Error(`${path}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
    }
  }
  if (results.length === 0) throw new Error(`no results in ${paths.join(', ')}: expected one result of a load run a line`);
  return results;
}

function checkReference(results: readonly Result[], reference: string | undefined): void {
  const candidates = [...new Set(results.map((result) => result.candidate))];
  if (reference !== undefined && !candidates.includes(reference))
    throw new Error(`--reference ${reference}: not among the candidates ${candidates.join(', ')}`);
}

async function report(): Promise<void> {
  const { values, positionals } = parseArgs({
    options: { html: { type: 'string' }, title: { type: 'string', default: 'Load test' }, reference: { type: 'string' } },
    allowPositionals: true,
  });
  if (positionals.length === 0) throw new Error(usage.trimEnd());
  const results = await readAll(positionals);
  checkReference(results, values.reference);
  const options = values.reference === undefined ? {} : { reference: values.reference };
  process.stdout.write(resultTable(results, options));
  if (values.html === undefined) return;
  await writeFile(values.html, htmlReport(results, { title: values.title, ...options }));
  process.stdout.write(`written: ${values.html}\n`);
}

await report().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
