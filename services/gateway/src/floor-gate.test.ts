import { describe, expect, test } from 'vitest';
import { FloorGate } from './floor-gate.ts';

const at = (position: number, identity = 'log') => ({ identity, position });

describe('FloorGate', () => {
  test('acknowledgements wait for the floor of their log, and leave in order', () => {
    const gate = new FloorGate<string>();
    expect(gate.add(at(1), ['a'])).toEqual([]);
    expect(gate.add(at(2), ['b', 'c'])).toEqual([]);
    expect(gate.add(at(3), ['d'])).toEqual([]);
    expect(gate.floor(at(2))).toEqual(['a', 'b', 'c']);
    expect(gate.isEmpty).toBe(false);
    expect(gate.floor(at(3))).toEqual(['d']);
    expect(gate.isEmpty).toBe(true);
  });

  test('a floor that was announced before the append was answered counts', () => {
    const gate = new FloorGate<string>();
    gate.floor(at(5));
    expect(gate.add(at(5), ['a'])).toEqual(['a']);
    expect(gate.add(at(6), ['b'])).toEqual([]);
  });

  test('positions of another log do not compare', () => {
    const gate = new FloorGate<string>();
    gate.add(at(7), ['a']);
    expect(gate.floor(at(100, 'another log'))).toEqual([]);
    expect(gate.floor(at(7))).toEqual(['a']);
  });
});
