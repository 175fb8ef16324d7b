import type { Allowed, Decision } from '@weft/grants';
import { beforeEach, describe, expect, test } from 'vitest';
import { LiveRights } from './live-rights.ts';
import type { Right, RightHolder } from './right.ts';

let nowMs: number;
let timers: { atMs: number; run: () => void }[];
let rights: LiveRights;
/** Questions under way, oldest first. */
let questions: { token: string; document: string; answer: (decision: Decision) => Promise<void>; fail: () => Promise<void> }[];
let asked: string[];
let reports: string[];

beforeEach(() => {
  nowMs = 1_000_000;
  timers = [];
  questions = [];
  asked = [];
  reports = [];
  rights = new LiveRights({
    nowMs: () => nowMs,
    wallMs: () => nowMs,
    after: (ms, run) => void timers.push({ atMs: nowMs + ms, run }),
    check: (token, document) => {
      asked.push(`${token} ${document}`);
      return new Promise((resolve, reject) => {
        questions.push({
          token,
          document,
          answer: (decision) => settled(() => resolve(decision)),
          fail: () => settled(() => reject(new Error('auth is away'))),
        });
      });
    },
    report: (event) => void reports.push(event),
  });
});

async function settled(settle: () => void): Promise<void> {
  settle();
  for (let i = 0; i < 5; i++) await Promise.resolve();
}

const yes = (user = 'ada', more: Partial<Allowed> = {}): Allowed => ({
  allowed: true,
  role: 'editor',
  who: { id: user, name: user },
  untilMs: nowMs + 3_600_000,
  ...more,
});
const no: Decision = { allowed: false, status: 403, reason: 'no' };

class Holder implements RightHolder {
  readonly graceMs = 10_000;
  readonly heard: string[] = [];
  right: Right | undefined;
  decided(decision: Decision): void {
    this.heard.push(decision.allowed ? decision.role : decision.reason);
  }
  ending(): void {
    this.heard.push('ending');
  }
  ended(): void {
    this.heard.push('ended');
    if (this.right) rights.drop(this.right);
  }
}

function hold(token: string, document: string, allowed: Allowed = yes()): Holder {
  const holder = new Holder();
  holder.right = rights.hold(document, { token, allowed }, holder);
  return holder;
}

function pass(ms: number): void {
  for (const endMs = nowMs + ms; nowMs < endMs;) {
    nowMs += 200;
    const due = timers.filter(({ atMs }) => atMs <= nowMs);
    timers = timers.filter(({ atMs }) => atMs > nowMs);
    for (const { run } of due) run();
    rights.tick();
  }
}

describe('[GW12] a change', () => {
  test('asks again whom it concerns, by user, session, document and what was last allowed', async () => {
    hold('t1', 'plan', yes('ada', { session: 's1' }));
    const moved = hold('t2', 'notes', yes('ada', { session: 's2' }));
    hold('t3', 'plan', yes('bob'));
    rights.changed({ user: 'ada', document: 'plan' });
    rights.changed({ session: 's2' });
    rights.changed({ document: 'elsewhere' });
    expect(asked).toEqual(['t1 plan', 't2 notes']);
    await questions[1]!.answer(yes('carol', { session: 's3', role: 'viewer' }));
    expect(moved.heard).toEqual(['viewer']);
    rights.changed({ session: 's2' });
    rights.changed({ user: 'carol' });
    expect(asked).toEqual(['t1 plan', 't2 notes', 't2 notes']);
  });

  test('of thousands is at most 200 questions at a time, and reaches all', async () => {
    const holders = Array.from({ length: 3_000 }, (_, i) => hold(`t${i}`, 'plan'));
    rights.changed({ document: 'plan' });
    let most = 0;
    while (questions.length > 0) {
      most = Math.max(most, questions.length);
      await questions.shift()!.answer(yes('ada', { role: 'viewer' }));
    }
    expect(most).toBe(200);
    expect(asked).toHaveLength(3_000);
    expect(holders.every(({ heard }) => heard.join() === 'viewer')).toBe(true);
  });

  test('that comes while the same is being asked is asked for once more', async () => {
    const holder = hold('t', 'plan');
    rights.changed({ user: 'ada' });
    rights.changed({ user: 'ada' });
    rights.changed({ user: 'ada' });
    expect(asked).toHaveLength(1);
    await questions[0]!.answer(yes());
    expect(asked).toHaveLength(2);
    await questions[1]!.answer(no);
    expect(holder.heard).toEqual(['editor', 'no']);
  });

  test('says nothing to who has left, or brought another token meanwhile', async () => {
    const gone = hold('t1', 'plan');
    const renewed = hold('t2', 'plan');
    rights.changed({ user: 'ada' });
    rights.drop(gone.right!);
    rights.renew(renewed.right!, { token: 't3', allowed: yes() });
    for (const question of questions.splice(0, 2)) await question.answer(no);
    expect([...gone.heard, ...renewed.heard]).toEqual([]);
  });
});

