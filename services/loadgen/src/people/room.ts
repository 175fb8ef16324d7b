import { Cursor } from '../wire/bytes.ts';
import { readStamp, STAMP_LENGTH } from '../wire/stamp.ts';
import { walkUpdate } from '../wire/typed-update.ts';

/** One document: who writes in it, and how far. Holds no content. */
export class Room {
  readonly document: string;
  /** Clock ticks of one edit. */
  readonly editTicks: number;
  readonly #writers = new Map<number, number>();
  /** By writer: the next clock tick they will make. */
  readonly sent: number[] = [];
  /** By writer: the target they are connected to. */
  readonly targets: number[] = [];
  /** By writer: the presence clock they announced last. */
  readonly announced: number[] = [];
  /** What the last frames were found to hold, a target each: everybody in a large room gets the same bytes. */
  readonly #memory: Memory[] = [];

  /** `padding`: characters in each edit beside its stamp. */
  constructor(document: string, padding = 0) {
    this.document = document;
    this.editTicks = STAMP_LENGTH + padding;
  }

  /** Gives the writer's number in this room. */
  addWriter(client: number, target: number): number {
    const writer = this.sent.length;
    this.#writers.set(client, writer);
    this.sent.push(0);
    this.targets.push(target);
    this.announced.push(0);
    return writer;
  }

  /** By client id: the next clock tick they will make. */
  *sentByClient(): Generator<[client: number, sent: number]> {
    for (const [client, writer] of this.#writers) yield [client, this.sent[writer]!];
  }

  /** What an update holds of the room's writers. */
  brought(update: Uint8Array, target: number): Found {
    return this.#remembered('update', update, target);
  }

  /** What a presence update holds of the room's writers; `length` is 1. */
  present(update: Uint8Array, target: number): Found {
    return this.#remembered('presence', update, target);
  }

  #remembered(kind: Memory['kind'], bytes: Uint8Array, target: number): Found {
    const known = this.#memory[target];
    if (known?.kind === kind && known.bytes.equals(bytes)) return known.found;
    const edits = kind === 'update' ? this.#walk(bytes) : this.#walkPresence(bytes);
    const found = { edits, ranges: kind === 'update' ? rangesOf(edits) : edits };
    this.#memory[target] = { kind, bytes: Buffer.from(bytes), found };
    return found;
  }

  #walk(update: Uint8Array): number[] {
    const found: number[] = [];
    walkUpdate(update, this.editTicks, (client, clock, length, stampUs) => {
      const writer = this.#writers.get(client);
      if (writer !== undefined) found.push(writer, clock, length, stampUs ?? Number.NaN);
    });
    return found;
  }

  #walkPresence(update: Uint8Array): number[] {
    const found: number[] = [];
    const cursor = new Cursor(update);
    for (let entries = cursor.uint(); entries > 0; entries--) {
      const writer = this.#writers.get(cursor.uint());
      const clock = cursor.uint();
      const end = cursor.uint() + cursor.at;
      // `…"at":"<stamp>"}`
      const stampUs = readStamp(update, end - STAMP_LENGTH - 2);
      if (writer !== undefined) found.push(writer, clock, 1, stampUs ?? Number.NaN);
      cursor.at = end;
    }
    return found;
  }
}

/** Four numbers each: writer, clock, length, stamp (NaN: none). */
export interface Found {
  /** Edit by edit. */
  readonly edits: readonly number[];
  /** What follows on is one; the stamp says nothing. */
  readonly ranges: readonly number[];
}

interface Memory {
  readonly kind: 'update' | 'presence';
  readonly bytes: Buffer;
  readonly found: Found;
}

function rangesOf(edits: readonly number[]): number[] {
  const ranges: number[] = [];
  for (let i = 0; i < edits.length; i += 4) {
    const last = ranges.length - 4;
    if (last >= 0 && ranges[last] === edits[i] && ranges[last + 1]! + ranges[last + 2]! === edits[i + 1])
      ranges[last + 2]! += edits[i + 2]!;
    else ranges.push(edits[i]!, edits[i + 1]!, edits[i + 2]!, Number.NaN);
  }
  return ranges;
}
