import { joins, loaded, pastes, seed } from './joins.ts';
import { presence, presenceJoins } from './presence.ts';
import { flatOut, idle, rest, room } from './room.ts';
import type { Scenario } from './scenario.ts';
import { ceiling, overload, typing } from './typing.ts';

export const scenarios: readonly Scenario[] = [
  typing,
  ceiling,
  overload,
  room,
  flatOut,
  rest,
  presence,
  presenceJoins,
  joins,
  seed,
  loaded,
  idle,
  pastes,
];
