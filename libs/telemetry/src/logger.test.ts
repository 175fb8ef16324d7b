import { expect, test } from 'vitest';
import { createLogger, type Logger, type LogLevel } from './index.ts';

type Line = Record<string, unknown>;

function recorder(level?: LogLevel): { logger: Logger; text: () => string; last: () => Line } {
  const lines: string[] = [];
  const stream = { write: (line: string) => void lines.push(line) };
  const logger = createLogger({ service: 'test', stream, ...(level === undefined ? {} : { level }) });
  return { logger, text: () => lines.join(''), last: () => JSON.parse(lines.at(-1) ?? '{}') as Line };
}

test('a line bears service, level as a word, time and message', () => {
  const { logger, last } = recorder();
  logger.info({ document: 'notes/1' }, 'opened');
  expect(last()).toMatchObject({ service: 'test', level: 'info', document: 'notes/1', msg: 'opened' });
  expect(last()['time']).toMatch(/^\d{4}-\d\d-\d\dT/);
});

test('the level is obeyed', () => {
  const { logger, text } = recorder('warn');
  logger.info('no');
  logger.warn('yes');
  expect(text()).not.toContain('"no"');
  expect(text()).toContain('"yes"');
});

test('[TE1] secrets are redacted at any depth, by key and in URLs', () => {
  const { logger, text } = recorder('trace');
  logger.info(
    { token: 'hunter2', headers: { Authorization: 'Bearer hunter2', cookie: 'a=hunter2' }, list: [{ password: 'hunter2' }] },
    'x',
  );
  logger.info({ url: '/yjs/a?token=hunter2&b=1', nats: 'nats://me:hunter2@host:4222' }, 'x');
  logger.info(new Map([['token', 'hunter2']]), 'x');
  expect(text()).not.toContain('hunter2');
  expect(text()).toContain('b=1');
  expect(text()).toContain('nats://[redacted]@host:4222');
});

test('[TE2] bytes and content are logged as sizes', () => {
  const { logger, last } = recorder();
  logger.info({ frame: new Uint8Array(17), nested: { piece: Buffer.from('my text') }, update: 'my text', updates: [1, 2] }, 'x');
  expect(last()).toMatchObject({ frame: '[17 bytes]', nested: { piece: '[7 bytes]' }, update: '[7 characters]', updates: '[2 items]' });
});

test('[TE3] child bindings are redacted, grandchildren too, and kept', () => {
  const { logger, last } = recorder();
  logger
    .child({ connection: 7, token: 'hunter2' })
    .child({ frame: new Uint8Array(3), token2: { secret: 'hunter2' } })
    .info('x');
  expect(last()).toMatchObject({
    service: 'test',
    connection: 7,
    token: '[redacted]',
    frame: '[3 bytes]',
    token2: { secret: '[redacted]' },
  });
});

test('[TE4] an error shows name, message, stack and causes, and no bytes', () => {
  const { logger, last, text } = recorder();
  class Refused extends Error {
    override readonly name = 'Refused';
    readonly frame = Buffer.from('my text');
    readonly token = 'hunter2';
  }
  const error = new Refused('no', { cause: new Error('at nats://me:hunter2@h') });
  logger.error({ err: error, error }, 'x');
  expect(last()['err']).toMatchObject({ type: 'Refused', message: 'no', frame: '[7 bytes]', cause: { message: 'at nats://[redacted]@h' } });
  logger.error(error);
  expect(last()['err']).toMatchObject({ type: 'Refused', message: 'no', frame: '[7 bytes]' });
  expect(text()).not.toContain('hunter2');
});

test('a circular or deep object does not break the line', () => {
  const { logger, last } = recorder();
  const circle: Record<string, unknown> = {};
  circle['self'] = circle;
  logger.info({ circle, big: 12n }, 'x');
  expect(last()['msg']).toBe('x');
  expect(last()['big']).toBe('12');
});
