import { createLogger } from '@weft/telemetry';
import { expect, test } from 'vitest';

import { prettyLine } from './pretty-lines.ts';

class FolderInUse extends Error {
  override readonly name = 'FolderInUse';
}

function said(service: string, say: (logger: ReturnType<typeof createLogger>) => void): string {
  let text = '';
  say(createLogger({ service, level: 'trace', stream: { write: (line) => void (text += prettyLine(line, { color: false })) } }));
  return text;
}

test('our own lines are the sentence alone', () => {
  expect(said('standalone', (logger) => logger.info({ tookMs: 5 }, 'PostgreSQL is up'))).toBe('· PostgreSQL is up\n');
});

test('a warning says who and what', () => {
  expect(said('gateway', (logger) => logger.warn({ err: new Error('away'), attempt: 2 }, 'will be tried again'))).toBe(
    '! gateway: will be tried again (away attempt=2)\n',
  );
});

test('what a person can mend is the one sentence that says how', () => {
  const line = said('standalone', (logger) =>
    logger.fatal({ err: new FolderInUse('the folder /d is in use by process 7') }, 'the service failed'),
  );
  expect(line).toBe('✗ the folder /d is in use by process 7\n');
});

test('any other error keeps its stack', () => {
  expect(said('standalone', (logger) => logger.fatal({ err: new TypeError('x is undefined') }, 'the service failed'))).toMatch(
    /^✗ the service failed: TypeError: x is undefined\n {4}at /,
  );
});

test('what is no line of ours passes as it is', () => {
  expect(prettyLine('hello\n', { color: false })).toBe('hello\n');
});
