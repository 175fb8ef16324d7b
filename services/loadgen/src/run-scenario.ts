import { randomBytes } from 'node:crypto';
import { Meter } from './measure/meter.ts';
import type { WatchedProcess } from './measure/processes.ts';
import { Person, type PersonOptions } from './people/person.ts';
import { Room } from './people/room.ts';
import { Transports } from './people/transport.ts';
import type { Dialect, Result, Second } from './result.ts';
import type { Scenario } from './scenarios/scenario.ts';

export interface RunOptions {
  readonly scenario: Scenario;
  readonly candidate: string;
  readonly dialect: Dialect;
  readonly urls: readonly string[];
  readonly path: string;
  readonly token: string;
  readonly parameters: Readonly<Record<string, number>>;
  /** Of the documents' names; random unless given. */
  readonly prefix?: string | undefined;
  readonly processes: readonly WatchedProcess[];
  readonly progress: (second: Second) => void;
  readonly say: (sentence: string) => void;
}

/** Runs a scenario once. Rejects when it could not be run to its end; what went wrong within it is in the result. */
export async function runScenario(options: RunOptions): Promise<Result> {
  const { scenario, dialect, token, say, processes, progress } = options;
  const parameters = {
    ...Object.fromEntries(Object.entries(scenario.parameters).map(([name, of]) => [name, of.default])),
    ...options.parameters,
  };
  const meter = new Meter({ dialect, processes, progress });
  const transports = new Transports({ dialect, urls: options.urls, path: options.path, token });
  const prefix = options.prefix ?? `load-${randomBytes(4).toString('hex')}`;
  const people: Person[] = [];
  const startedAt = Date.now();
  try {
    const figures = await scenario.run({
      meter,
      transports,
      dialect,
      token,
      people,
      say,
      parameter: (name) => {
        const value = parameters[name];
        if (value === undefined) throw new Error(`${scenario.name} has no parameter ${name}`);
        return value;
      },
      room: (name, padding) => new Room(`${prefix}-${name}`, padding),
      person: (room: Room, target: number, given: Partial<PersonOptions> = {}) => {
        const person = new Person({ room, dialect, target, token, transports, meter, ...given });
        people.push(person);
        meter.connections = people.length;
        return person;
      },
    });
    meter.stop();
    return {
      scenario: scenario.name,
      candidate: options.candidate,
      dialect,
      startedAt,
      seconds: (Date.now() - startedAt) / 1000,
      parameters: { ...parameters, targets: options.urls.length },
      figures: { ...figuresOf(meter), ...figures, lost_connections: meter.lostConnections },
      latencies: meter.distributions(),
      series: meter.series,
      troubles: meter.troubles,
    };
  } finally {
    meter.stop();
    for (const person of people) person.leave();
  }
}

function figuresOf(meter: Meter): Record<string, number> {
  const seconds = meter.measuredSeconds;
  const { sent, delivered, frames, bytes } = meter.measured;
  const figures: Record<string, number> = {};
  if (!Number.isFinite(seconds) || seconds <= 0) return figures;
  const cpu = [...meter.cpu].filter(([name]) => name !== 'loadgen');
  const total = cpu.reduce((sum, [, used]) => sum + used, 0);
  figures['server_cpu_share'] = total / seconds;
  figures['generator_cpu_share'] = (meter.cpu.get('loadgen') ?? 0) / seconds;
  if (sent > 0) {
    figures['updates_per_second'] = sent / seconds;
    figures['server_cpu_us_per_update'] = (total / sent) * 1e6;
    for (const [name, used] of cpu) figures[`server_cpu_us_per_update_${name}`] = (used / sent) * 1e6;
  }
  if (delivered > 0) {
    figures['deliveries_per_second'] = delivered / seconds;
    figures['server_cpu_us_per_delivery'] = (total / delivered) * 1e6;
    figures['frames_in_per_delivery'] = frames / delivered;
    figures['bytes_in_per_delivery'] = bytes / delivered;
  }
  return figures;
}
