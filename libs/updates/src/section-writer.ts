import type { ByteWriter } from './byte-writer.ts';
import type { Run } from './run.ts';
import { writeStructFrom } from './struct-part.ts';
import { HAS_ORIGIN, SKIP, STRING, UpdateReader } from './update-reader.ts';

/**
 * Text not yet written, because the next run may go on with it: the head of its first struct, and the letters of all.
 * Its right origin is what the next struct's must equal; client -1 for none.
 */
interface OpenText {
  readonly source: Uint8Array;
  readonly start: number;
  readonly contentStart: number;
  readonly rightClient: number;
  readonly rightClock: number;
  bytes: number;
  readonly letters: { readonly source: Uint8Array; readonly from: number; readonly to: number }[];
}

/** Writes one client's structs from runs that come in ascending order and may overlap or leave holes. */
export class SectionWriter {
  /** How many structs are written. */
  structs = 0;
  private readonly writer: ByteWriter;
  private readonly client: number;
  private end: number;
  private text: OpenText | undefined;

  constructor(writer: ByteWriter, client: number, clock: number) {
    this.writer = writer;
    this.client = client;
    this.end = clock;
  }

  add(run: Run): void {
    if (run.to <= this.end) return;
    if (run.from > this.end) this.skipTo(run.from);
    if (run.from < this.end) this.addAfterEnd(run);
    else this.addWhole(run);
    this.end = run.to;
  }

  /** Writes what is still open. */
  finish(): void {
    const { text, writer } = this;
    if (text === undefined) return;
    writer.copy(text.source, text.start, text.contentStart);
    writer.varUint(text.bytes);
    for (const { source, from, to } of text.letters) writer.copy(source, from, to);
    this.structs += 1;
    this.text = undefined;
  }

  private skipTo(clock: number): void {
    this.finish();
    this.writer.byte(SKIP);
    this.writer.varUint(clock - this.end);
    this.structs += 1;
  }

  private addWhole(run: Run): void {
    const first = structAt(run, run.start, run.from);
    if (!this.goesOn(first)) {
      this.finish();
      this.addRest(run, run.start, run.structs);
      return;
    }
    this.appendLetters(first);
    if (run.structs > 1) {
      this.finish();
      this.addRest(run, first.pos, run.structs - 1);
    }
  }

  /** The run's last `structs` structs, from byte `from` on. A text at the end stays open. */
  private addRest(run: Run, from: number, structs: number): void {
    const last = structAt(run, run.lastStart, run.lastClock);
    const open = last.contentRef === STRING;
    this.writer.copy(run.source, from, open ? run.lastStart : run.end);
    this.structs += open ? structs - 1 : structs;
    if (open) this.openText(last);
  }

  /** The run overlaps what is written: its structs from `end` on, the first of them cut if need be. */
  private addAfterEnd(run: Run): void {
    this.finish();
    const reader = structAt(run, run.start, run.from);
    let passed = 1;
    while (reader.clock + reader.length <= this.end) {
      reader.clock += reader.length;
      reader.struct();
      passed += 1;
    }
    if (reader.clock === this.end) {
      this.addRest(run, reader.start, run.structs - passed + 1);
      return;
    }
    writeStructFrom(this.writer, reader, this.end - reader.clock);
    this.structs += 1;
    if (passed < run.structs) this.addRest(run, reader.pos, run.structs - passed);
  }

  private openText(struct: UpdateReader): void {
    const { bytes: source, start, contentStart, rightClient, rightClock } = struct;
    this.text = { source, start, contentStart, rightClient, rightClock, bytes: 0, letters: [] };
    this.appendLetters(struct);
  }

  /**
   * Whether the struct is the open text's continuation: its origin is the text's last letter and its right origin the same
   * (yjs Item.js `mergeWith`). Integrating the two in one or in turn is the same.
   */
  private goesOn(struct: UpdateReader): boolean {
    const { text } = this;
    return (
      text !== undefined &&
      struct.contentRef === STRING &&
      (struct.info & HAS_ORIGIN) !== 0 &&
      struct.originClient === this.client &&
      struct.originClock === this.end - 1 &&
      struct.rightClient === text.rightClient &&
      (struct.rightClient === -1 || struct.rightClock === text.rightClock)
    );
  }

  private appendLetters(struct: UpdateReader): void {
    const content = new UpdateReader(struct.bytes, struct.contentStart);
    const bytes = content.varUint();
    this.text!.bytes += bytes;
    this.text!.letters.push({ source: struct.bytes, from: content.pos, to: struct.pos });
  }
}

function structAt(run: Run, pos: number, clock: number): UpdateReader {
  const reader = new UpdateReader(run.source, pos);
  reader.client = run.client;
  reader.clock = clock;
  reader.struct();
  return reader;
}
