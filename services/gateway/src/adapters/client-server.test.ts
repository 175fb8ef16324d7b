import { expect, test } from 'vitest';
import { isLoopbackOrigin } from './client-server.ts';

test.each(['', 'http://localhost:3000', 'https://127.0.0.1', 'http://[::1]:8080', 'http://app.localhost:5173'])(
  '%s is of this machine',
  (origin) => {
    expect(isLoopbackOrigin(origin)).toBe(true);
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
});
