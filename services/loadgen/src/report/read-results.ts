import type { Result } from '../result.ts';

/** A line of a results file that is not a result. The message names the line, what is wrong with it and what belongs there. */
export class UnreadableResultError extends Error {
  readonly line: number;

  constructor(line: number, problem: string, options?: ErrorOptions) {
    super(`line ${line}: ${problem}`, options);
    this.name = 'UnreadableResultError';
    this.line = line;
  }
}

/** Undefined, or what is wrong: `path` is what the value is called. */
type Check = (value: unknown, path: string) => string | undefined;

/** Reads JSON lines as the load generator writes them; empty lines are passed over. Throws {@link UnreadableResultError} at the first bad one. */
export function readResults(jsonl: string): Result[] {
  const results: Result[] = [];
  for (const [index, text] of jsonl.split('\n').entries()) {
    if (text.trim() !== '') results.push(readLine(text, index + 1));
  }
  return results;
}

function readLine(text: string, line: number): Result {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    const begins = text.length > 40 ? `${text.slice(0, 40)}…` : text;
    throw new UnreadableResultError(line, `not JSON (it begins with ${begins}); expected one result of a load run a line`, { cause });
  }
  const problem = isResult(value, '');
  if (problem !== undefined) throw new UnreadableResultError(line, problem);
  return value as Result;
}

const word: Check = (value, path) => (typeof value === 'string' && value !== '' ? undefined : wrong(path, value, 'a word'));
const text: Check = (value, path) => (typeof value === 'string' ? undefined : wrong(path, value, 'a string'));
const amount: Check = (value, path) => (typeof value === 'number' && value >= 0 ? undefined : wrong(path, value, 'a number from 0 on'));
const numeric: Check = (value, path) => (typeof value === 'number' ? undefined : wrong(path, value, 'a number'));
const numberOrString: Check = (value, path) =>
  typeof value === 'number' || typeof value === 'string' ? undefined : wrong(path, value, 'a number or a string');
const dialect: Check = (value, path) =>
  value === 'collab' || value === 'yjs' || value === 'fallback' ? undefined : wrong(path, value, '"collab", "yjs" or "fallback"');

const distribution = shape({ count: amount, mean: amount, p50: amount, p90: amount, p99: amount, p999: amount, max: amount, hdr: text });

const second = shape(
  {
    at: amount,
    phase: word,
    sent: amount,
    delivered: amount,
    acknowledged: amount,
    connections: amount,
    cpu: mapOf(amount),
    rss: mapOf(amount),
  },
  { p50: amount, p99: amount, ackP50: amount, ackP99: amount },
);

const isResult = shape({
  scenario: word,
  candidate: word,
  dialect,
  startedAt: amount,
  seconds: amount,
  parameters: mapOf(numberOrString),
  figures: mapOf(numeric),
  latencies: mapOf(distribution),
  series: listOf(second),
  troubles: listOf(text),
});

function shape(fields: Readonly<Record<string, Check>>, optional: Readonly<Record<string, Check>> = {}): Check {
  return (value, path) => {
    if (!isObject(value)) return wrong(path, value, `an object with ${Object.keys(fields).join(', ')}`);
    const present = Object.entries(optional).filter(([name]) => value[name] !== undefined);
    return firstProblem([...Object.entries(fields), ...present], ([name, check]) =>
      check(value[name], path === '' ? name : `${path}.${name}`),
    );
  };
}

function mapOf(check: Check): Check {
  return (value, path) =>
    isObject(value)
      ? firstProblem(Object.entries(value), ([name, item]) => check(item, `${path}.${name}`))
      : wrong(path, value, 'an object by name');
}

function listOf(check: Check): Check {
  return (value, path) =>
    Array.isArray(value)
      ? firstProblem([...value.entries()], ([index, item]) => check(item, `${path}[${index}]`))
      : wrong(path, value, 'an array');
}

function firstProblem<T>(items: readonly T[], check: (item: T) => string | undefined): string | undefined {
  for (const item of items) {
    const problem = check(item);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function wrong(path: string, value: unknown, expected: string): string {
  const given = value === undefined ? 'missing' : JSON.stringify(value).slice(0, 60);
  return `${path === '' ? 'the line' : path} is ${given}; expected ${expected}`;
}
