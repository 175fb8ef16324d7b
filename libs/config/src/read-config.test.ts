import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, expect, expectTypeOf, test } from 'vitest';
import { ConfigError, describeSettings, readConfig, setting } from './index.ts';

const folder = mkdtempSync(join(tmpdir(), 'weft-config-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const settings = {
  port: setting.port('WEFT_PORT', { default: 8080, say: 'Where it listens.' }),
  frame: setting.bytes('WEFT_FRAME', { default: 8 * 2 ** 20, max: 2 ** 30, say: 'Largest frame.' }),
  idleMs: setting.durationMs('WEFT_IDLE', { default: 20_000, min: 1000, say: 'Silence borne.' }),
  ack: setting.oneOf('WEFT_ACK_AFTER', ['log', 'database'], { default: 'log', say: 'What acknowledges.' }),
  quiet: setting.boolean('WEFT_QUIET', { default: false, say: 'Say less.' }),
  slices: setting.integer('WEFT_SLICES', { default: 1, min: 1, max: 64, say: 'Slices.' }),
  id: setting.string('WEFT_ID', { optional: true, say: 'Name.' }),
  data: setting.path('WEFT_DATA', { default: './data', say: 'Files.' }),
  nats: setting.urls('WEFT_NATS_URL', { optional: true, protocols: ['nats:', 'tls:'], say: 'NATS.' }),
  postgres: setting.url('WEFT_POSTGRES_URL', { optional: true, protocols: ['postgres:'], say: 'Postgres.' }),
  key: setting.secret('WEFT_KEY', { optional: true, lengthMin: 8, say: 'Key.' }),
};

function refusal(env: Record<string, string>): string {
  try {
    readConfig(settings, env);
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  throw new Error('was not refused');
}

test('[CF2] unset and empty variables take defaults, optional ones undefined', () => {
  const config = readConfig(settings, { WEFT_PORT: '', WEFT_ID: '' });
  expect(config).toEqual({
    port: 8080,
    frame: 8_388_608,
    idleMs: 20_000,
    ack: 'log',
    quiet: false,
    slices: 1,
    id: undefined,
    data: resolve('./data'),
    nats: undefined,
    postgres: undefined,
    key: undefined,
  });
  expectTypeOf(config.port).toEqualTypeOf<number>();
  expectTypeOf(config.ack).toEqualTypeOf<'log' | 'database'>();
  expectTypeOf(config.id).toEqualTypeOf<string | undefined>();
});

test('[CF2] a required setting that is missing stops with its sentence', () => {
  const required = { url: setting.url('WEFT_X_URL', { say: 'Where X is.' }) };
  expect(() => readConfig(required, {})).toThrow('WEFT_X_URL: nothing was given; expected a URL (Where X is.)');
});

test('[CF2] every kind is read', () => {
  const config = readConfig(settings, {
    WEFT_PORT: '0',
    WEFT_FRAME: '2 MiB',
    WEFT_IDLE: '3s',
    WEFT_ACK_AFTER: 'database',
    WEFT_QUIET: '1',
    WEFT_SLICES: '8',
    WEFT_ID: 'gateway-1',
    WEFT_DATA: '/var/lib/weft',
    WEFT_NATS_URL: 'nats://a:4222, nats://b:4222',
    WEFT_POSTGRES_URL: 'postgres://u:p@h/d',
    WEFT_KEY: '12345678',
  });
  expect(config).toMatchObject({ port: 0, frame: 2_097_152, idleMs: 3000, ack: 'database', quiet: true, slices: 8, data: '/var/lib/weft' });
  expect(config.nats).toEqual(['nats://a:4222', 'nats://b:4222']);
  expect(config.postgres).toBe('postgres://u:p@h/d');
});

test.each([
  [{ WEFT_PORT: '70000' }, 'WEFT_PORT: "70000" was given; expected a port, 0 to 65535'],
  [{ WEFT_PORT: '80a' }, 'WEFT_PORT: "80a" was given; expected a port, 0 to 65535'],
  [{ WEFT_FRAME: 'big' }, 'WEFT_FRAME: "big" was given; expected a size like 512KiB or 8MiB, 0 to 1GiB'],
  [{ WEFT_IDLE: '5' }, 'WEFT_IDLE: "5" was given; expected a duration like 500ms, 2s or 5m, 1s or more'],
  [{ WEFT_ACK_AFTER: 'disk' }, 'WEFT_ACK_AFTER: "disk" was given; expected one of log, database'],
  [{ WEFT_QUIET: 'maybe' }, 'WEFT_QUIET: "maybe" was given; expected true or false'],
  [{ WEFT_SLICES: '0' }, 'WEFT_SLICES: "0" was given; expected a whole number, 1 to 64'],
  [{ WEFT_SLICES: '1.5' }, 'WEFT_SLICES: "1.5" was given; expected a whole number, 1 to 64'],
  [
    { WEFT_NATS_URL: 'http://a' },
    'WEFT_NATS_URL: "http://a/" was given; expected a URL beginning nats:// or tls://, or several with commas between',
  ],
])('[CF3] %j is refused with one line', (env, message) => {
  expect(refusal(env)).toBe(message);
});

test('[CF3] a long or many-lined value stays one short line', () => {
  const message = refusal({ WEFT_PORT: `a\nb${'c'.repeat(500)}` });
  expect(message).not.toContain('\n');
  expect(message.length).toBeLessThan(200);
});

test('[CF4] secrets and credentials in URLs are never shown', () => {
  expect(refusal({ WEFT_KEY: 'hunter2' })).toBe('WEFT_KEY: "(redacted)" was given; expected a secret of 8 characters or more');
  expect(refusal({ WEFT_POSTGRES_URL: 'mysql://me:hunter2@h/d?sslpassword=hunter2' })).not.toMatch(/hunter2|me:/);
  expect(refusal({ WEFT_POSTGRES_URL: 'me:hunter2@h' })).not.toContain('hunter2');
  expect(refusal({ WEFT_NATS_URL: 'nats://a,me:hunter2@b' })).not.toContain('hunter2');
});

test('[CF5] a secret may come from a file, without its last line end', () => {
  const file = join(folder, 'key');
  writeFileSync(file, 'from-a-file\n');
  expect(readConfig(settings, { WEFT_KEY_FILE: file }).key).toBe('from-a-file');
  expect(refusal({ WEFT_KEY_FILE: file, WEFT_KEY: '12345678' })).toBe(
    'WEFT_KEY: both WEFT_KEY and WEFT_KEY_FILE were given; expected only one of them',
  );
  expect(refusal({ WEFT_KEY_FILE: join(folder, 'none') })).toMatch(
    /^WEFT_KEY_FILE: ".*none" was given \(ENOENT\); expected a file that can be read$/,
  );
});

test('[CF6] rows for the table', () => {
  expect(describeSettings(settings).map((row) => `${row.name} ${row.kind} ${row.default}`)).toEqual([
    'WEFT_PORT port 8080',
    'WEFT_FRAME bytes 8MiB',
    'WEFT_IDLE duration 20s',
    'WEFT_ACK_AFTER log | database log',
    'WEFT_QUIET boolean false',
    'WEFT_SLICES integer 1',
    'WEFT_ID string ',
    'WEFT_DATA path ./data',
    'WEFT_NATS_URL or WEFT_NATS_URL_FILE urls ',
    'WEFT_POSTGRES_URL or WEFT_POSTGRES_URL_FILE url ',
    'WEFT_KEY or WEFT_KEY_FILE secret ',
  ]);
});

test('[CF8] two settings of one name are a bug', () => {
  const twice = { a: setting.port('WEFT_PORT', { say: 'A.' }), b: setting.port('WEFT_PORT', { say: 'B.' }) };
  expect(() => readConfig(twice, {})).toThrow('two settings are named WEFT_PORT');
});
