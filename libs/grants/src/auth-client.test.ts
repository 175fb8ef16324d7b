import { InProcessBus } from '@weft/bus';
import type { BusMessage } from '@weft/bus';
import { createLogger } from '@weft/telemetry';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import { AuthClient, AuthUnavailable } from './auth-client.ts';
import type { Allowed, Decision, Question } from './decision.ts';
import { AUTH_CHECK_SUBJECT, decodeQuestion, encodeDecision } from './messages.ts';

let bus: InProcessBus;
let nowMs: number;
let asked: Question[];

beforeEach(() => {
  bus = new InProcessBus({ logger: createLogger({ service: 'test', level: 'silent' }) });
  nowMs = 1_800_000_000_000;
  asked = [];
});
afterEach(() => bus.close());

const allowance = (untilMs = nowMs + 3_600_000): Allowed => ({ allowed: true, role: 'editor', who: { id: 'u1', name: 'Ada' }, untilMs });
const refusal: Decision = { allowed: false, status: 401, reason: 'token expired' };
const client = (options: { cachedMax?: number; underWayMax?: number; timeoutMs?: number } = {}) =>
  new AuthClient(bus, { timeoutMs: 1000, now: () => nowMs, ...options });

function answering(answer: (question: Question, message: BusMessage) => Decision | Uint8Array | undefined): void {
  bus.subscribe(AUTH_CHECK_SUBJECT, (message) => {
    const question = decodeQuestion(message.data);
    asked.push(question);
    const decision = answer(question, message);
    if (decision !== undefined) message.reply?.(decision instanceof Uint8Array ? decision : encodeDecision(decision));
  });
}

describe('a question', () => {
  test('[G4] brings the decision back', async () => {
    answering(() => allowance());
    expect(await client().check('token', 'plan')).toEqual(allowance());
    expect(asked).toEqual([{ token: 'token', document: 'plan' }]);
  });

  test('[G5] with a token above 8 KiB is not asked', async () => {
    answering(() => allowance());
    expect(await client().check('x'.repeat(8193), 'plan')).toMatchObject({ allowed: false, status: 401 });
    expect(await client().check('ä'.repeat(4097), 'plan')).toMatchObject({ allowed: false, status: 401 });
    expect(asked).toEqual([]);
  });

  test('[G6] is asked once for many at the same time', async () => {
    answering(() => refusal);
    const auth = client();
    const decisions = await Promise.all(Array.from({ length: 50 }, () => auth.check('token', 'plan')));
    expect(decisions).toEqual(Array.from({ length: 50 }, () => refusal));
    expect(asked).toHaveLength(1);
  });

  test('[G6] is another one for another token or document', async () => {
    answering(() => allowance());
    const auth = client();
    await Promise.all([auth.check('a', 'bc'), auth.check('ab', 'c'), auth.check('', 'abc')]);
    expect(asked).toHaveLength(3);
  });
});

describe('what is kept', () => {
  test('[G7] an allowance for 10 s', async () => {
    answering(() => allowance());
    const auth = client();
    await auth.check('token', 'plan');
    nowMs += 9_999;
    await auth.check('token', 'plan');
    expect(asked).toHaveLength(1);
    nowMs += 1;
    await auth.check('token', 'plan');
    expect(asked).toHaveLength(2);
  });

  test('[G7] never past its own end', async () => {
    answering(() => allowance(nowMs + 100));
    const auth = client();
    await auth.check('token', 'plan');
    nowMs += 100;
    await auth.check('token', 'plan');
    expect(asked).toHaveLength(2);
  });

  test('[G7] no refusal, no error', async () => {
    const answers: (Decision | Uint8Array)[] = [refusal, Uint8Array.of(1), allowance()];
    answering(() => answers.shift());
    const auth = client();
    expect(await auth.check('token', 'plan')).toEqual(refusal);
    await expect(auth.check('token', 'plan')).rejects.toThrow(AuthUnavailable);
    expect(await auth.check('token', 'plan')).toMatchObject({ allowed: true });
  });

  test('[G8] no more than the bound: the oldest goes', async () => {
    answering(() => allowance());
    const auth = client({ cachedMax: 2 });
    for (const document of ['a', 'b', 'c', 'b', 'c', 'a']) await auth.check('token', document);
    expect(asked.map((question) => question.document)).toEqual(['a', 'b', 'c', 'a']);
  });
});

