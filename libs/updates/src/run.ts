import { checkSectionOrder } from './scan-update.ts';
import { SKIP, type UpdateReader } from './update-reader.ts';

/** Consecutive structs of one client in one update. */
export interface Run {
  readonly source: Uint8Array;
  readonly client: number;
  readonly from: number;
  to: number;
  structs: number;
  /** Bytes [start, end) of `source`; the last struct starts at `lastStart` with clock `lastClock`. */
  readonly start: number;
  end: number;
  lastStart: number;
  lastClock: number;
}

/** Reads the sections of an update and adds their runs: Skips part them. The reader stands at the delete set afterwards. */
export function readRuns(reader: UpdateReader, runs: Run[]): void {
  const sections = reader.varUint();
  let lastClient = Infinity;
  for (let i = 0; i < sections; i++) {
    const at = reader.pos;
    const structs = reader.sectionHead();
    const { client } = reader;
    checkSectionOrder(client, lastClient, at);
    lastClient = client;
    let run: Run | undefined;
    for (let j = 0; j < structs; j++) {
      reader.struct();
      if (reader.info === SKIP) run = undefined;
      else if (run === undefined) runs.push((run = newRun(reader)));
      else extendRun(run, reader);
      reader.clock += reader.length;
    }
  }
}

function newRun(reader: UpdateReader): Run {
  const { bytes: source, client, clock, start } = reader;
  return { source, client, from: clock, to: clock + reader.length, structs: 1, start, end: reader.pos, lastStart: start, lastClock: clock };
}

function extendRun(run: Run, reader: UpdateReader): void {
  run.to = reader.clock + reader.length;
  run.structs += 1;
  run.end = reader.pos;
  run.lastStart = reader.start;
  run.lastClock = reader.clock;
}
