import { describe, expect, test } from 'vitest';

import { AccountRefusal } from './account-refusal.ts';
import type { SignedIn } from './accounts.ts';
import { ADDRESS, PASSWORD, useAccounts } from './test-accounts.test-data.ts';

const newAccounts = useAccounts();
const asker = ({ user, sessionId }: SignedIn) => ({ userId: user.id, session: sessionId, address: ADDRESS });
const codeOf = (reason: unknown): string => (reason instanceof AccountRefusal ? reason.code : String(reason));
const refusal = (attempt: Promise<unknown>): Promise<string> => attempt.then(() => 'done', codeOf);

async function newHouse(options: Parameters<typeof newAccounts>[0] = {}) {
  const house = await newAccounts(options);
  const [ada, bob] = [await house.signUpAs('ada'), await house.signUpAs('bob')];
  const role = async ({ accessToken }: SignedIn, document = 'plan') => {
    const decision = await house.decide(accessToken, document);
    return decision.allowed ? decision.role : decision.status;
  };
  return { ...house, ada, bob, role };
}

describe('who may', () => {
  test('[BD1] who opens a document first owns it; nobody else has a right to it', async () => {
    const { ada, bob, role, events, journal } = await newHouse();
    expect(await role(ada)).toBe('owner');
    expect(await role(bob)).toBe(403);
    expect(await role(bob)).toBe(403);
    await journal.flush();
    expect(await events()).toEqual(['sign-up', 'sign-up', 'document-claimed', 'document-refused']);
    const both = await Promise.all([role(ada, 'new'), role(bob, 'new')]);
    expect(new Set(both)).toEqual(new Set([403, 'owner']));
  });

  test('[BD2] a narrowed token claims nothing', async () => {
    const { ada, bob, role, tokens, decide } = await newHouse();
    const wanted = { kind: 'personal', label: 'x', documents: { '*': 'editor' }, lifetimeMs: undefined } as const;
    const { secret } = await tokens.make({ userId: ada.user.id, admin: false }, wanted, ADDRESS);
    expect(await decide(secret)).toMatchObject({ allowed: false, status: 403 });
    expect(await role(bob)).toBe('owner');
  });

  test('[BD3] roles and link: the more of both; given, changed and taken at once', async () => {
    const { ada, bob, role, rights, changes } = await newHouse();
    await role(ada);
    await rights.give(asker(ada), 'plan', 'BOB', 'viewer');
    expect(await role(bob)).toBe('viewer');
    await rights.setLink(asker(ada), 'plan', 'edit');
    expect(await role(bob)).toBe('editor');
    await rights.setLink(asker(ada), 'plan', 'read');
    await rights.give(asker(ada), 'plan', 'bob', 'editor');
    expect(await role(bob)).toBe('editor');
    await rights.take(asker(ada), 'plan', 'bob');
    expect(await role(bob)).toBe('viewer');
    await rights.setLink(asker(ada), 'plan', 'none');
    expect(await role(bob)).toBe(403);
    const plan = { document: 'plan' };
    const bobs = { ...plan, user: bob.user.id };
    expect(changes).toEqual([bobs, plan, plan, bobs, bobs, plan]);
  });

  test('[BD4] a guest has what both the link and the policy give', async () => {
    for (const [guests, link, expected] of [
      ['edit', 'edit', 'editor'],
      ['edit', 'read', 'viewer'],
      ['edit', 'none', 401],
      ['read', 'edit', 'viewer'],
      ['none', 'edit', 401],
    ] as const) {
      const { ada, role, rights, decide } = await newHouse({ guests });
      expect(await decide('')).toMatchObject({ allowed: false, status: 401 });
      await role(ada);
      await rights.setLink(asker(ada), 'plan', link);
      const decision = await decide('');
      expect(decision.allowed ? decision.role : decision.status, `${guests} ${link}`).toBe(expected);
    }
  });

  test('[BD5] an admin changes rights and reads nothing by it', async () => {
    const { ada, bob, role, rights, store } = await newHouse();
    await role(ada);
    await store.setAdmin(bob.user.id, true);
    expect(await role(bob)).toBe(403);
    await rights.give(asker(bob), 'plan', 'bob', 'viewer');
    expect(await role(bob)).toBe('viewer');
  });

  test('[BD6] without Postgres nothing is said, neither yes nor no', async () => {
    const { ada, database, decide } = await newHouse();
    await database.close();
    await expect(decide(ada.accessToken)).rejects.toMatchObject({ code: 'decider-unavailable' });
    // What needs no table is said all the same.
    expect(await decide('nonsense')).toMatchObject({ allowed: false, status: 401 });
  });
});

