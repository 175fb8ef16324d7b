import { expect, test } from 'vitest';
import { agreeOnFloor } from './agree-on-floor.ts';

const floor = (identity: string, position: number) => ({ identity, position });
const log = (identity: string, first: number, last: number) => ({ identity, first, last });

test.each([
  ['a first start', undefined, log('a', 1, 9), { kind: 'adopt', floor: floor('a', 0), alarm: undefined }],
  ['a fresh log', undefined, log('a', 1, 0), { kind: 'adopt', floor: floor('a', 0), alarm: undefined }],
  ['a restart', floor('a', 5), log('a', 1, 9), { kind: 'go-on', floor: floor('a', 5) }],
  ['trimmed up to the floor', floor('a', 5), log('a', 6, 9), { kind: 'go-on', floor: floor('a', 5) }],
  ['nothing new', floor('a', 9), log('a', 10, 9), { kind: 'go-on', floor: floor('a', 9) }],
  [
    'a log shorter than the floor, which its reader will find out,',
    floor('a', 50),
    log('a', 1, 9),
    { kind: 'go-on', floor: floor('a', 50) },
  ],
])('[PE7] %s is no alarm', (_, stored, state, expected) => expect(agreeOnFloor(stored, state)).toEqual(expected));

test.each([
  ['another log', floor('a', 5), log('b', 1, 2), floor('b', 0), 'was replaced'],
  ['another log, trimmed already', floor('a', 5), log('b', 40, 50), floor('b', 39), 'was replaced'],
  ['a gap above the floor', floor('a', 5), log('a', 8, 9), floor('a', 7), 'records 6 to 7 are gone'],
  ['a first start on a trimmed log', undefined, log('a', 8, 9), floor('a', 7), 'records 1 to 7 are gone'],
])('[PE7] %s is an alarm, and work goes on', (_, stored, state, adopted, sentence) => {
  const agreement = agreeOnFloor(stored, state);
  expect(agreement).toMatchObject({ kind: 'adopt', floor: adopted });
  expect(agreement.kind === 'adopt' && agreement.alarm).toContain(sentence);
});
