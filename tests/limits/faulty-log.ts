import type { Wal } from '@weft/wal';

/** The real log with a fault at its port: `append` is replaced, everything else is as it is. */
export function logWithAppend(real: Wal, append: Wal['append']): Wal {
  return {
    recordBytesMax: real.recordBytesMax,
    append,
    open: () => real.open(),
    state: (slice) => real.state(slice),
    read: (slice, from, identity) => real.read(slice, from, identity),
    trim: (slice, upTo) => real.trim(slice, upTo),
    announceFloor: (slice, floor) => real.announceFloor(slice, floor),
    onFloor: (slice, listener) => real.onFloor(slice, listener),
    weaknesses: () => real.weaknesses(),
    close: () => real.close(),
  };
}
