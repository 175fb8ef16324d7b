// Prints the README's table of settings from what the services declare, or with --check says whether the README has it. Run with tsx:
//   npm run settings            prints
//   npm run settings -- --write puts it into the README
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describeSettings } from '@weft/config';

const README = fileURLToPath(new URL('../../README.md', import.meta.url));
const BEGIN = '<!-- settings: npm run settings -- --write -->';
const END = '<!-- end of settings -->';
const SOURCES = [
  ['standalone', 'standaloneSettings'],
  ['gateway', 'gatewayProcessSettings'],
  ['sync-worker', 'workerProcessSettings'],
  ['persistence', 'persistenceProcessSettings'],
  ['auth', 'authSettings'],
];
/** How the README calls a process. */
const SHORT = { standalone: 'npm start', 'sync-worker': 'worker' };

/** The README's part between its two marks. */
export async function settingsTable() {
  const rows = new Map();
  for (const [service, name] of SOURCES) {
    const settings = (await import(`../../services/${service}/src/config.ts`))[name];
    for (const row of describeSettings(settings)) {
      if (row.name.includes('TEST_ONLY')) continue;
      const known = rows.get(row.name);
      const value = row.name === 'WEFT_ID' ? 'the host’s name' : row.default;
      if (!known) rows.set(row.name, { ...row, default: value, of: [service], others: [] });
      else {
        known.of.push(service);
        if (known.default !== value) known.others.push(`${SHORT[service] ?? service}: ${value === '' ? 'unset' : value}`);
      }
    }
  }
  // What standalone sets by composing the services is theirs.
  const lines = [...rows.values()].map(({ name, of, default: value, others, say }) => {
    const defaults = [value === '' ? 'unset' : value, ...others].join('; ');
    const who = of.map((service) => SHORT[service] ?? service).join(', ');
    return `| \`${name.replaceAll(' or ', '` or `')}\` | ${defaults} | ${who} | ${say} |`;
  });
  return ['| variable | default | read by | what it does |', '| --- | --- | --- | --- |', ...lines].join('\n');
}

export function tableInReadme() {
  const text = readFileSync(README, 'utf8');
  return text.slice(text.indexOf(BEGIN) + BEGIN.length, text.indexOf(END)).trim();
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const table = await settingsTable();
  if (process.argv.includes('--write')) {
    const text = readFileSync(README, 'utf8');
    writeFileSync(README, `${text.slice(0, text.indexOf(BEGIN) + BEGIN.length)}\n${table}\n${text.slice(text.indexOf(END))}`);
  } else process.stdout.write(`${table}\n`);
}
