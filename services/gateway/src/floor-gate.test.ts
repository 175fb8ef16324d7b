import { describe, expect, test } from 'vitest';
import { FloorGate } from './floor-gate.ts';

const at = (position: number, identity = 'log') => ({ identity, position });
const nothing = { released: [], lost: [] };
const released = (...acks: string[]) => ({ released: acks, lost: [] });

describe('FloorGate', () => {
  test('acknowledgements wait for the floor of their log, and leave in order', () => {
    const gate = new FloorGate<string>();
    expect(gate.add(at(1), ['a'], 10)).toEqual(nothing);
    expect(gate.add(at(2), ['b', 'c'], 10)).toEqual(nothing);
    expect(gate.add(at(3), ['d'], 10)).toEqual(nothing);
    expect(gate.floor(at(2))).toEqual(released('a', 'b', 'c'));
    expect(gate.isEmpty).toBe(false);
    expect(gate.floor(at(3))).toEqual(released('d'));
    expect(gate.isEmpty).toBe(true);
  });

  test('a floor that was announced before the append was answered counts', () => {
    const gate = new FloorGate<string>();
    gate.floor(at(5));
    expect(gate.add(at(5), ['a'], 10)).toEqual({ released: ['a'], lost: [] });
    expect(gate.add(at(6), ['b'], 10)).toEqual(nothing);
  });

  test('positions of another log do not compare', () => {
    const gate = new FloorGate<string>();
    gate.add(at(7), ['a'], 10);
    expect(gate.add(at(1, 'new log'), ['b'], 10)).toEqual({ released: [], lost: ['a'] });
    // Of a persistence that has not noticed yet that the log was replaced.
    expect(gate.floor(at(100))).toEqual(nothing);
    expect(gate.floor(at(1, 'new log'))).toEqual(released('b'));
  });

  test('[GW8] what waited in a log that was replaced will not come: it is given back, and takes no room for ever', () => {
    const gate = new FloorGate<string>();
    gate.add(at(7), ['a', 'b'], 10);
    gate.floor(at(3));
    expect(gate.add(at(1, 'new log'), ['c'], 10)).toEqual({ released: [], lost: ['a', 'b'] });
    expect(gate.floor(at(7))).toEqual(nothing);
    expect(gate.floor(at(1, 'new log'))).toEqual(released('c'));
    expect(gate.bytes).toBe(0);
  });

  test('[GW8] a floor of the log that replaced it says so too: where what waits has reached its bound nothing is appended any more', () => {
    const gate = new FloorGate<string>();
    gate.add(at(7), ['a', 'b'], 10);
    expect(gate.floor(at(0, 'new log'))).toEqual({ released: [], lost: ['a', 'b'] });
    expect(gate.bytes).toBe(0);
    // An append to the old log that is answered late: nor will that come.
    expect(gate.add(at(8), ['c'], 10)).toEqual(nothing);
    expect(gate.floor(at(0, 'new log'))).toEqual({ released: [], lost: ['c'] });
  });

  test('[GW2] counts the bytes of what waits', () => {
    const gate = new FloorGate<string>();
    for (let i = 1; i <= 1000; i++) gate.add(at(i), ['a'], 67);
    expect(gate.bytes).toBe(67_000);
    gate.floor(at(500));
    expect(gate.bytes).toBe(33_500);
    gate.floor(at(1000));
    expect(gate.bytes).toBe(0);
    // Nobody waits for these: nothing is kept.
    gate.add(at(1001), [], 1_000_000);
    expect(gate.bytes).toBe(0);
  });
});
