import type { Floor } from '@weft/wal';

/**
 * With `WEFT_ACK_AFTER=database`: acknowledgements whose record is in the log and wait until persistence has committed it. In order of positions; a floor releases all up to it.
 */
export class FloorGate<Ack> {
  #waiting: { at: Floor; acks: readonly Ack[] }[] = [];
  #floor: Floor | undefined;

  get isEmpty(): boolean {
    return this.#waiting.length === 0;
  }

  /** Gives what may be acknowledged at once: the floor may have been announced before the append was answered. */
  add(at: Floor, acks: readonly Ack[]): Ack[] {
    if (acks.length > 0) this.#waiting.push({ at, acks });
    return this.#release();
  }

  floor(floor: Floor): Ack[] {
    this.#floor = floor;
    return this.#release();
  }

  /** Positions of another log than the floor's do not compare: their acknowledgements go on waiting. */
  #release(): Ack[] {
    const floor = this.#floor;
    if (!floor) return [];
    const released: Ack[] = [];
    this.#waiting = this.#waiting.filter(({ at, acks }) => {
      if (at.identity !== floor.identity || at.position > floor.position) return true;
      for (const ack of acks) released.push(ack);
      return false;
    });
    return released;
  }
}
