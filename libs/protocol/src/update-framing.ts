import { varUintBytes, writeVarUint } from './byte-writer.ts';
import { EnvelopeError } from './envelope-error.ts';

/** Several updates as one byte string: each a varUint length and its bytes. `UpdateDeframer` takes it apart again. */
export function frameUpdates(updates: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const update of updates) length += varUintBytes(update.length) + update.length;
  const framed = new Uint8Array(length);
  let at = 0;
  for (const update of updates) {
    at = writeVarUint(framed, at, update.length);
    framed.set(update, at);
    at += update.length;
  }
  return framed;
}

/** What stands before an update of so many bytes. */
export function lengthPrefix(length: number): Uint8Array {
  const prefix = new Uint8Array(varUintBytes(length));
  writeVarUint(prefix, 0, length);
  return prefix;
}

/**
 * Takes the chunks of a framed byte string as they come, cut anywhere, and gives each update as soon as it is whole. Keeps at most one
 * unfinished update (its chunks, uncopied until it is whole), never more than `updateBytesMax`. Throws `EnvelopeError`.
 */
export class UpdateDeframer {
  private readonly updateBytesMax: number;
  private length = 0;
  private factor = 1;
  private readingLength = true;
  private chunks: Uint8Array[] = [];
  private missing = 0;

  constructor(updateBytesMax: number) {
    this.updateBytesMax = updateBytesMax;
  }

  /** The updates that `chunk` completes. One that lies within the chunk is a view into it. */
  push(chunk: Uint8Array): Uint8Array[] {
    const updates: Uint8Array[] = [];
    let at = 0;
    while (at < chunk.length) {
      if (this.readingLength) {
        this.lengthByte(chunk[at++]!);
      } else {
        const taken = chunk.subarray(at, at + this.missing);
        at += taken.length;
        this.missing -= taken.length;
        this.chunks.push(taken);
      }
      if (!this.readingLength && this.missing === 0) updates.push(this.complete());
    }
    return updates;
  }

  /** Says that no more chunks come. Throws if an update is unfinished. */
  end(): void {
    if (!this.readingLength || this.factor > 1)
      throw new EnvelopeError(`framed updates end in the middle of one: ${this.missing} bytes are missing`);
  }

  private lengthByte(byte: number): void {
    this.length += (byte & 0x7f) * this.factor;
    if (this.length > this.updateBytesMax || this.factor > 2 ** 53) {
      throw new EnvelopeError(`a framed update of ${this.length} bytes or more; at most ${this.updateBytesMax} are allowed`);
    }
    this.factor *= 128;
    if (byte < 0x80) {
      this.readingLength = false;
      this.missing = this.length;
    }
  }

  private complete(): Uint8Array {
    const [first, ...more] = this.chunks;
    let update = first ?? new Uint8Array(0);
    if (more.length > 0) {
      update = new Uint8Array(this.length);
      let at = 0;
      for (const chunk of this.chunks) {
        update.set(chunk, at);
        at += chunk.length;
      }
    }
    this.chunks = [];
    this.length = 0;
    this.factor = 1;
    this.readingLength = true;
    return update;
  }
}
