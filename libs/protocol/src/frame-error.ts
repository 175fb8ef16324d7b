export type FrameErrorCode =
  /** Truncated, trailing bytes, not UTF-8, not JSON, a number above 2^53. */
  | 'malformed'
  /** A message type, or a subtype, that a client does not send. */
  | 'unknown-type'
  | 'too-many-awareness-entries'
  /** The document's name breaks the rules of `documentNameProblem`. */
  | 'bad-name';

/** A client's frame that is refused. `detail` says what was given and what is expected, in words for the client's log. */
export class FrameError extends Error {
  override readonly name = 'FrameError';
  readonly code: FrameErrorCode;
  readonly detail: string;
  /** With 'bad-name': the address as the client wrote it, to answer to. */
  readonly address: string | undefined;
  constructor(code: FrameErrorCode, detail: string, address?: string) {
    super(`${code}: ${detail}`);
    this.code = code;
    this.detail = detail;
    this.address = address;
  }
}

export function refuseMalformed(detail: string): never {
  throw new FrameError('malformed', detail);
}
