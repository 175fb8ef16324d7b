/** `npm run ring -- http://127.0.0.1:9100`: how a gateway or a worker sees the ring, by its ops port. */
import { type RingReport, ringTable } from '@weft/ring';

const [url] = process.argv.slice(2);
const timeoutMs = 5_000;

async function show(base: string): Promise<void> {
  const response = await fetch(new URL('/ring', base), { signal: AbortSignal.timeout(timeoutMs) });
  if (!response.ok) throw new Error(`${response.url} answers ${response.status}: is it the ops port of a gateway or a sync-worker?`);
  const report = (await response.json()) as RingReport | null;
  process.stdout.write(report ? ringTable(report) : 'not started yet: /readyz says what it waits for\n');
}

if (url === undefined || !URL.canParse(url)) {
  process.stderr.write('usage: npm run ring -- <url of an ops port>, for instance http://127.0.0.1:9100\n');
  process.exitCode = 2;
} else {
  await show(url).catch((error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  });
}
