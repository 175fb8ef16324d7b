import { expect, test } from 'vitest';
import { PresenceBoard, presenceChangesSince } from './presence-board.ts';

const ada = { name: 'Ada' };
const bob = { name: 'Bob' };
const silentMs = 45_000;
const state = (clientId: number, clock: number) => ({ clientId, clock, json: '{}' });
const removal = (clientId: number, clock: number) => ({ clientId, clock, json: 'null' });

test('who re-sends the state of somebody else does not inherit it: they go, and stay gone', () => {
  const board = new PresenceBoard<object>();
  board.fromOwner(bob, [state(2, 1)]);
  board.fromElsewhere([state(1, 3)], 0);
  expect(board.fromOwner(bob, [state(1, 3)])).toEqual([]);
  expect(board.fromElsewhere([removal(1, 3)], 0)).toEqual({ changed: [removal(1, 3)], takenOver: [] });
  // Sent before the removal reached its sender.
  expect(board.fromOwner(bob, [state(1, 3)])).toEqual([]);
  board.expire(silentMs, silentMs);
  expect(board.fromOwner(bob, [state(1, 3)])).toEqual([]);
  expect(board.all()).toEqual([state(2, 1)]);
});

test('who comes back while the old connection is not known dead takes its place when that goes', () => {
  const board = new PresenceBoard<object>();
  board.fromOwner(ada, [state(1, 3)]);
  expect(board.fromOwner(bob, [state(1, 3)])).toEqual([]);
  expect(board.ownerGone(ada)).toEqual([state(1, 3)]);
  expect(board.ownerGone(bob)).toEqual([removal(1, 3)]);
});

test('who was gone and comes back with the same clock is there again', () => {
  const board = new PresenceBoard<object>();
  board.fromOwner(ada, [state(1, 3)]);
  board.ownerGone(ada);
  expect(board.fromOwner(bob, [state(1, 3)])).toEqual([state(1, 3)]);
});

test('only the claimant takes its claim back', () => {
  const board = new PresenceBoard<object>();
  board.fromElsewhere([state(1, 3)], 0);
  board.fromOwner(ada, [state(1, 4)]);
  board.fromOwner(bob, [state(2, 1), removal(1, 5)]);
  expect(board.fromElsewhere([removal(1, 3)], 0).takenOver).toEqual([state(1, 4)]);
});

test('what changed while a question was under way: new states and removals', () => {
  const told = [state(1, 1), state(2, 1), state(3, 7)];
  expect(presenceChangesSince(told, [state(1, 1), state(2, 2), state(4, 1)])).toEqual([state(2, 2), state(4, 1), removal(3, 7)]);
});
