import { expect, test } from 'vitest';

import { AccountRefusal } from './account-refusal.ts';
import type { AccountRefusalCode } from './account-refusal.ts';
import { ADDRESS, PASSWORD, START_MS, useAccounts } from './test-accounts.test-data.ts';

const newAccounts = useAccounts();
const DAY_MS = 86_400_000;

async function refusal(attempt: Promise<unknown>): Promise<AccountRefusalCode> {
  const error = await attempt.then(
    () => new Error('it was not refused'),
    (reason: unknown) => reason,
  );
  if (error instanceof AccountRefusal) return error.code;
  throw error;
}

test('[AC1] who signs up is signed in, and can sign in again by name or address, however they are spelled', async () => {
  const { accounts, signUpAs, decide, events } = await newAccounts();
  const ada = await signUpAs('Ada', 'Ada@Example.org');
  expect(await decide(ada.accessToken)).toEqual({
    allowed: true,
    role: 'owner',
    who: { id: ada.user.id, name: 'Ada' },
    session: ada.sessionId,
    untilMs: START_MS + 15 * 60_000 + 5000,
  });
  for (const account of ['Ada', ' ada ', 'ＡＤＡ', 'ada@example.ORG']) {
    const again = await accounts.signIn({ account, password: PASSWORD }, ADDRESS);
    expect(again.user.id).toBe(ada.user.id);
    expect(again.sessionId).not.toBe(ada.sessionId);
  }
  expect(await events()).toEqual(['sign-up', 'document-claimed', 'sign-in', 'sign-in', 'sign-in', 'sign-in']);
});

test('[AC1] a name or an address is given once; nobody passes for another by spelling', async () => {
  const { signUpAs } = await newAccounts();
  await signUpAs('Ada', 'ada@example.org');
  for (const [name, email] of [['ada'], ['ＡＤＡ'], ['other', 'ADA@example.org']] as const) {
    expect(await refusal(signUpAs(name, email))).toBe('taken');
  }
});

test.each(['', ' ', 'a b', 'a@b', '-a', 'a\0', 'a\u202Eb', 'x'.repeat(51), "a'; DROP TABLE users"])(
  'the user name %j is refused',
  async (name) => {
    const { signUpAs } = await newAccounts();
    expect(await refusal(signUpAs(name))).toBe('bad-request');
  },
);

test('[AC1] where the operator makes accounts nobody signs up', async () => {
  const { signUpAs } = await newAccounts({ signUp: false });
  expect(await refusal(signUpAs('ada'))).toBe('forbidden');
});

test('[AC2] wrong password, no account: the same code, the same words', async () => {
  const { accounts, signUpAs, events } = await newAccounts();
  await signUpAs('ada');
  const told = async (account: string) => {
    const error = await accounts.signIn({ account, password: 'wrong password' }, ADDRESS).catch((reason: unknown) => reason);
    if (!(error instanceof AccountRefusal)) throw new Error('it was not refused');
    return [error.code, error.message, error.retryAfterMs];
  };
  expect(await told('nobody')).toEqual(await told('ada'));
  expect(await events()).toEqual(['sign-up', 'sign-in-refused', 'sign-in-refused']);
});

test('[AC4] an access token is good for 15 minutes, and no longer than its session', async () => {
  const { signUpAs, accounts, clock, decide } = await newAccounts();
  const ada = await signUpAs('ada');
  clock.nowMs += 15 * 60_000 + 4000;
  expect(await decide(ada.accessToken)).toMatchObject({ allowed: true });
  clock.nowMs += 2000;
  expect(await decide(ada.accessToken)).toEqual({ allowed: false, status: 401, reason: 'token expired' });
  clock.nowMs = START_MS + 30 * DAY_MS - 60_000;
  const late = await accounts.refresh(ada.refreshToken, ADDRESS);
  expect(late.accessExpiresAtMs).toBe(START_MS + 30 * DAY_MS);
  expect(late.refreshExpiresAtMs).toBe(START_MS + 30 * DAY_MS);
  clock.nowMs += 60_000;
  expect(await refusal(accounts.refresh(late.refreshToken, ADDRESS))).toBe('signed-out');
});

test('[AC5] a refresh token is good once; used twice, the whole session is over, and gateways are told', async () => {
  const { signUpAs, accounts, changes, decide, events } = await newAccounts();
  const first = await signUpAs('ada');
  const second = await accounts.refresh(first.refreshToken, ADDRESS);
  expect(second.sessionId).toBe(first.sessionId);
  expect(await decide(second.accessToken)).toMatchObject({ allowed: true });
  expect(await refusal(accounts.refresh(first.refreshToken, '198.51.100.7'))).toBe('signed-out');
  expect(changes).toEqual([{ user: first.user.id, session: first.sessionId }]);
  expect(await refusal(accounts.refresh(second.refreshToken, ADDRESS))).toBe('signed-out');
  for (const { accessToken } of [first, second]) {
    expect(await decide(accessToken)).toEqual({ allowed: false, status: 401, reason: 'this sign-in is over: sign in again' });
  }
  expect(await events()).toContain('refresh-token-reused');
  for (const odd of ['', 'x', second.accessToken, `weft_r_${'A'.repeat(43)}`]) {
    expect(await refusal(accounts.refresh(odd, ADDRESS))).toBe('signed-out');
  }
});

