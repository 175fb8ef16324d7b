import { isPlainJson, nestsDeeperThan } from './json-text.ts';
import { MalformedUpdate } from './malformed-update.ts';
import { utf16Length } from './utf8.ts';

/**
 * Walks a Yjs update (V1) byte by byte, as yjs 13.6 decodes it (utils/encoding.js `readClientsStructRefs`, structs/Content*.js,
 * utils/DeleteSet.js, lib0/decoding.js), making no object a struct: each read overwrites the fields below.
 *
 *   update:   varUint sections, sections x section, delete set
 *   section:  varUint structs, varUint client, varUint clock, structs x struct
 *   struct:   uint8 info (low five bits: content ref; 0x80 origin, 0x40 right origin, 0x20 parent key), ids, parent, content
 *   deletes:  varUint clients, clients x { varUint client, varUint ranges, ranges x { varUint clock, varUint length } }
 *
 * It is stricter than the decoder where Yjs takes bytes it later fails or loses edits on; SPEC.md (US rules) names each case.
 */

export const GC = 0;
export const DELETED = 1;
export const JSON_VALUES = 2;
export const BINARY = 3;
export const STRING = 4;
export const EMBED = 5;
export const FORMAT = 6;
export const TYPE = 7;
export const ANY = 8;
export const SUBDOCUMENT = 9;
export const SKIP = 10;

export const HAS_ORIGIN = 0x80;
export const HAS_RIGHT_ORIGIN = 0x40;
const HAS_PARENT_KEY = 0x20;
export const CONTENT_BITS = 0x1f;

const TYPE_REF_MAX = 6;
const XML_ELEMENT_REF = 3;
const XML_HOOK_REF = 5;

/**
 * Above it Yjs loses precision: structs that wait are stored in V2, which writes clocks doubled. Nobody types 2^51 characters.
 */
export const CLOCK_MAX = 2 ** 51;
/** Deeper values overflow the stack of whoever decodes or encodes them (lib0's readAny, JSON.stringify recurse). */
const VALUE_DEPTH_MAX = 1000;

const fatalUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

export class UpdateReader {
  bytes: Uint8Array;
  pos: number;

  /** The struct last read. `start` is its info byte, `contentStart` the first byte after ids and parent, `pos` the byte after it. */
  client = 0;
  clock = 0;
  length = 0;
  info = 0;
  start = 0;
  contentStart = 0;
  /** Client -1: the struct has no such reference. */
  originClient = -1;
  originClock = 0;
  rightClient = -1;
  rightClock = 0;
  parentClient = -1;
  parentClock = 0;
  /** Where the right origin's id is, for structs cut in two. */
  rightStart = 0;
  rightEnd = 0;

  constructor(bytes: Uint8Array, pos = 0) {
    this.bytes = bytes;
    this.pos = pos;
  }

  /** Goes on with other bytes: a reader has so many fields that one for each small update is most of what a scan costs. */
  reset(bytes: Uint8Array, pos = 0): void {
    this.bytes = bytes;
    this.pos = pos;
  }

  get contentRef(): number {
    return this.info & CONTENT_BITS;
  }

  fail(reason: string, offset = this.pos): never {
    throw new MalformedUpdate(reason, offset);
  }

  /** The client and clock of a section; gives the number of its structs. */
  sectionHead(): number {
    const structs = this.varUint();
    // A struct takes at least two bytes: a count that cannot be is refused before anyone counts to it.
    if (structs * 2 > this.bytes.length - this.pos) this.fail(`${structs} structs announced, but the update ends before`);
    this.client = this.varUint();
    this.clock = this.clockValue();
    return structs;
  }

  /** Moves on to the struct after the one just read, of the same section. */
  struct(): void {
    this.structHead();
    this.structContent();
  }

