import { nowUs } from '../wire/stamp.ts';

export interface PaceOptions {
  /** Events a second; may change. */
  readonly rate: () => number;
  /** Does what was due at `dueUs`, however late it is: the load does not wait for answers (open loop). */
  readonly act: (dueUs: number) => void;
  /** Asked between events: true ends it. */
  readonly done: () => boolean;
}

/**
 * Events at random (Poisson), at a rate. Spins, with a look at the sockets in between, because a timer is up to a millisecond late, which would be counted as latency: the generator
 * should have a core of its own.
 */
export function pace({ rate, act, done }: PaceOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    let dueUs = nowUs();
    const turn = (): void => {
      try {
        // What is due before the sockets were looked at again; not without end.
        for (let burst = 0; burst < burstMax && dueUs <= nowUs(); burst++) {
          act(dueUs);
          dueUs += (-Math.log(1 - Math.random()) / rate()) * 1e6;
        }
        if (done()) resolve();
        else setImmediate(turn);
      } catch (error) {
        reject(error);
      }
    };
    turn();
  });
}

const burstMax = 64;

/** Waits; rejects when the time is up with what `otherwise` says. */
export async function until(condition: () => boolean, withinMs: number, otherwise: () => string): Promise<void> {
  for (const deadline = performance.now() + withinMs; !condition();) {
    if (performance.now() > deadline) throw new Error(otherwise());
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** The same, and false when the time is up. */
export async function waited(condition: () => boolean, withinMs: number): Promise<boolean> {
  try {
    await until(condition, withinMs, () => '');
    return true;
  } catch {
    return false;
  }
}