describe('a change', () => {
  const of = (session: string) => ({ ...allowance(), session });

  test('[G30] ends what is kept of it, and of nothing else', async () => {
    answering(({ token }) => of(token));
    const auth = client();
    const opened = async () => {
      asked = [];
      for (const token of ['s1', 's2']) for (const document of ['plan', 'notes']) await auth.check(token, document);
      return asked.map(({ token, document }) => `${token} ${document}`);
    };
    expect(await opened()).toHaveLength(4);
    auth.forget({ user: 'somebody else' });
    auth.forget({ user: 'u1', document: 'elsewhere' });
    expect(await opened()).toEqual([]);
    auth.forget({ session: 's2' });
    expect(await opened()).toEqual(['s2 plan', 's2 notes']);
    auth.forget({ user: 'u1', document: 'plan' });
    expect(await opened()).toEqual(['s1 plan', 's2 plan']);
    auth.forget({ document: 'notes' });
    expect(await opened()).toEqual(['s1 notes', 's2 notes']);
    auth.forget({ user: 'u1' });
    expect(await opened()).toHaveLength(4);
    expect(await opened()).toEqual([]);
  });

  test('[G31] a yes that was under way then is asked for again before it is given', async () => {
    const auth = client();
    // As it goes: auth has looked, the right goes, the word of it is heard, then the answer.
    answering(() => {
      if (asked.length > 1) return refusal;
      auth.forget({ user: 'u1' });
      return allowance();
    });
    expect(await auth.check('token', 'plan')).toEqual(refusal);
    expect(await auth.check('token', 'plan')).toEqual(refusal);
  });

  test('[G31] a yes of somebody it does not concern is given as it is', async () => {
    const auth = client();
    answering(() => {
      auth.forget({ user: 'u2' });
      return allowance();
    });
    expect(await auth.check('token', 'plan')).toMatchObject({ allowed: true });
    expect(asked).toHaveLength(1);
  });

  test('[G31] a no is asked for again once', async () => {
    const auth = client();
    answering(() => {
      auth.forget({ document: 'elsewhere' });
      return refusal;
    });
    expect(await auth.check('token', 'plan')).toEqual(refusal);
    expect(asked).toHaveLength(2);
  });

  test('[G31] who is changed without end is given no answer, in time', async () => {
    const auth = client({ timeoutMs: 60 });
    answering(() => {
      auth.forget({ user: 'u1' });
      return allowance();
    });
    await expect(auth.check('token', 'plan')).rejects.toThrow(AuthUnavailable);
  });

  test('[G32] a fresh question is asked, and its no ends what was kept', async () => {
    const answers: Decision[] = [allowance(), refusal, refusal];
    answering(() => answers.shift());
    const auth = client();
    await auth.check('token', 'plan');
    expect(await auth.check('token', 'plan', { fresh: true })).toEqual(refusal);
    expect(await auth.check('token', 'plan')).toEqual(refusal);
    expect(asked).toHaveLength(3);
  });
});

describe('[G9] AuthUnavailable', () => {
  test('when nobody is there', async () => {
    await expect(client({ timeoutMs: 60 }).check('token', 'plan')).rejects.toThrow(AuthUnavailable);
  });

  test('when no answer comes in time, and the next question is a new one', async () => {
    answering(() => (asked.length <= 1 ? undefined : allowance()));
    const auth = client({ timeoutMs: 60 });
    await expect(auth.check('token', 'plan')).rejects.toThrow(AuthUnavailable);
    expect(await auth.check('token', 'plan')).toMatchObject({ allowed: true });
  });

  test('[G11] not for a question that was lost twice: it is asked again', async () => {
    answering(() => (asked.length <= 2 ? undefined : allowance()));
    expect(await client({ timeoutMs: 10_000 }).check('token', 'plan')).toMatchObject({ allowed: true });
    expect(asked).toHaveLength(3);
  });

  test('[G11] not while nobody is there who comes in time', async () => {
    const answer = client({ timeoutMs: 10_000 }).check('token', 'plan');
    setTimeout(() => answering(() => allowance()), 100);
    expect(await answer).toMatchObject({ allowed: true });
  });

  test('at once when the bus is closed', async () => {
    await bus.close();
    await expect(client({ timeoutMs: 60_000 }).check('token', 'plan')).rejects.toThrow(AuthUnavailable);
  });

  test('[G8] when too many questions are under way', async () => {
    answering(() => undefined);
    const auth = client({ underWayMax: 1, timeoutMs: 50 });
    const first = auth.check('a', 'plan');
    await expect(auth.check('b', 'plan')).rejects.toThrow(/1 questions to auth are under way/);
    await expect(first).rejects.toThrow(AuthUnavailable);
  });

  test('without the token in its words', async () => {
    const error = await client({ timeoutMs: 60 })
      .check('secret-token', 'plan')
      .catch((caught: unknown) => caught);
    expect(String(error) + String((error as Error).cause)).not.toContain('secret-token');
  });
});