  /** Reads info, ids and parent. `clock` must stand at this struct. */
  structHead(): void {
    const start = this.pos;
    this.start = start;
    if (start >= this.bytes.length) this.fail('truncated: a struct was expected');
    const info = this.bytes[start]!;
    this.info = info;
    this.pos = start + 1;
    this.originClient = -1;
    this.rightClient = -1;
    this.parentClient = -1;
    const ref = info & CONTENT_BITS;
    if (ref === GC || ref === SKIP) {
      if (info !== ref) this.fail(`info byte ${info}: GC and Skip carry no flags`, start);
    } else {
      if (ref > SKIP) this.fail(`unknown content ref ${ref} (0 to 10 are known)`, start);
      if ((info & HAS_ORIGIN) !== 0) {
        this.originClient = this.varUint();
        this.originClock = this.clockValue();
      }
      if ((info & HAS_RIGHT_ORIGIN) !== 0) {
        this.rightStart = this.pos;
        this.rightClient = this.varUint();
        this.rightClock = this.clockValue();
        this.rightEnd = this.pos;
      }
      if ((info & (HAS_ORIGIN | HAS_RIGHT_ORIGIN)) === 0) this.parent(info);
      this.checkOwnReferences();
    }
    this.contentStart = this.pos;
  }

  private parent(info: number): void {
    if (this.varUint() === 1) {
      this.text();
    } else {
      this.parentClient = this.varUint();
      this.parentClock = this.clockValue();
    }
    if ((info & HAS_PARENT_KEY) !== 0) this.text();
  }

  /** Yjs looks up references to the struct's own client without asking whether they exist yet, and throws. */
  private checkOwnReferences(): void {
    const { client, clock } = this;
    if (
      (this.originClient === client && this.originClock >= clock) ||
      (this.rightClient === client && this.rightClock >= clock) ||
      (this.parentClient === client && this.parentClock >= clock)
    ) {
      this.fail(`struct (${client}, ${clock}) refers to a later one of its own client`, this.start);
    }
  }

  /** Reads the content; sets `length`. */
  structContent(): void {
    switch (this.info & CONTENT_BITS) {
      case STRING:
        this.length = this.text();
        break;
      case GC:
      case DELETED:
      case SKIP:
        this.length = this.clockValue();
        break;
      case FORMAT:
        this.text();
        this.json(false);
        this.length = 1;
        break;
      case ANY: {
        const count = this.varUint();
        for (let i = 0; i < count; i++) this.any(0);
        this.length = count;
        break;
      }
      case TYPE:
        this.typeRef();
        this.length = 1;
        break;
      case BINARY:
        this.skipBytes(this.varUint());
        this.length = 1;
        break;
      case EMBED:
        this.json(false);
        this.length = 1;
        break;
      case JSON_VALUES: {
        const count = this.varUint();
        for (let i = 0; i < count; i++) this.json(true);
        this.length = count;
        break;
      }
      case SUBDOCUMENT:
        this.subdocument();
        this.length = 1;
        break;
    }
    if (this.length === 0 && this.info !== SKIP) this.fail('a struct of length 0', this.start);
    if (this.clock + this.length > CLOCK_MAX) this.fail(`a clock above ${CLOCK_MAX}`, this.start);
  }

  private typeRef(): void {
    const at = this.pos;
    const type = this.varUint();
    if (type > TYPE_REF_MAX) this.fail(`unknown type ref ${type} (0 to 6 are known)`, at);
    if (type === XML_ELEMENT_REF || type === XML_HOOK_REF) this.text();
  }

  /** guid, then the options object. Yjs spreads the options over the guid: one that brings its own would not survive re-encoding. */
  private subdocument(): void {
    this.text();
    const at = this.pos;
    if (this.byte() !== 118) this.fail('the options of a subdocument must be an object', at);
    const count = this.varUint();
    for (let i = 0; i < count; i++) {
      const keyAt = this.pos;
      this.text();
      if (this.isKey(keyAt, GUID_KEY)) this.fail('the options of a subdocument must not name its guid', keyAt);
      this.any(1);
    }
  }

  /** One lib0 `any` value. Tags: lib0/decoding.js `readAnyLookupTable`. */
  any(depth: number): void {
    if (depth > VALUE_DEPTH_MAX) this.fail(`a value nested deeper than ${VALUE_DEPTH_MAX}`);
    const at = this.pos;
    const tag = this.byte();
    switch (tag) {
      case 127:
      case 126:
      case 121:
      case 120:
        return;
      case 125:
        this.varInt();
        return;
      case 124:
        this.skipBytes(4);
        return;
      case 123:
      case 122:
        this.skipBytes(8);
        return;
      case 119:
        this.text();
        return;
      case 118: {
        const count = this.varUint();
        for (let i = 0; i < count; i++) {
          const keyAt = this.pos;
          this.text();
          // `object.__proto__ = bytes` makes a thing that passes for a Uint8Array and throws when it is encoded again.
          if (this.bytes[this.pos] === 116 && this.isKey(keyAt, PROTO_KEY)) this.fail('binary under the key __proto__', keyAt);
          this.any(depth + 1);
        }
        return;
      }
      case 117: {
        const count = this.varUint();
        for (let i = 0; i < count; i++) this.any(depth + 1);
        return;
      }
      case 116:
        this.skipBytes(this.varUint());
        return;
      default:
        this.fail(`unknown value tag ${tag} (116 to 127 are known)`, at);
    }
  }