describe('changing rights', () => {
  test('[AC12] only owner and admin may; others are told neither who is there nor whether there is such a document', async () => {
    const { ada, bob, role, rights, events, journal } = await newHouse();
    await role(ada);
    for (const document of ['plan', 'never opened']) {
      expect(await refusal(rights.see(asker(bob), document))).toBe('forbidden');
      expect(await refusal(rights.give(asker(bob), document, 'bob', 'owner'))).toBe('forbidden');
      expect(await refusal(rights.take(asker(bob), document, 'ada'))).toBe('forbidden');
      expect(await refusal(rights.setLink(asker(bob), document, 'edit'))).toBe('forbidden');
    }
    await rights.give(asker(ada), 'plan', 'bob', 'editor');
    expect(await refusal(rights.give(asker(bob), 'plan', 'bob', 'owner'))).toBe('forbidden');
    expect(await rights.see(asker(bob), 'plan')).toEqual({ role: 'editor', link: 'none', people: undefined });
    expect((await rights.see(asker(ada), 'plan')).people?.map(({ name, role: has }) => [name, has])).toEqual([
      ['ada', 'owner'],
      ['bob', 'editor'],
    ]);
    await journal.flush();
    expect(await events()).toContain('rights-change-refused');
  });

  test('[AC12] a signed-out or disabled person changes nothing', async () => {
    const { ada, role, rights, accounts, store } = await newHouse();
    await role(ada);
    await accounts.signOut(ada.user.id, ada.sessionId, ADDRESS);
    expect(await refusal(rights.setLink(asker(ada), 'plan', 'edit'))).toBe('signed-out');
    const again = await accounts.signIn({ account: 'ada', password: PASSWORD }, ADDRESS);
    await store.setDisabled(ada.user.id, true, 0);
    expect(await refusal(rights.setLink(asker(again), 'plan', 'edit'))).toBe('signed-out');
  });

  test('[AC13] ownership is given away whole: who had it stays as editor', async () => {
    const { ada, bob, role, rights, changes } = await newHouse();
    await role(ada);
    expect(await refusal(rights.take(asker(ada), 'plan', 'ada'))).toBe('conflict');
    expect(await refusal(rights.give(asker(ada), 'plan', 'nobody', 'owner'))).toBe('not-found');
    await rights.give(asker(ada), 'plan', 'bob', 'owner');
    expect([await role(ada), await role(bob)]).toEqual(['editor', 'owner']);
    expect(changes).toEqual([{ document: 'plan' }]);
  });

  test('[AC14] who is invited by address or name has the role from their sign-up on; an invitation can be taken back', async () => {
    const { ada, role, rights, signUpAs } = await newHouse();
    await role(ada);
    expect(await rights.give(asker(ada), 'plan', 'Eve@Example.org', 'editor')).toEqual({ invited: true });
    expect(await rights.give(asker(ada), 'plan', 'mallory', 'editor')).toEqual({ invited: true });
    await rights.take(asker(ada), 'plan', 'Mallory');
    expect(await role(await signUpAs('eve', 'eve@example.ORG'))).toBe('editor');
    expect(await role(await signUpAs('mallory'))).toBe(403);
  });
});
