import { expect, test } from 'vitest';
import { goneAfterMs, Membership, RingView } from './index.ts';
import { membersMax } from './membership.ts';

const a1 = { id: 'a', incarnation: '1' };
const a2 = { id: 'a', incarnation: '2' };
const b1 = { id: 'b', incarnation: '1' };

test('[RI7][RI10] silent for 1.5 s is gone, and said once', () => {
  const members = new Membership();
  members.hear(a1, false, 0);
  members.hear(b1, false, 1000);
  expect(members.sweep(1000)).toBe(true);
  expect(members.sweep(goneAfterMs - 1)).toBe(false);
  expect(members.sweep(goneAfterMs)).toBe(true);
  expect(members.assignable()).toEqual(['b']);
  expect(members.sweep(goneAfterMs)).toBe(false);
});

test('[RI7][RI10] heartbeats in time change nothing', () => {
  const members = new Membership();
  for (let nowMs = 0; nowMs < 20_000; nowMs += 500) {
    members.hear(a1, false, nowMs);
    expect(members.sweep(nowMs)).toBe(nowMs === 0);
  }
});

test('[RI14] who stood still has not heard the others, and takes nobody for gone by that; who is really gone is found out after it', () => {
  const members = new Membership();
  members.hear(a1, false, 0);
  members.hear(b1, false, 0);
  expect(members.sweep(100)).toBe(true);
  // Stopped for 15 s. What came meanwhile is read after the first look.
  expect(members.sweep(15_100)).toBe(false);
  members.hear(a1, false, 15_110);
  expect(members.sweep(15_200)).toBe(false);
  for (let nowMs = 15_300; nowMs < 15_100 + goneAfterMs - 100; nowMs += 100) expect(members.sweep(nowMs)).toBe(false);
  members.hear(a1, false, 16_400);
  expect(members.sweep(15_100 + goneAfterMs)).toBe(true);
  expect(members.assignable()).toEqual(['a']);
});

test('[RI8] a new incarnation replaces the old one, whose late heartbeats count for nothing', () => {
  const members = new Membership();
  members.hear(a1, true, 0);
  members.hear(a2, false, 100);
  expect(members.sweep(100)).toBe(true);
  members.hear(a1, true, 200);
  expect(members.sweep(200)).toBe(false);
  expect(members.get('a')).toEqual(a2);
  expect(members.sweep(900)).toBe(false);
  expect(members.sweep(100 + goneAfterMs)).toBe(true);
  // Forgotten altogether: whoever speaks now is the member.
  members.hear(a1, false, 5000);
  expect(members.get('a')).toEqual(a1);
});

test('[RI9][RI10] draining members own nothing, unless all drain', () => {
  const members = new Membership();
  members.hear(b1, false, 0);
  members.hear(a1, false, 0);
  members.sweep(0);
  expect(members.assignable()).toEqual(['a', 'b']);
  members.hear(a1, true, 1);
  expect(members.sweep(1)).toBe(true);
  expect(members.assignable()).toEqual(['b']);
  members.hear(b1, true, 2);
  expect(members.sweep(2)).toBe(true);
  expect(members.assignable()).toEqual(['a', 'b']);
});

test('[RI11] a flood of ids is bounded', () => {
  const members = new Membership();
  for (let i = 0; i < membersMax + 10; i++) members.hear({ id: `w${i}`, incarnation: '1' }, false, 0);
  expect(members.size).toBe(membersMax);
  members.hear({ id: 'w0', incarnation: '1' }, true, 1);
  expect(members.sweep(1)).toBe(true);
  members.sweep(goneAfterMs / 2);
  members.sweep(goneAfterMs + 1);
  members.hear({ id: 'late', incarnation: '1' }, false, goneAfterMs);
  expect(members.get('late')).toBeDefined();
});

test('two views that heard the same in another order agree; gateways own nothing', () => {
  const views = [new RingView({ partitions: 64 }), new RingView({ partitions: 64 })] as const;
  const beats = ['x', 'y', 'z'].map((id) => ({ role: 'worker' as const, peer: { id, incarnation: '7' }, draining: false }));
  for (const beat of beats) views[0].hear(beat, 0);
  for (const beat of beats.toReversed()) views[1].hear(beat, 3);
  views[1].hear({ role: 'gateway', peer: { id: 'g', incarnation: '7' }, draining: false }, 3);
  expect(views[0].owners()).toEqual(views[1].owners());
  expect(views[1].workers).toBe(3);
  expect(new Set(views[0].owners().map((owner) => owner?.id))).toEqual(new Set(['x', 'y', 'z']));
});

test('[RI13] the heartbeat that changes who is there says so: somebody new, reborn, or draining', () => {
  const members = new Membership();
  const said = [
    members.hear(a1, false, 0),
    members.hear(a1, false, 1),
    members.hear(a1, true, 2),
    members.hear(a1, true, 3),
    members.hear(a2, false, 4),
    members.hear(a1, false, 5),
  ];
  expect(said).toEqual([true, false, true, false, true, false]);
});
