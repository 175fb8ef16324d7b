import { expect, test } from 'vitest';
import { PresenceTable } from './presence-table.ts';

const entry = (clientId: number, clock: number, json = `{"n":${clock}}`) => ({ clientId, clock, json });

test('the newest state of a client id wins, and only changes are told', () => {
  const table = new PresenceTable();
  expect(table.apply('g1', [entry(1, 2)])).toEqual([entry(1, 2)]);
  expect(table.apply('g1', [entry(1, 1)])).toEqual([]);
  expect(table.apply('g1', [entry(1, 2)])).toEqual([]);
  expect(table.apply('g1', [entry(1, 3)])).toEqual([entry(1, 3)]);
  expect(table.others('g2')).toEqual([entry(1, 3)]);
  expect(table.others('g1')).toEqual([]);
});

test('a late removal from the gateway a client has left does not remove it', () => {
  const table = new PresenceTable();
  table.apply('g1', [entry(1, 2)]);
  table.apply('g2', [entry(1, 2)]); // back through another gateway, same clock
  expect(table.apply('g1', [entry(1, 2, 'null')])).toEqual([]);
  expect(table.dropGateway('g1')).toEqual([]);
  expect(table.others('g3')).toEqual([entry(1, 2)]);
});

test('a gateway that is gone takes its entries with it, as removals at their clock', () => {
  const table = new PresenceTable();
  table.apply('g1', [entry(1, 2), entry(2, 7)]);
  table.apply('g2', [entry(3, 1)]);
  expect(table.dropGateway('g1')).toEqual([entry(1, 2, 'null'), entry(2, 7, 'null')]);
  expect(table.others('g9')).toEqual([entry(3, 1)]);
});
