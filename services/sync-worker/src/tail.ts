import { groupBytes, groupUpdates } from './group-updates.ts';

/**
 * What the log brought for one document above what the store gave, oldest first. Kept as a merge tree: every `fanIn` neighbours are merged, into chunks of at most
 * about 256 KiB, so that a long tail costs few objects and every byte is merged a few times only.
 *
 * A chunk stands for the positions `from..to`. Asking or dropping by a position inside a chunk errs on the side of more: CRDT updates may be
 * applied twice.
 */
export class Tail {
  readonly #fanIn = 64;
  /** Oldest first. */
  #chunks: Chunk[] = [];
  #bytes = 0;

  get bytes(): number {
    return this.#bytes;
  }

  get isEmpty(): boolean {
    return this.#chunks.length === 0;
  }

  push(position: number, update: Uint8Array): void {
    this.#chunks.push({ level: levelOf(update, 0), from: position, to: position, update });
    this.#bytes += update.byteLength;
    this.#collapse();
  }

  /** Puts what an earlier part of the log brought in front. Levels may then be out of order, which costs a little merging and nothing else. */
  prepend(earlier: Tail): void {
    this.#chunks = [...earlier.#chunks, ...this.#chunks];
    this.#bytes += earlier.#bytes;
  }

  /** Updates that together bring a reader from `position` to the end. */
  since(position: number): Uint8Array[] {
    const updates: Uint8Array[] = [];
    for (const chunk of this.#chunks) if (chunk.to > position) updates.push(chunk.update);
    return updates;
  }

  /** Forgets whole chunks at positions <= `position`. */
  dropThrough(position: number): void {
    let count = 0;
    while (count < this.#chunks.length && this.#chunks[count]!.to <= position) this.#bytes -= this.#chunks[count++]!.update.byteLength;
    if (count > 0) this.#chunks.splice(0, count);
  }

  #collapse(): void {
    for (;;) {
      const end = this.#chunks.length;
      const start = end - this.#fanIn;
      if (start < 0) return;
      const level = this.#chunks[end - 1]!.level;
      if (level === full) return;
      for (let i = start; i < end; i++) if (this.#chunks[i]!.level !== level) return;
      const merged = this.#chunks.splice(start, this.#fanIn);
      for (const chunk of merged) this.#bytes -= chunk.update.byteLength;
      // Several groups share the positions of all: asking errs on the side of more.
      for (const update of groupUpdates(merged.map((chunk) => chunk.update))) {
        this.#bytes += update.byteLength;
        this.#chunks.push({ level: levelOf(update, level + 1), from: merged[0]!.from, to: merged.at(-1)!.to, update });
      }
    }
  }
}

/** Two chunks of this level would not fit one: merging would go on for ever and gain nothing. */
const full = Number.POSITIVE_INFINITY;

function levelOf(update: Uint8Array, level: number): number {
  return 2 * update.byteLength > groupBytes ? full : level;
}

interface Chunk {
  /** How often merged, or `full`. */
  readonly level: number;
  readonly from: number;
  readonly to: number;
  readonly update: Uint8Array;
}
