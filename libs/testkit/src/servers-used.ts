import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { config } from './config.ts';

const said = new Set<string>();

/** Says once which server tests ran against ([TK7]): once a run where `npm test` collects it, else once a process. */
export function reportServer(name: string, version: string, origin: string): void {
  const line = `${name} ${version} (${origin})`;
  if (said.has(line)) return;
  said.add(line);
  const file = config.reportFile;
  if (file !== undefined) {
    if (existsSync(file) && readFileSync(file, 'utf8').split('\n').includes(line)) return;
    appendFileSync(file, `${line}\n`);
  }
  process.stderr.write(`testkit: ${line}\n`);
}