  /** Whether the string at `at` (length byte first) is this one. */
  private isKey(at: number, key: Uint8Array): boolean {
    if (this.bytes[at] !== key.length) return false;
    for (let i = 0; i < key.length; i++) {
      if (this.bytes[at + 1 + i] !== key[i]) return false;
    }
    return true;
  }

  /** A string holding JSON. `orUndefined`: ContentJSON writes the word undefined for undefined. */
  json(orUndefined: boolean): void {
    const at = this.pos;
    const bytes = this.varUint();
    const from = this.pos;
    this.skipBytes(bytes);
    if (isPlainJson(this.bytes, from, this.pos)) return;
    if (nestsDeeperThan(VALUE_DEPTH_MAX, this.bytes, from, this.pos)) this.fail(`JSON nested deeper than ${VALUE_DEPTH_MAX}`, at);
    try {
      const text = fatalUtf8.decode(this.bytes.subarray(from, this.pos));
      if (orUndefined && text === 'undefined') return;
      JSON.parse(text);
    } catch {
      // The parser's words may quote the document's content: the offset is enough to find it.
      this.fail('text that is not JSON', at);
    }
  }

  /** Skips a string, checks its UTF-8, gives its length in UTF-16 units. */
  text(): number {
    const length = this.varUint();
    const from = this.pos;
    this.skipBytes(length);
    const units = utf16Length(this.bytes, from, this.pos);
    if (units < 0) this.fail('text that is not UTF-8', -1 - units);
    return units;
  }

  skipBytes(count: number): void {
    if (count > this.bytes.length - this.pos) this.fail(`truncated: ${count} more bytes were announced`);
    this.pos += count;
  }

  byte(): number {
    if (this.pos >= this.bytes.length) this.fail('truncated');
    return this.bytes[this.pos++]!;
  }

  clockValue(): number {
    const at = this.pos;
    const value = this.varUint();
    if (value > CLOCK_MAX) this.fail(`a clock above ${CLOCK_MAX}`, at);
    return value;
  }

  varUint(): number {
    const bytes = this.bytes;
    let pos = this.pos;
    let value = 0;
    // 28 bits: as far as bit operations go without a sign.
    for (let shift = 0; shift < 28 && pos < bytes.length; shift += 7) {
      const byte = bytes[pos++]!;
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) {
        this.pos = pos;
        return value;
      }
    }
    return this.longVarUint(pos, value);
  }

  /** The number whose first four bytes, before `pos`, are `value`. Most ids of clients have five. */
  private longVarUint(from: number, low: number): number {
    const bytes = this.bytes;
    let pos = from;
    let value = low;
    let factor = 2 ** 28;
    while (pos < bytes.length) {
      const byte = bytes[pos++]!;
      value += (byte & 0x7f) * factor;
      if (value > Number.MAX_SAFE_INTEGER || factor > 2 ** 53) this.fail('a number above 2^53', pos - 1);
      if (byte < 0x80) {
        this.pos = pos;
        return value;
      }
      factor *= 128;
    }
    return this.fail('truncated: a number was expected', pos);
  }

  private varInt(): void {
    const first = this.byte();
    if (first < 0x80) return;
    let value = first & 0x3f;
    let factor = 64;
    for (;;) {
      const byte = this.byte();
      value += (byte & 0x7f) * factor;
      if (value > Number.MAX_SAFE_INTEGER || factor > 2 ** 53) this.fail('a number above 2^53', this.pos - 1);
      if (byte < 0x80) return;
      factor *= 128;
    }
  }

  /** The update must end here: Yjs takes what follows silently, but it is nothing anyone meant to send. */
  end(): void {
    if (this.pos !== this.bytes.length) this.fail(`${this.bytes.length - this.pos} bytes after the end of the update`);
  }
}

const GUID_KEY = new TextEncoder().encode('guid');
const PROTO_KEY = new TextEncoder().encode('__proto__');
