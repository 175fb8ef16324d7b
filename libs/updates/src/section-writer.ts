import type { ByteWriter } from './byte-writer.ts';
import type { Run } from './run.ts';
import { writeStructFrom } from './struct-part.ts';
import { CONTENT_BITS, HAS_ORIGIN, STRING, SKIP, type UpdateReader } from './update-reader.ts';

/** No text is open: what is written last is none, or may not be gone on with. */
const NO_TEXT = -1;

/** Writes one client's structs from runs that come in ascending order and may overlap or leave holes. */
export class SectionWriter {
  /** How many structs are written. */
  structs = 0;
  private readonly writer: ByteWriter;
  /** Reads structs of the runs again: their heads only, their content was checked when the runs were read. */
  private readonly reader: UpdateReader;
  private readonly client: number;
  private end: number;
  /**
   * The text written last, which the next run may go on with: where its length stands, where its letters start, whether letters were added
   * since its length was written. Its right origin is what the next struct's must equal; client -1 for none.
   */
  private textLengthAt = NO_TEXT;
  private lettersAt = 0;
  private grown = false;
  private rightClient = -1;
  private rightClock = 0;

  constructor(writer: ByteWriter, reader: UpdateReader, client: number, clock: number) {
    this.writer = writer;
    this.reader = reader;
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
    if (this.grown) this.writer.writeLength(this.textLengthAt, this.lettersAt);
    this.grown = false;
    this.textLengthAt = NO_TEXT;
  }

  private skipTo(clock: number): void {
    this.finish();
    this.writer.byte(SKIP);
    this.writer.varUint(clock - this.end);
    this.structs += 1;
  }

  private addWhole(run: Run): void {
    if (this.textLengthAt === NO_TEXT || !this.goesOn(run)) {
      this.addRest(run, run.start, run.structs);
      return;
    }
    const { reader } = this;
    const bytes = reader.varUint();
    const lettersEnd = reader.pos + bytes;
    this.writer.copy(run.source, reader.pos, lettersEnd);
    this.grown = true;
    if (run.structs > 1) this.addRest(run, lettersEnd, run.structs - 1);
  }

  /** The run's last `structs` structs, from byte `from` on. A text at the end stays open. */
  private addRest(run: Run, from: number, structs: number): void {
    this.finish();
    this.writer.copy(run.source, from, run.end);
    this.structs += structs;
    if ((run.source[run.lastStart]! & CONTENT_BITS) === STRING) this.openText(run);
  }

  /** The run overlaps what is written: its structs from `end` on, the first of them cut if need be. */
  private addAfterEnd(run: Run): void {
    this.finish();
    const { reader } = this;
    this.readHead(run, run.start, run.from);
    reader.structContent();
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

  /** The run's last struct, a text, was just written. */
  private openText(run: Run): void {
    const { reader } = this;
    this.readHead(run, run.lastStart, run.lastClock);
    this.textLengthAt = this.writer.length - (run.end - reader.contentStart);
    this.lettersAt = this.writer.length - reader.varUint();
    this.rightClient = reader.rightClient;
    this.rightClock = reader.rightClock;
  }

  /**
   * Whether the run's first struct is the open text's continuation: its origin is the text's last letter and its right origin the same
   * (yjs Item.js `mergeWith`). Integrating the two in one or in turn is the same. If so, the reader stands at its content.
   */
  private goesOn(run: Run): boolean {
    const info = run.source[run.start]!;
    if ((info & CONTENT_BITS) !== STRING || (info & HAS_ORIGIN) === 0) return false;
    this.readHead(run, run.start, run.from);
    const { reader } = this;
    return (
      reader.originClient === this.client &&
      reader.originClock === this.end - 1 &&
      reader.rightClient === this.rightClient &&
      (reader.rightClient === -1 || reader.rightClock === this.rightClock)
    );
  }

  private readHead(run: Run, pos: number, clock: number): void {
    const { reader } = this;
    reader.reset(run.source, pos);
    reader.client = run.client;
    reader.clock = clock;
    reader.structHead();
  }
}
