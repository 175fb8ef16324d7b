import { appendFileSync, writeFileSync } from 'node:fs';
import { readCommand, usage, UsageError } from './command.ts';
import { htmlReport } from './report/html-report.ts';
import { resultTable } from './report/result-table.ts';
import type { Second } from './result.ts';
import { runScenario } from './run-scenario.ts';

/** `npm run load -- <scenario> …`: puts load on servers that run, and prints what it found. Ends with 1 when something was not delivered or lost. */
async function main(args: readonly string[]): Promise<void> {
  if (args.length === 0 || args.includes('--help')) {
    process.stdout.write(usage());
    return;
  }
  const command = readCommand(args);
  const say = (sentence: string): void => void process.stderr.write(`${sentence}\n`);
  const result = await runScenario({
    ...command,
    progress: (second) => {
      if (!command.quiet) say(progressLine(second));
    },
    say,
  });
  if (command.json !== undefined) appendFileSync(command.json, `${JSON.stringify(result)}\n`);
  if (command.html !== undefined) writeFileSync(command.html, htmlReport([result], { title: `${result.scenario}: ${result.candidate}` }));
  process.stdout.write(`${resultTable([result])}\n`);
  if (result.troubles.length > 0 || (result.figures['not_delivered'] ?? 0) > 0) process.exitCode = 1;
}

function progressLine({ at, phase, sent, delivered, connections, p50, p99, ackP99, cpu }: Second): string {
  const ms = (value: number | undefined): string => (value === undefined ? '-' : value.toFixed(1));
  const used = Object.entries(cpu)
    .filter(([, seconds]) => seconds >= 0.01)
    .map(([name, seconds]) => `${name} ${Math.round(100 * seconds)}%`);
  return `${at.toFixed(0).padStart(4)} s ${phase}: ${connections} connections, sent ${sent}, delivered ${delivered}, p50 ${ms(p50)} p99 ${ms(p99)} ack p99 ${ms(ackP99)} ms; ${used.join(' ')}`;
}

try {
  await main(process.argv.slice(2));
  // Providers and sockets have nothing more to say.
  process.exit();
} catch (error) {
  process.stderr.write(error instanceof UsageError ? `${error.message}\n` : `${(error as Error).stack ?? String(error)}\n`);
  process.exit(2);
}
