/**
 * Virtual time: events in the order of their moment, and of their making within it. After each, whatever promises it settled are run out before the next
 * begins: one event and all it sets off is a step.
 */
export class Scheduler {
  readonly #heap: Event[] = [];
  #order = 0;
  #nowMs = 0;
  #steps = 0;

  get nowMs(): number {
    return this.#nowMs;
  }

  get steps(): number {
    return this.#steps;
  }

  /** Gives what calls it off. */
  after(ms: number, run: () => void): () => void {
    const event: Event = { atMs: this.#nowMs + Math.max(0, ms), order: this.#order++, run };
    push(this.#heap, event);
    return () => {
      event.run = undefined;
    };
  }

  /** Runs until `isOver`, asked before each step, or nothing is left. Rejects with what a step throws. */
  run(isOver: () => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      const step = (): void => {
        try {
          if (isOver()) return resolve();
          let event = pop(this.#heap);
          while (event && !event.run) event = pop(this.#heap);
          if (!event) return resolve();
          this.#nowMs = event.atMs;
          this.#steps += 1;
          event.run!();
        } catch (error) {
          return reject(error);
        }
        // Microtasks run out before it is called.
        setImmediate(step);
      };
      setImmediate(step);
    });
  }
}

interface Event {
  readonly atMs: number;
  readonly order: number;
  run: (() => void) | undefined;
}

const before = (one: Event, other: Event): boolean => one.atMs < other.atMs || (one.atMs === other.atMs && one.order < other.order);

function push(heap: Event[], event: Event): void {
  let at = heap.length;
  heap.push(event);
  while (at > 0) {
    const parent = (at - 1) >> 1;
    if (!before(event, heap[parent]!)) break;
    heap[at] = heap[parent]!;
    at = parent;
  }
  heap[at] = event;
}

function pop(heap: Event[]): Event | undefined {
  const top = heap[0];
  const last = heap.pop();
  if (!top || !last || heap.length === 0) return top;
  let at = 0;
  for (;;) {
    const left = 2 * at + 1;
    if (left >= heap.length) break;
    const child = left + 1 < heap.length && before(heap[left + 1]!, heap[left]!) ? left + 1 : left;
    if (!before(heap[child]!, last)) break;
    heap[at] = heap[child]!;
    at = child;
  }
  heap[at] = last;
  return top;
}