test('[AC16] refresh tokens worth nothing are slowed by address; a good one never is, and one used twice ends its session all the same', async () => {
  const { signUpAs, accounts, clock, decide } = await newAccounts();
  const [ada, bob] = [await signUpAs('ada'), await signUpAs('bob')];
  const nobodys = `weft_r_${'A'.repeat(43)}`;
  const fail = (token = nobodys, address = ADDRESS) => refusal(accounts.refresh(token, address));
  // No token tries nothing.
  for (let index = 0; index < 30; index += 1) expect(await fail('')).toBe('signed-out');
  for (let index = 0; index < 21; index += 1) expect(await fail(index % 2 === 0 ? nobodys : 'x')).toBe('signed-out');
  for (const token of [nobodys, 'x']) {
    await expect(accounts.refresh(token, ADDRESS)).rejects.toMatchObject({ code: 'too-many-attempts', retryAfterMs: 1000 });
  }
  expect(await fail(nobodys, '192.0.2.2')).toBe('signed-out');

  const replaced = ada.refreshToken;
  let last = ada;
  for (let index = 0; index < 30; index += 1) last = await accounts.refresh(last.refreshToken, ADDRESS);
  expect(await decide(last.accessToken, 'plan')).toMatchObject({ allowed: true });
  await accounts.signIn({ account: 'bob', password: PASSWORD }, ADDRESS);

  expect(await fail(replaced)).toBe('too-many-attempts');
  expect(await decide(last.accessToken, 'plan')).toMatchObject({ allowed: false, status: 401 });
  clock.nowMs += 1000;
  expect(await fail()).toBe('signed-out');
  await expect(accounts.refresh(nobodys, ADDRESS)).rejects.toMatchObject({ code: 'too-many-attempts', retryAfterMs: 2000 });
  await accounts.refresh(bob.refreshToken, ADDRESS);
});

test('[AC7] sign out here, sign out everywhere', async () => {
  const { signUpAs, accounts, changes, decide } = await newAccounts();
  const here = await signUpAs('ada');
  const there = await accounts.signIn({ account: 'ada', password: PASSWORD }, ADDRESS);
  const bob = await signUpAs('bob');
  const lives = async () =>
    Promise.all([here, there, bob].map(async ({ accessToken, user }) => (await decide(accessToken, `of ${user.name}`)).allowed));
  expect(await lives()).toEqual([true, true, true]);
  await accounts.signOut(here.user.id, here.sessionId, ADDRESS);
  await accounts.signOut(here.user.id, bob.sessionId, ADDRESS);
  expect(await lives()).toEqual([false, true, true]);
  await accounts.signOutEverywhere(here.user.id, ADDRESS);
  expect(await lives()).toEqual([false, false, true]);
  expect(changes).toEqual([{ user: here.user.id, session: here.sessionId }, { user: here.user.id }]);
  expect(await refusal(accounts.refresh(there.refreshToken, ADDRESS))).toBe('signed-out');
});

test('[AC8] a new password ends every other sign-in', async () => {
  const { signUpAs, accounts, decide, changes } = await newAccounts();
  const ada = await signUpAs('ada');
  const change = (from: string, to: string) => accounts.changePassword(ada.user.id, { from, to }, ADDRESS);
  expect(await refusal(change('wrong password', 'another password'))).toBe('wrong-credentials');
  expect(await refusal(change(PASSWORD, 'short'))).toBe('bad-request');
  const after = await change(PASSWORD, 'another password');
  expect(await decide(ada.accessToken)).toMatchObject({ allowed: false });
  expect(await decide(after.accessToken)).toMatchObject({ allowed: true });
  expect(changes).toEqual([{ user: ada.user.id }]);
  expect(await refusal(accounts.signIn({ account: 'ada', password: PASSWORD }, ADDRESS))).toBe('wrong-credentials');
});

