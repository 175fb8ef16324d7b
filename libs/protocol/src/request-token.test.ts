import { expect, test } from 'vitest';
import { type RequestHead, tokenOfRequest } from './request-token.ts';

const bare: RequestHead = { target: '/yjs/plan', authorization: '', cookie: '', origin: '', host: 'weft.test' };
const tokenOf = (head: Partial<RequestHead>, origins?: readonly string[]) => tokenOfRequest({ ...bare, ...head }, origins);

test('[RT7] the URL comes before the header, the header before the cookie', () => {
  const all = { target: '/yjs/plan?token=u', authorization: 'Bearer h', cookie: 'weft_access=c' };
  expect(tokenOf(all)).toBe('u');
  expect(tokenOf({ ...all, target: '/yjs/plan?token=' })).toBe('h');
  expect(tokenOf({ ...all, target: '/yjs/plan', authorization: '' })).toBe('c');
  expect(tokenOf({})).toBe('');
});

test.each([
  ['another scheme', { authorization: 'Basic h' }],
  ['no token', { authorization: 'Bearer ' }],
  ['two tokens', { authorization: 'Bearer a b' }],
  ['another cookie', { cookie: 'xweft_access=c; weft_access2=d; weft_accessx' }],
  ['a cookie in capitals', { cookie: 'WEFT_ACCESS=c' }],
])('[RT7] %s is none', (_what, head) => {
  expect(tokenOf(head)).toBe('');
});

test('[RT7] the cookie is found among others, the first of its name counts, and its value may have an equals sign', () => {
  expect(tokenOf({ cookie: 'a=b; weft_access=c==; weft_access=d' })).toBe('c==');
});

test('[RT8] the cookie speaks for pages of the same host and of listed origins only', () => {
  const cookie = 'weft_access=c';
  expect(tokenOf({ cookie, origin: 'https://weft.test' })).toBe('c');
  expect(tokenOf({ cookie, origin: 'https://weft.test:8443', host: 'Weft.Test:8443' })).toBe('c');
  for (const origin of ['https://evil.test', 'https://weft.test.evil.test', 'https://weft.test:8443', 'null', 'nonsense'])
    expect(tokenOf({ cookie, origin })).toBe('');
  expect(tokenOf({ cookie, origin: 'https://app.test' }, ['https://app.test'])).toBe('c');
  expect(tokenOf({ cookie, origin: 'https://app.test.evil.test' }, ['https://app.test'])).toBe('');
});
