import type { Floor } from '@weft/wal';

/**
 * With `WEFT_ACK_AFTER=database`: acknowledgements whose record is in the log and wait until persistence has committed it. In order of positions; a floor releases all up to it.
 * Bounded by the gateway: `bytes` counts as unacknowledged.
 */
export class FloorGate<Ack> {
  /** Of one log only, `#identity`, in the order of their positions. */
  #waiting: { position: number; acks: readonly Ack[]; bytes: number }[] = [];
  #identity: string | undefined;
  /** The log that `#identity` replaced: who still announces floors of it has not noticed. */
  #before: string | undefined;
  #floor: Floor | undefined;
  #bytes = 0;

  get isEmpty(): boolean {
    return this.#waiting.length === 0;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /**
   * `bytes`: what they and the updates they are for take. Gives what may be acknowledged at once (the floor may have been announced before the append was answered), and what never will be:
   * it waited in a log that has been replaced since. Whoever waits for it has to bring the edit again.
   */
  add(at: Floor, acks: readonly Ack[], bytes: number): Opened<Ack> {
    const lost = at.identity === this.#identity ? [] : this.#replaced();
    this.#identity = at.identity;
    if (acks.length > 0) {
      this.#waiting.push({ position: at.position, acks, bytes });
      this.#bytes += bytes;
    }
    return { released: this.#release(), lost };
  }

  /**
   * Positions of another log than the waiting ones' do not compare. One that is not the log before theirs has replaced it, and what waits will not come: noticed here too, because where
   * what waits has reached its bound nothing is appended any more.
   */
  floor(floor: Floor): Opened<Ack> {
    this.#floor = floor;
    const isAnother = this.#identity !== undefined && floor.identity !== this.#identity && floor.identity !== this.#before;
    return { released: this.#release(), lost: isAnother && !this.isEmpty ? this.#replaced() : [] };
  }

  #release(): Ack[] {
    const floor = this.#floor;
    if (floor === undefined || floor.identity !== this.#identity) return [];
    let count = 0;
    while (count < this.#waiting.length && this.#waiting[count]!.position <= floor.position) count++;
    return this.#take(count);
  }

  /** The log of what waits is no more. */
  #replaced(): Ack[] {
    this.#before = this.#identity;
    return this.#take(this.#waiting.length);
  }

  #take(count: number): Ack[] {
    if (count === 0) return [];
    const taken: Ack[] = [];
    for (const { acks, bytes } of this.#waiting.splice(0, count)) {
      this.#bytes -= bytes;
      for (const ack of acks) taken.push(ack);
    }
    return taken;
  }
}

export interface Opened<Ack> {
  readonly released: readonly Ack[];
  readonly lost: readonly Ack[];
}
