/** One event of a `text/event-stream`. */
export interface StreamEvent {
  /** `message` where the stream names none. */
  readonly type: string;
  readonly id: string;
  readonly data: string;
}

/** Of one event. A browser's string can hold twice as much. */
export const eventCharsMax = 2 ** 28;

/**
 * Server-sent events out of text that comes in pieces of any size: lines end in LF, CRLF or CR, wherever the pieces do. Pieces of a line are joined once, at its end: an event may have many megabytes.
 */
export class EventParser {
  readonly #heard: (event: StreamEvent) => void;
  #pieces: string[] = [];
  #chars = 0;
  #endedInCr = false;
  #type = '';
  #id = '';
  #data: string[] = [];

  constructor(heard: (event: StreamEvent) => void) {
    this.#heard = heard;
  }

  /** Throws RangeError where an event is larger than `eventCharsMax`. */
  add(text: string): void {
    const ends = /\r\n?|\n/g;
    // The LF of a CRLF that was cut in two.
    let from = this.#endedInCr && text.startsWith('\n') ? 1 : 0;
    if (text !== '') this.#endedInCr = text.endsWith('\r');
    ends.lastIndex = from;
    for (let end = ends.exec(text); end !== null; end = ends.exec(text)) {
      this.#pieces.push(text.slice(from, end.index));
      this.#line(this.#pieces.join(''));
      this.#pieces = [];
      from = ends.lastIndex;
    }
    this.#pieces.push(text.slice(from));
    this.#chars += text.length;
    if (this.#chars > eventCharsMax) throw new RangeError('an event is too large');
  }

  #line(line: string): void {
    if (line === '') return this.#dispatch();
    const [, field, value = ''] = /^([^:]*)(?:: ?(.*))?$/s.exec(line) ?? [];
    if (field === 'event') this.#type = value;
    else if (field === 'id') this.#id = value;
    else if (field === 'data') this.#data.push(value);
  }

  #dispatch(): void {
    const event = { type: this.#type || 'message', id: this.#id, data: this.#data.join('\n') };
    const hasData = this.#data.length > 0;
    this.#type = '';
    this.#data = [];
    this.#chars = 0;
    if (hasData) this.#heard(event);
  }
}
