import { createHash, randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { useDatabases } from '../test-database.test-data.ts';
import type { Addressee } from './document-access.ts';
import { IdentityStore } from './identity-store.ts';

const newDatabase = useDatabases();
const NOW_MS = 1_800_000_000_000;
const DAY_MS = 86_400_000;
const hashOf = (text: string): Uint8Array => createHash('sha256').update(text).digest();
const byName = (name: string): Addressee => ({ knownBy: 'user-name', key: name, spelled: name });
const byEmail = (email: string): Addressee => ({ knownBy: 'email', key: email, spelled: email });

async function newStore() {
  const { database } = await newDatabase();
  const store = new IdentityStore(database);
  const person = async (name: string, email?: string): Promise<string> => {
    const id = randomUUID();
    const given = email === undefined ? undefined : { address: email, key: email };
    const user = await store.addUser({ id, name, nameKey: name, email: given, passwordHash: `hash of ${name}` }, NOW_MS);
    if (user === undefined) throw new Error(`${name} is taken`);
    return id;
  };
  const session = async (userId: string, first: string, createdAtMs = NOW_MS): Promise<string> => {
    const id = randomUUID();
    await store.startSession({ id, userId, createdAtMs, expiresAtMs: createdAtMs + 30 * DAY_MS, refreshHash: hashOf(first) });
    return id;
  };
  const rotate = (from: string, to: string, nowMs = NOW_MS) =>
    store.rotateRefreshToken({ hash: hashOf(from), nextHash: hashOf(to), nowMs });
  return { database, store, person, session, rotate };
}

test('[ST14] a person is found by name or address; both are theirs alone', async () => {
  const { store, person } = await newStore();
  const id = await person('ada', 'ada@example.org');
  const ada = {
    id,
    name: 'ada',
    email: 'ada@example.org',
    admin: false,
    disabled: false,
    createdAtMs: NOW_MS,
    passwordHash: 'hash of ada',
  };
  expect(await store.findUserByKey('ada')).toEqual(ada);
  expect(await store.findUserByKey('ada@example.org')).toEqual(ada);
  expect(await store.findUser(id)).toEqual(ada);
  expect(await store.findUserByKey('nobody')).toBeUndefined();
  await expect(person('ada')).rejects.toThrow('taken');
  await expect(person('other', 'ada@example.org')).rejects.toThrow('taken');
  const many = await Promise.allSettled(Array.from({ length: 8 }, () => person('bob', 'bob@example.org')));
  expect(many.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
});

test('[ST15] a refresh token works once, and once more ends the whole family', async () => {
  const { store, person, session, rotate } = await newStore();
  const user = await person('ada');
  const id = await session(user, 'one');
  expect(await rotate('one', 'two')).toMatchObject({ outcome: 'rotated', sessionId: id, user: { id: user, name: 'ada' } });
  expect(await rotate('two', 'three')).toMatchObject({ outcome: 'rotated' });
  expect(await rotate('one', 'stolen')).toEqual({ outcome: 'reused', userId: user, sessionId: id, ended: true });
  expect(await rotate('three', 'four')).toEqual({ outcome: 'refused' });
  expect(await rotate('stolen', 'four')).toEqual({ outcome: 'refused' });
  expect(await rotate('one', 'again')).toMatchObject({ outcome: 'reused', ended: false });
  expect(await rotate('never given', 'four')).toEqual({ outcome: 'refused' });
  expect(await store.standingOf({ userId: user, sessionId: id, document: 'plan' }, NOW_MS)).toMatchObject({ sessionLives: false });
});

test('[ST15] of many that bring the same token at once none stays signed in', async () => {
  const { store, person, session, rotate } = await newStore();
  const user = await person('ada');
  await session(user, 'one');
  const outcomes = await Promise.all(Array.from({ length: 8 }, (_, index) => rotate('one', `next ${index}`)));
  expect(outcomes.filter(({ outcome }) => outcome === 'rotated').length).toBeLessThanOrEqual(1);
  expect(outcomes.filter((one) => one.outcome === 'reused' && one.ended)).toHaveLength(1);
  expect(await store.sessionsOf(user, NOW_MS)).toEqual([]);
  const next = await Promise.all(Array.from({ length: 8 }, (_, index) => rotate(`next ${index}`, `after ${index}`)));
  expect(next.map(({ outcome }) => outcome)).toEqual(next.map(() => 'refused'));
});

test('[ST16] sessions end: their time, sign-out here, sign-out everywhere, disabled, too many', async () => {
  const { store, person, session, rotate } = await newStore();
  const user = await person('ada');
  const other = await person('bob');
  const [here, there] = [await session(user, 'here'), await session(user, 'there')];
  const lives = async (sessionId: string) => (await store.standingOf({ userId: user, sessionId, document: 'd' }, NOW_MS))?.sessionLives;
  expect(await lives(here)).toBe(true);
  expect(await store.endSession(other, here, NOW_MS)).toBe(false);
  expect(await store.endSession(user, here, NOW_MS)).toBe(true);
  expect(await store.endSession(user, here, NOW_MS)).toBe(false);
  expect(await lives(here)).toBe(false);
  expect(await rotate('there', 'late', NOW_MS + 30 * DAY_MS)).toEqual({ outcome: 'refused' });
  expect(await store.endSessionsOf(user, NOW_MS)).toEqual([there]);
  const again = await session(user, 'again');
  expect(await store.setDisabled(user, true, NOW_MS)).toBe(true);
  expect(await rotate('again', 'more')).toEqual({ outcome: 'refused' });
  expect(await store.standingOf({ userId: user, sessionId: again, document: 'd' }, NOW_MS)).toMatchObject({ disabled: true });
  // Another person's session is nobody's proof.
  expect(await store.standingOf({ userId: other, sessionId: again, document: 'd' }, NOW_MS)).toMatchObject({ sessionLives: false });
  const first = await session(other, 'first', NOW_MS - 1000);
  for (let index = 0; index < 50; index += 1) await session(other, `device ${index}`);
  expect(await store.sessionsOf(other, NOW_MS)).toHaveLength(50);
  expect(await store.standingOf({ userId: other, sessionId: first, document: 'd' }, NOW_MS)).toMatchObject({ sessionLives: false });
});

test('[ST17] the first who claims a document has it', async () => {
  const { store, person } = await newStore();
  const people = await Promise.all(['ada', 'bob', 'eve'].map((name) => person(name)));
  const claims = await Promise.all(people.map((id) => store.claimDocument('plan', id, NOW_MS)));
  expect(claims.filter(Boolean)).toHaveLength(1);
  const owner = people[claims.indexOf(true)] as string;
  for (const userId of people) {
    expect((await store.standingOf({ userId, document: 'plan' }, NOW_MS))?.role).toBe(userId === owner ? 'owner' : undefined);
  }
});

test('roles, link and ownership: given, changed, taken, listed', async () => {
  const { store, person } = await newStore();
  const [ada, bob] = [await person('ada'), await person('bob')];
  const standing = (userId: string) => store.standingOf({ userId, document: 'plan' }, NOW_MS);
  expect(await store.setLink('plan', 'edit')).toBe(false);
  expect(await store.giveRole('plan', { to: byName('bob'), role: 'viewer', nowMs: NOW_MS })).toEqual({ outcome: 'unknown-document' });
  await store.claimDocument('plan', ada, NOW_MS);
  expect(await store.giveRole('plan', { to: byName('bob'), role: 'viewer', nowMs: NOW_MS })).toEqual({ outcome: 'done', userId: bob });
  expect(await store.giveRole('plan', { to: byName('bob'), role: 'editor', nowMs: NOW_MS })).toEqual({ outcome: 'done', userId: bob });
  expect(await store.giveRole('plan', { to: byName('ada'), role: 'editor', nowMs: NOW_MS })).toEqual({ outcome: 'is-owner' });
  expect(await store.takeRole('plan', byName('ada'))).toEqual({ outcome: 'is-owner' });
  expect(await store.takeRole('plan', byName('eve'))).toEqual({ outcome: 'unknown-person' });
  expect(await store.setLink('plan', 'read')).toBe(true);
  expect(await standing(bob)).toMatchObject({ role: 'editor', link: 'read' });
  expect(await store.giveOwnership('plan', byName('nobody'), NOW_MS)).toEqual({ outcome: 'unknown-person' });
  expect(await store.giveOwnership('plan', byName('bob'), NOW_MS)).toEqual({ outcome: 'done', userId: bob });
  expect(await store.peopleOf('plan')).toEqual([
    { userId: bob, name: 'bob', role: 'owner', knownBy: undefined },
    { userId: ada, name: 'ada', role: 'editor', knownBy: undefined },
  ]);
  expect(await store.takeRole('plan', byName('ada'))).toEqual({ outcome: 'done', userId: ada });
  expect((await standing(ada))?.role).toBeUndefined();
  expect(await store.accessTo('plan')).toEqual({ link: 'read', deleted: false });
  expect(await store.accessTo('other')).toBeUndefined();
});

test('[ST21] a deleted document is nobody’s to claim or change, and comes back as it was', async () => {
  const { store, person } = await newStore();
  const [ada, bob, eve] = [await person('ada'), await person('bob'), await person('eve')];
  const give = (name: string) => store.giveRole('plan', { to: byName(name), role: 'viewer', nowMs: NOW_MS });
  const standing = (userId: string) => store.standingOf({ userId, document: 'plan' }, NOW_MS);
  expect(await store.deleteDocument('plan', NOW_MS)).toBe(false);
  await store.claimDocument('plan', ada, NOW_MS);
  await give('bob');
  await give('mallory');
  await store.setLink('plan', 'read');
  expect(await store.restoreDocument('plan')).toBe(false);
  const people = await store.peopleOf('plan');

  expect(await store.deleteDocument('plan', NOW_MS)).toBe(true);
  expect(await store.deleteDocument('plan', NOW_MS + 1)).toBe(false);
  expect(await standing(ada)).toMatchObject({ role: 'owner', link: 'read', deletedAtMs: NOW_MS });
  expect(await store.accessTo('plan')).toEqual({ link: 'read', deleted: true });
  expect(await store.claimDocument('plan', eve, NOW_MS)).toBe(false);
  expect(await store.setLink('plan', 'edit')).toBe(false);
  for (const change of [give('bob'), give('eve'), give('nobody yet'), store.takeRole('plan', byName('bob'))]) {
    expect(await change).toEqual({ outcome: 'deleted' });
  }
  expect(await store.giveOwnership('plan', byName('bob'), NOW_MS)).toEqual({ outcome: 'deleted' });
  expect(await store.peopleOf('plan')).toEqual(people);
  const mallory = await person('mallory');

  expect(await store.restoreDocument('plan')).toBe(true);
  expect(await store.restoreDocument('plan')).toBe(false);
  const asItWas = { link: 'read', deletedAtMs: undefined };
  expect(await standing(ada)).toMatchObject({ role: 'owner', ...asItWas });
  expect(await standing(bob)).toMatchObject({ role: 'viewer', ...asItWas });
  expect(await standing(mallory)).toMatchObject({ role: 'viewer', ...asItWas });
  expect(await standing(eve)).toMatchObject({ role: undefined, ...asItWas });
});

test('[ST18] invitations become roles at sign-up, the higher one counts, and are gone then', async () => {
  const { store, person } = await newStore();
  const ada = await person('ada');
  await store.claimDocument('plan', ada, NOW_MS);
  await store.claimDocument('notes', ada, NOW_MS);
  const give = (document: string, to: Addressee, role: 'editor' | 'viewer') => store.giveRole(document, { to, role, nowMs: NOW_MS });
  expect(await give('plan', byEmail('bob@example.org'), 'viewer')).toEqual({ outcome: 'done', userId: undefined });
  await give('plan', byName('bob'), 'editor');
  await give('notes', byEmail('bob@example.org'), 'viewer');
  await give('notes', byName('eve'), 'viewer');
  expect(await store.peopleOf('plan')).toHaveLength(3);
  const bob = await person('bob', 'bob@example.org');
  expect(await store.standingOf({ userId: bob, document: 'plan' }, NOW_MS)).toMatchObject({ role: 'editor' });
  expect(await store.standingOf({ userId: bob, document: 'notes' }, NOW_MS)).toMatchObject({ role: 'viewer' });
  expect((await store.peopleOf('plan')).map(({ name, knownBy }) => [name, knownBy])).toEqual([
    ['ada', undefined],
    ['bob', undefined],
  ]);
  expect(await store.takeRole('notes', byName('eve'))).toEqual({ outcome: 'done', userId: undefined });
  expect((await store.peopleOf('notes')).map(({ name }) => name)).toEqual(['ada', 'bob']);
});

test('[ST18] an invitation and a sign-up at the same moment never miss each other', async () => {
  const { store, person } = await newStore();
  await store.claimDocument('plan', await person('ada'), NOW_MS);
  for (let round = 0; round < 30; round += 1) {
    const name = `guest${round}`;
    const [, id] = await Promise.all([store.giveRole('plan', { to: byName(name), role: 'viewer', nowMs: NOW_MS }), person(name)]);
    expect((await store.standingOf({ userId: id, document: 'plan' }, NOW_MS))?.role).toBe('viewer');
  }
});

test('[ST19] a program token is found by its hash until it is ended or its time is over', async () => {
  const { store, person } = await newStore();
  const ada = await person('ada');
  const token = { id: 't1', kind: 'personal', userId: ada, hash: hashOf('secret'), label: 'laptop', createdAtMs: NOW_MS } as const;
  await store.addProgramToken({ ...token, documents: { 'notes/*': 'viewer' }, expiresAtMs: NOW_MS + 1000 });
  const bearer = {
    id: 't1',
    kind: 'personal',
    userId: ada,
    label: 'laptop',
    documents: { 'notes/*': 'viewer' },
    expiresAtMs: NOW_MS + 1000,
    disabled: false,
  };
  expect(await store.bearerOf(hashOf('secret'), NOW_MS)).toEqual(bearer);
  expect(await store.bearerOf(hashOf('secret'), NOW_MS + 1000)).toBeUndefined();
  expect(await store.bearerOf(hashOf('other'), NOW_MS)).toBeUndefined();
  expect(await store.programTokensOf(ada)).toMatchObject([{ id: 't1', label: 'laptop', createdAtMs: NOW_MS }]);
  expect(await store.endProgramToken('somebody else', 't1', NOW_MS)).toBeUndefined();
  expect(await store.endProgramToken(ada, 't1', NOW_MS)).toBe('personal');
  expect(await store.bearerOf(hashOf('secret'), NOW_MS)).toBeUndefined();
  const another = (id: string) => store.addProgramToken({ ...token, id, hash: hashOf(id), documents: undefined, expiresAtMs: undefined });
  for (let index = 0; index < 100; index += 1) expect(await another(`m${index}`)).toBe(true);
  expect(await another('one too many')).toBe(false);
});

test('[ST19] no table holds what was given in the clear', async () => {
  const { database, store, person, session } = await newStore();
  const ada = await person('ada');
  await session(ada, 'a refresh secret');
  const token = { kind: 'personal', userId: ada, label: 'x', documents: undefined, createdAtMs: NOW_MS, expiresAtMs: undefined } as const;
  await store.addProgramToken({ ...token, id: 't', hash: hashOf('a program secret') });
  const { rows } = await database.query(
    `SELECT query_to_xml('SELECT * FROM weft.refresh_tokens, weft.program_tokens', true, false, '') AS all`,
  );
  expect(String(rows[0]?.['all'])).toContain('<hash>');
  expect(String(rows[0]?.['all'])).not.toMatch(/secret|YSByZWZyZXNo/);
});

test('[ST20] SQL in every field is text', async () => {
  const { database, store, person } = await newStore();
  const nasty = `'); DROP TABLE weft.users; --\\" $1 %s`;
  const id = await person(nasty, `${nasty}@example.org`);
  await store.claimDocument(nasty, id, NOW_MS);
  await store.giveRole(nasty, { to: { knownBy: 'email', key: nasty.slice(1), spelled: nasty }, role: 'viewer', nowMs: NOW_MS });
  await store.standingOf({ userId: nasty, sessionId: nasty, document: nasty }, NOW_MS);
  await store.endSession(nasty, nasty, NOW_MS);
  await store.endProgramToken(nasty, nasty, NOW_MS);
  await store.appendAudit([
    { atMs: NOW_MS, event: nasty, actor: nasty, subject: `${nasty}\0`, document: nasty, address: nasty, detail: nasty },
  ]);
  expect(await store.findUserByKey(nasty)).toMatchObject({ id, name: nasty });
  expect((await store.peopleOf(nasty)).map(({ name }) => name)).toEqual([nasty, nasty]);
  expect(await store.readAudit({ limit: 5 })).toMatchObject([{ event: nasty, subject: `${nasty}\u{fffd}` }]);
  expect((await database.query('SELECT count(*)::int AS n FROM weft.users')).rows).toEqual([{ n: 1 }]);
});

test('the audit log is read from its newest end, and what is old goes', async () => {
  const { store, person, session } = await newStore();
  await session(await person('ada'), 'old', NOW_MS - 60 * DAY_MS);
  await store.appendAudit(Array.from({ length: 5 }, (_, index) => ({ atMs: NOW_MS + index * 1000, event: `event ${index}` })));
  const newest = await store.readAudit({ limit: 2 });
  expect(newest.map(({ event }) => event)).toEqual(['event 4', 'event 3']);
  expect((await store.readAudit({ beforeId: newest[1]?.id, limit: 2 })).map(({ event }) => event)).toEqual(['event 2', 'event 1']);
  expect(await store.forgetOld({ sessionsMs: NOW_MS, auditMs: NOW_MS + 3000 })).toEqual({ sessions: 1, audit: 3 });
  expect((await store.readAudit({ limit: 10 })).map(({ event }) => event)).toEqual(['event 4', 'event 3']);
});