test('[AC9] a disabled person is out at once, cannot refresh, and is told so only with the right password', async () => {
  const { signUpAs, accounts, people, decide, changes } = await newAccounts();
  const ada = await signUpAs('ada');
  const boss = await signUpAs('boss');
  await people.setDisabled(boss.user.id, ada.user.id, true, ADDRESS);
  expect(changes).toEqual([{ user: ada.user.id }]);
  expect(await decide(ada.accessToken)).toMatchObject({ allowed: false, status: 401 });
  expect(await refusal(accounts.refresh(ada.refreshToken, ADDRESS))).toBe('signed-out');
  expect(await refusal(accounts.signIn({ account: 'ada', password: 'wrong password' }, ADDRESS))).toBe('wrong-credentials');
  expect(await refusal(accounts.signIn({ account: 'ada', password: PASSWORD }, ADDRESS))).toBe('disabled');
  await people.setDisabled(boss.user.id, ada.user.id, false, ADDRESS);
  expect(await decide(ada.accessToken)).toMatchObject({ allowed: false, status: 401 });
  expect((await accounts.signIn({ account: 'ada', password: PASSWORD }, ADDRESS)).user.id).toBe(ada.user.id);
  expect(await refusal(people.setDisabled(boss.user.id, boss.user.id, true, ADDRESS))).toBe('conflict');
  expect(await refusal(people.setDisabled(boss.user.id, 'nobody', true, ADDRESS))).toBe('not-found');
});

test('[AC10] personal tokens act for their person, narrowed; service tokens for themselves; both end', async () => {
  const { signUpAs, tokens, decide, changes, people, clock } = await newAccounts();
  const ada = await signUpAs('ada');
  const owner = { userId: ada.user.id, admin: false };
  const admin = { userId: ada.user.id, admin: true };
  await decide(ada.accessToken, 'plan');
  const make = (by: typeof owner, change: object) =>
    tokens.make(by, { kind: 'personal', label: 'laptop', documents: undefined, lifetimeMs: undefined, ...change }, ADDRESS);
  const whole = await make(owner, {});
  const reader = await make(owner, { documents: { plan: 'viewer' }, lifetimeMs: 60_000 });
  expect(await decide(whole.secret)).toMatchObject({ allowed: true, role: 'owner', who: { id: ada.user.id, name: 'ada' } });
  expect(await decide(whole.secret)).not.toHaveProperty('session');
  expect(await decide(reader.secret)).toMatchObject({ allowed: true, role: 'viewer', untilMs: START_MS + 60_000 });
  expect(await decide(reader.secret, 'other')).toMatchObject({ allowed: false, status: 403 });
  expect(await refusal(make(owner, { kind: 'service', documents: { '*': 'editor' } }))).toBe('forbidden');
  expect(await refusal(make(admin, { kind: 'service' }))).toBe('bad-request');
  const service = await make(admin, { kind: 'service', label: 'importer', documents: { 'notes/*': 'editor' } });
  const serviceId = `service:${service.token.id}`;
  expect(await decide(service.secret, 'notes/1')).toMatchObject({ role: 'editor', who: { id: serviceId, name: 'importer' } });
  expect(await decide(service.secret, 'plan')).toMatchObject({ allowed: false, status: 403 });
  expect((await tokens.list(owner)).map(({ id }) => id).toSorted()).toEqual(
    [whole, reader, service].map(({ token }) => token.id).toSorted(),
  );
  clock.nowMs += 60_000;
  expect(await decide(reader.secret)).toMatchObject({ allowed: false, status: 401 });
  await tokens.end(owner, whole.token.id, ADDRESS);
  await tokens.end(owner, service.token.id, ADDRESS);
  expect(changes).toEqual([{ user: ada.user.id }, { user: serviceId }]);
  for (const { secret } of [whole, service]) expect(await decide(secret, 'notes/1')).toMatchObject({ allowed: false, status: 401 });
  expect(await refusal(tokens.end(owner, whole.token.id, ADDRESS))).toBe('not-found');
  // A disabled person's tokens are worth nothing either, and who keeps an allowance of one is told.
  const last = [await make(owner, {}), await make(admin, { kind: 'service', documents: { '*': 'viewer' } })];
  changes.length = 0;
  await people.setDisabled('an admin', ada.user.id, true, ADDRESS);
  expect(changes).toEqual([{ user: ada.user.id }, { user: `service:${last[1]?.token.id}` }]);
  for (const { secret } of last) expect(await decide(secret)).toMatchObject({ allowed: false, status: 401 });
});

test('[A7] no secret is in the audit log or in what is logged', async () => {
  const { signUpAs, accounts, tokens, lines, database } = await newAccounts();
  const ada = await signUpAs('ada');
  const after = await accounts.refresh(ada.refreshToken, ADDRESS);
  await refusal(accounts.refresh(ada.refreshToken, ADDRESS));
  await refusal(accounts.signIn({ account: 'ada', password: 'a wrong secret' }, ADDRESS));
  const made = await tokens.make(
    { userId: ada.user.id, admin: false },
    { kind: 'personal', label: 'x', documents: undefined, lifetimeMs: undefined },
    ADDRESS,
  );
  const { rows } = await database.query(`SELECT coalesce(string_agg(a::text, ' '), '') AS all FROM weft.audit_log a`);
  const written = `${String(rows[0]?.['all'])}${lines.join('')}`;
  expect(written).toContain('refresh-token-reused');
  for (const secret of [PASSWORD, 'a wrong secret', ada.refreshToken, after.refreshToken, ada.accessToken, made.secret]) {
    expect(written).not.toContain(secret);
  }
});
