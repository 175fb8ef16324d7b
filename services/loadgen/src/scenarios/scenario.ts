import type { Meter } from '../measure/meter.ts';
import type { Person, PersonOptions } from '../people/person.ts';
import type { Room } from '../people/room.ts';
import type { Transports } from '../people/transport.ts';
import type { Dialect } from '../result.ts';

/** A kind of load, with what it takes and what it tells. */
export interface Scenario {
  readonly name: string;
  /** One line. */
  readonly say: string;
  readonly parameters: Readonly<Record<string, Parameter>>;
  /** Gives figures beside those of the meter, by name with unit. What is left open at its end is closed by the caller. */
  run(world: World): Promise<Record<string, number>>;
}

export interface Parameter {
  readonly default: number;
  readonly say: string;
}

/** What a scenario works with. */
export interface World {
  readonly meter: Meter;
  readonly transports: Transports;
  readonly dialect: Dialect;
  readonly token: string;
  /** Throws for a name the scenario did not declare. */
  parameter(name: string): number;
  /** A document nobody has used before, unless the caller gave a prefix. */
  room(name: string, padding?: number): Room;
  /** Connects; not synced yet. */
  person(room: Room, target: number, options?: Partial<PersonOptions>): Person;
  /** Everybody who was made so far and has not left. */
  readonly people: readonly Person[];
  say(sentence: string): void;
}