test('[GW13] "unavailable" changes nothing, is said once and asked again', async () => {
  const holder = hold('t', 'plan');
  rights.changed({ user: 'ada' });
  for (let i = 0; i < 3; i++) {
    await questions.shift()!.fail();
    // Meanwhile its turn comes, too: still one question.
    rights.recheck(0, 1);
    await questions.shift()!.fail();
    expect(questions).toEqual([]);
    pass(2_000);
    expect(questions).toHaveLength(1);
  }
  expect(holder.heard).toEqual([]);
  expect(reports).toEqual(['auth-unavailable']);
  await questions.shift()!.answer(no);
  expect(holder.heard).toEqual(['no']);
});

describe('[GW14] who comes in', () => {
  test.each([
    [89_000, 1],
    [91_000, 0],
  ])('%i ms after a change is asked for again: %i', (laterMs, times) => {
    rights.changed({ user: 'ada' });
    pass(laterMs);
    hold('t', 'plan');
    hold('other', 'plan', yes('bob'));
    expect(asked).toHaveLength(times);
  });

  test('everybody is asked for once in all turns', () => {
    for (let i = 0; i < 100; i++) hold(`t${i}`, 'plan');
    const perTurn: number[] = [];
    for (let turn = 0; turn < 60; turn++) {
      const before = asked.length;
      rights.recheck(turn, 60);
      perTurn.push(asked.length - before);
    }
    expect(new Set(asked).size).toBe(100);
    expect(Math.max(...perTurn)).toBe(2);
  });
});

describe('[GW15] before its end', () => {
  test('a right is asked for, then the client, then it is over', async () => {
    const holder = hold('t', 'plan', yes('ada', { untilMs: nowMs + 3_600_000 }));
    pass(3_600_000 - 30_200);
    expect(asked).toEqual([]);
    pass(200);
    expect(asked).toEqual(['t plan']);
    await questions[0]!.answer(holder.right!.allowed);
    expect(holder.heard).toEqual(['editor', 'ending']);
    pass(30_000 + 9_800);
    expect(holder.heard).toEqual(['editor', 'ending']);
    pass(200);
    expect(holder.heard).toEqual(['editor', 'ending', 'ended']);
    pass(10_000);
    expect(holder.heard).toHaveLength(3);
    expect(asked).toHaveLength(1);
  });

  test('the client is asked when nobody can say, too', async () => {
    const holder = hold('t', 'plan', yes('ada', { untilMs: nowMs + 60_000 }));
    pass(30_000);
    await questions[0]!.fail();
    expect(holder.heard).toEqual(['ending']);
  });

  test('who is given more time is not asked', async () => {
    const holder = hold('t', 'plan', yes('ada', { untilMs: nowMs + 60_000 }));
    for (let i = 0; i < 10; i++) {
      pass(30_000);
      await questions.shift()!.answer(yes('ada', { untilMs: nowMs + 60_000 }));
    }
    expect(new Set(holder.heard)).toEqual(new Set(['editor']));
  });

  test('an issuer of short tokens is asked at half of their time, and not without end', async () => {
    const holder = hold('t0', 'plan', yes('ada', { untilMs: nowMs + 20_000 }));
    for (let i = 1; i <= 3; i++) {
      pass(9_800);
      expect(questions).toEqual([]);
      pass(200);
      await questions.shift()!.answer(holder.right!.allowed);
      rights.renew(holder.right!, { token: `t${i}`, allowed: yes('ada', { untilMs: nowMs + 20_000 }) });
    }
    expect(holder.heard.filter((what) => what === 'ending')).toHaveLength(3);
    // The same token again and again.
    for (let i = 0; i < 100; i++) {
      for (const question of questions.splice(0)) await question.answer(holder.right!.allowed);
      rights.renew(holder.right!, { token: 't3', allowed: holder.right!.allowed });
      pass(200);
    }
    expect(holder.heard.filter((what) => what === 'ending').length).toBeLessThan(5);
  });

  test('an end that no timer reaches is none yet', () => {
    const holder = hold('t', 'plan', yes('ada', { untilMs: nowMs + 2 ** 40 }));
    pass(1_000);
    expect(holder.heard).toEqual([]);
    expect(timers).toEqual([]);
  });

  test('close to its end a right is not asked for in its turn: its grace would be over with it', () => {
    hold('t', 'plan', yes('ada', { untilMs: nowMs + 4_000 }));
    rights.recheck(0, 1);
    expect(asked).toEqual([]);
  });
});
