import { describe, expect, test } from 'vitest';
import { isLoopbackOrigin, originProblem } from './origins.ts';

test.each(['http://localhost:3000', 'https://127.0.0.1', 'http://[::1]:8080', 'http://app.localhost:5173'])(
  '%s is of this machine',
  (origin) => {
    expect(isLoopbackOrigin(origin)).toBe(true);
    expect(originProblem(origin, { loopbackOnly: true, allowed: [] })).toBeUndefined();
  },
);

test.each([
  'https://example.com',
  'http://localhost.example.com',
  'http://127.0.0.1.example.com',
  'null',
  'file://',
  'chrome-extension://abc',
])('%s is not', (origin) => {
  expect(isLoopbackOrigin(origin)).toBe(false);
  expect(originProblem(origin, { loopbackOnly: true, allowed: [] })).toMatch(/only pages of this machine/);
});

describe('[GW21] with a list of origins', () => {
  const allowed = ['https://app.example.com', 'http://localhost:3000'];

  test.each(['', ...allowed])('%j may connect', (origin) => {
    expect(originProblem(origin, { loopbackOnly: false, allowed })).toBeUndefined();
  });

  test.each([
    'https://evil.example.com',
    'http://app.example.com',
    'https://app.example.com:8443',
    'https://app.example.com.evil.test',
    'https://app.example.co',
    'null',
    'https://app.example.com, https://evil.test',
  ])('%s may not', (origin) => {
    expect(originProblem(origin, { loopbackOnly: false, allowed })).toMatch(/not among the origins allowed/);
  });

  test('without one, anybody may', () => {
    expect(originProblem('https://evil.test', { loopbackOnly: false, allowed: [] })).toBeUndefined();
  });
});
