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

describe('deleted', () => {
  test('[AC15] [BD7] nobody has a right to it, by role, link, guest or service token, and all is told once it is so', async () => {
    const { ada, bob, role, rights, tokens, store, decide, changes, events, journal, signUpAs } = await newHouse({ guests: 'edit' });
    const eve = await signUpAs('eve');
    await role(ada);
    await rights.give(asker(ada), 'plan', 'bob', 'editor');
    await rights.setLink(asker(ada), 'plan', 'read');
    await store.setAdmin(ada.user.id, true);
    const make = async (kind: 'personal' | 'service') =>
      (
        await tokens.make(
          { userId: ada.user.id, admin: true },
          { kind, label: kind, documents: { 'pl*': 'editor' }, lifetimeMs: undefined },
          ADDRESS,
        )
      ).secret;
    const all = [ada.accessToken, bob.accessToken, eve.accessToken, await make('personal'), await make('service'), ''];
    const rolesOfAll = async () => Promise.all(all.map(async (token) => decide(token).then((said) => (said.allowed ? said.role : said))));
    const before = ['owner', 'editor', 'viewer', 'editor', 'editor', 'viewer'];
    expect(await rolesOfAll()).toEqual(before);
    changes.length = 0;

    await rights.delete(asker(ada), 'plan');
    expect(await rolesOfAll()).toEqual(all.map(() => ({ allowed: false, status: 403, reason: 'this document was deleted' })));
    // What else the patterns of a service token name is not concerned.
    expect(await decide(all[4] as string, 'planning')).toMatchObject({ allowed: true, role: 'editor' });

    await rights.restore(asker(ada), 'plan');
    expect(await rolesOfAll()).toEqual(before);
    expect(changes).toEqual([{ document: 'plan' }, { document: 'plan' }]);
    await journal.flush();
    expect((await events()).slice(-5)).toEqual(expect.arrayContaining(['document-deleted', 'document-restored', 'document-refused']));
  });

  test('[BD7] who had no right is not told that it is deleted, and claims nothing', async () => {
    const { ada, bob, role, rights, decide } = await newHouse({ guests: 'edit' });
    await role(ada);
    const told = () => Promise.all([decide(bob.accessToken), decide('')]);
    const before = await told();
    await rights.delete(asker(ada), 'plan');
    expect(await told()).toEqual(before);
    expect(before).toMatchObject([{ status: 403, reason: 'you have no right to this document' }, { status: 401 }]);
    await rights.restore(asker(ada), 'plan');
    expect([await role(ada), await role(bob)]).toEqual(['owner', 403]);
  });

  test('[AC15] its rights do not change meanwhile; owner and admin see them, delete and restore once', async () => {
    const { ada, bob, role, rights, store, clock, changes, signUpAs } = await newHouse();
    const boss = await signUpAs('boss');
    await store.setAdmin(boss.user.id, true);
    expect(await refusal(rights.delete(asker(boss), 'plan'))).toBe('not-found');
    expect(await refusal(rights.restore(asker(boss), 'plan'))).toBe('not-found');
    await role(ada);
    await rights.give(asker(ada), 'plan', 'bob', 'editor');
    await rights.give(asker(ada), 'plan', 'eve', 'viewer');
    for (const document of ['plan', 'never opened']) {
      expect(await refusal(rights.delete(asker(bob), document))).toBe('forbidden');
      expect(await refusal(rights.restore(asker(bob), document))).toBe('forbidden');
    }
    expect(await refusal(rights.restore(asker(ada), 'plan'))).toBe('conflict');
    const rightsBefore = await rights.see(asker(ada), 'plan');

    await rights.delete(asker(ada), 'plan');
    changes.length = 0;
    for (const change of [
      () => rights.delete(asker(ada), 'plan'),
      () => rights.delete(asker(boss), 'plan'),
      () => rights.give(asker(ada), 'plan', 'bob', 'viewer'),
      () => rights.give(asker(ada), 'plan', 'mallory', 'viewer'),
      () => rights.give(asker(ada), 'plan', 'bob', 'owner'),
      () => rights.take(asker(ada), 'plan', 'bob'),
      () => rights.take(asker(ada), 'plan', 'eve'),
      () => rights.setLink(asker(boss), 'plan', 'edit'),
    ]) {
      expect(await refusal(change()), String(change)).toBe('conflict');
    }
    expect(changes).toEqual([]);
    expect(await rights.see(asker(ada), 'plan')).toEqual({ ...rightsBefore, deletedAtMs: clock.nowMs });
    const eve = await signUpAs('eve');
    expect(await role(eve)).toBe(403);
    await rights.restore(asker(boss), 'plan');
    expect([await role(ada), await role(bob), await role(eve), await role(boss)]).toEqual(['owner', 'editor', 'viewer', 403]);
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
    expect(await rights.see(asker(bob), 'plan')).toEqual({ role: 'editor', link: 'none', people: undefined, deletedAtMs: undefined });
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
