import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));
const heading = '## Overload: every queue, its bound, what happens at it';

interface Row {
  readonly queue: string;
  readonly bound: string;
  readonly happens: string;
  readonly seen: string;
  readonly tests: string;
}

/** The rows of the table under the heading; its last column names tests as `path`: "words of its name". */
function rows(): Row[] {
  const text = readFileSync(`${root}docs/operations.md`, 'utf8');
  const section = text.slice(text.indexOf(heading) + heading.length).split('\n## ')[0]!;
  const lines = section.split('\n').filter((line) => line.startsWith('| '));
  return lines.slice(2).map((line) => {
    const [queue = '', bound = '', happens = '', seen = '', tests = ''] = line
      .slice(2, -2)
      .split(' | ')
      .map((cell) => cell.trim());
    return { queue, bound, happens, seen, tests };
  });
}

/** In a test's source a name may be broken over lines, and bear a quote of another kind. */
const plain = (text: string): string => text.replaceAll(/[’'"`\\]/g, "'").replaceAll(/\s+/g, ' ');

test('every row says what its bound is, what happens at it and what is seen of it', () => {
  expect(rows().length).toBeGreaterThan(20);
  for (const row of rows()) for (const [column, text] of Object.entries(row)) expect(text, `${column} of ${row.queue}`).not.toBe('');
});

test.each(rows().map(({ queue, tests }) => [queue, tests]))('the tests of “%s” are there, under these names', (_, tests) => {
  const named = [...tests.matchAll(/`([^`]+\.ts)`: “([^”]+)”/g)];
  expect(named.length).toBeGreaterThan(0);
  for (const [, path, name] of named) {
    expect(existsSync(root + path!), path).toBe(true);
    expect(plain(readFileSync(root + path!, 'utf8')), path).toContain(plain(name!));
  }
});

test('every setting it names is one', () => {
  const readme = readFileSync(`${root}README.md`, 'utf8');
  const named = new Set(rows().flatMap(({ bound }) => [...bound.matchAll(/WEFT_[A-Z_]+/g)].map(([name]) => name)));
  expect([...named].filter((name) => !readme.includes(`\`${name}\``))).toEqual([]);
});
