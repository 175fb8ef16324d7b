import { parseArgs } from 'node:util';
import type { WatchedProcess } from './measure/processes.ts';
import type { Dialect } from './result.ts';
import { scenarios } from './scenarios/index.ts';
import type { Scenario } from './scenarios/scenario.ts';

export interface Command {
  readonly scenario: Scenario;
  readonly candidate: string;
  readonly dialect: Dialect;
  readonly urls: readonly string[];
  readonly path: string;
  readonly token: string;
  readonly prefix: string | undefined;
  readonly parameters: Readonly<Record<string, number>>;
  readonly processes: readonly WatchedProcess[];
  /** Files to write to: JSON lines (appended), HTML. */
  readonly json: string | undefined;
  readonly html: string | undefined;
  readonly quiet: boolean;
}

/** Says what was given and what is expected. */
export class UsageError extends Error {}

const dialects: readonly Dialect[] = ['collab', 'yjs', 'fallback'];
const defaultPath: Readonly<Record<Dialect, string>> = { collab: '/collab', fallback: '/collab', yjs: '/yjs/' };

/** Throws UsageError. */
export function readCommand(args: readonly string[]): Command {
  const { values, positionals } = parsed(args);
  const [name, ...more] = positionals;
  const scenario = scenarios.find((one) => one.name === name);
  if (!scenario || more.length > 0)
    throw new UsageError(
      `${name === undefined ? 'which scenario?' : `${JSON.stringify(positionals.join(' '))} is no scenario`} One of: ${scenarios.map((one) => one.name).join(', ')}`,
    );
  const dialect = values.dialect as Dialect;
  if (!dialects.includes(dialect)) throw new UsageError(`--dialect ${values.dialect}: expected one of ${dialects.join(', ')}`);
  const urls = values.url;
  for (const url of urls)
    if (!/^wss?:\/\/[^/]+\/?$/.test(url)) throw new UsageError(`--url ${url}: expected ws://host:port, without a path (--path)`);
  return {
    scenario,
    dialect,
    urls,
    candidate: values.name,
    path: values.path ?? defaultPath[dialect],
    token: values.token,
    prefix: values.prefix,
    parameters: readParameters(scenario, values.set),
    processes: values.process.map(readProcess),
    json: values.json,
    html: values.html,
    quiet: values.quiet,
  };
}

function parsed(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        url: { type: 'string', multiple: true, default: ['ws://127.0.0.1:8080'] },
        dialect: { type: 'string', default: 'collab' },
        path: { type: 'string' },
        token: { type: 'string', default: '' },
        name: { type: 'string', default: 'weft' },
        prefix: { type: 'string' },
        set: { type: 'string', multiple: true, default: [] },
        process: { type: 'string', multiple: true, default: [] },
        json: { type: 'string' },
        html: { type: 'string' },
        quiet: { type: 'boolean', default: false },
      },
    });
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

function readParameters(scenario: Scenario, given: readonly string[]): Record<string, number> {
  const parameters: Record<string, number> = {};
  for (const one of given) {
    const [name, text] = one.split('=', 2) as [string, string | undefined];
    if (!(name in scenario.parameters))
      throw new UsageError(`--set ${one}: ${scenario.name} takes ${Object.keys(scenario.parameters).join(', ')}`);
    const value = Number(text);
    if (text === undefined || text === '' || !Number.isFinite(value) || value < 0)
      throw new UsageError(`--set ${one}: expected ${name}=<number of 0 or more>`);
    parameters[name] = value;
  }
  return parameters;
}

function readProcess(given: string): WatchedProcess {
  const [name, text] = given.split('=', 2) as [string, string | undefined];
  const pid = Number(text);
  if (name === '' || !Number.isInteger(pid) || pid < 1) throw new UsageError(`--process ${given}: expected <name>=<pid>`);
  return { name, pid };
}

/** What there is to choose from. */
export function usage(): string {
  const lines = ['npm run load -- <scenario> [--url ws://host:port]… [--dialect collab|yjs|fallback] [--set parameter=number]…', ''];
  lines.push(
    '  --path        /collab, or what comes before the document (yjs): /yjs/',
    '  --token       what clients bring; default none',
    '  --name        what the report calls it',
    '  --prefix      of the documents’ names; default random',
  );
  lines.push(
    '  --process     <name>=<pid> of a server, more than once: its CPU and memory, its children included',
    '  --json        file to which the result is appended, a line',
    '  --html        file for the report with plots',
    '  --quiet       no line a second',
    '',
  );
  for (const { name, say, parameters } of scenarios) {
    lines.push(`${name}: ${say}`);
    for (const [key, of] of Object.entries(parameters)) lines.push(`  ${`${key}=${of.default}`.padEnd(16)} ${of.say}`);
    lines.push('');
  }
  return lines.join('\n');
}
