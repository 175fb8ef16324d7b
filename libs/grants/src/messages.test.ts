import { expect, test } from 'vitest';

import type { Decision } from './decision.ts';
import { MalformedAuthMessage } from './json-message.ts';
import { decodeDecision, decodeQuestion, encodeDecision, encodeQuestion } from './messages.ts';

const bytes = (text: string) => new TextEncoder().encode(text);

test('[G4] questions and decisions come back as they were', () => {
  const question = { token: 'a.b.c', document: 'Käse/☕' };
  expect(decodeQuestion(encodeQuestion(question))).toEqual(question);
  const decisions: Decision[] = [
    { allowed: true, role: 'viewer', who: { id: 'u1', name: 'Ada' }, untilMs: 1_700_000_000_000 },
    { allowed: true, role: 'viewer', who: { id: 'u1', name: 'Ada' }, untilMs: 1_700_000_000_000, session: 's1' },
    { allowed: false, status: 403, reason: 'no right to this document' },
  ];
  for (const decision of decisions) expect(decodeDecision(encodeDecision(decision))).toEqual(decision);
});

test.each([
  '',
  'null',
  '[]',
  '"x"',
  '{',
  '{}',
  '{"allowed":"true","role":"owner","who":{"id":"a","name":"b"},"untilMs":1}',
  '{"allowed":true}',
  '{"allowed":true,"role":"god","who":{"id":"a","name":"b"},"untilMs":1}',
  '{"allowed":true,"role":"owner","who":{"id":"a"},"untilMs":1}',
  '{"allowed":true,"role":"owner","who":{"id":"a","name":"b"}}',
  '{"allowed":true,"role":"owner","who":{"id":"a","name":"b"},"untilMs":1,"session":7}',
  '{"allowed":true,"role":"owner","who":{"id":"a","name":"b"},"untilMs":1,"session":""}',
  '{"allowed":false,"status":200,"reason":"x"}',
  '{"allowed":false,"status":401}',
])('[G4] %j is no decision', (text) => {
  expect(() => decodeDecision(bytes(text))).toThrow(MalformedAuthMessage);
});

test('[G4] what cannot be read is not quoted in the error', () => {
  expect(() => decodeQuestion(bytes('{"token":"secret-token'))).toThrow(/^question is not JSON$/);
  expect(() => decodeQuestion(bytes('{"token":1,"document":"d"}'))).toThrow(MalformedAuthMessage);
  expect(() => decodeQuestion(Uint8Array.of(0xff))).toThrow(MalformedAuthMessage);
});
