import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';

/**
 * `npm run bench:profile -- file.cpuprofile… [--top 40]`: where the time of one process went, as `npm run bench -- --cpu-prof folder` wrote it: functions by their own time, share of the time it was not idle. `--by file` adds up files.
 */
interface Profile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
  }[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { top: { type: 'string', default: '40' }, by: { type: 'string', default: 'function' } },
});
if (positionals.length === 0) throw new Error('which .cpuprofile? (npm run bench -- … --cpu-prof folder)');

for (const file of positionals) {
  const profile = JSON.parse(readFileSync(file, 'utf8')) as Profile;
  const names = new Map(
    profile.nodes.map(({ id, callFrame }) => [
      id,
      values.by === 'file' ? place(callFrame.url) || callFrame.functionName : nameOf(callFrame),
    ]),
  );
  const used = new Map<string, number>();
  let total = 0;
  let idle = 0;
  for (const [i, id] of profile.samples.entries()) {
    const us = profile.timeDeltas[i]!;
    const name = names.get(id)!;
    total += us;
    if (name === '(idle)') idle += us;
    else used.set(name, (used.get(name) ?? 0) + us);
  }
  const busy = total - idle;
  process.stdout.write(`${file}: ${(total / 1e6).toFixed(1)} s, busy ${((100 * busy) / total).toFixed(1)} %\n`);
  for (const [name, us] of [...used].toSorted(([, a], [, b]) => b - a).slice(0, Number(values.top)))
    process.stdout.write(`${((100 * us) / busy).toFixed(1).padStart(6)} %  ${name}\n`);
}

function nameOf({ functionName, url, lineNumber }: Profile['nodes'][number]['callFrame']): string {
  const at = place(url);
  return at === '' ? functionName || '(anonymous)' : `${functionName || '(anonymous)'}  ${at}:${lineNumber + 1}`;
}

/** Of a path what tells it: the last three parts. */
function place(url: string): string {
  return url.split('/').slice(-3).join('/');
}
