/** The way up: a body of frames, each a varint length (7 bits a byte, the least significant first) and its bytes. All of it is looked at before any of it is taken. */

export type PushBody = { readonly frames: number } | { readonly problem: string };

/** How many frames a body has, or why it cannot be read. */
export function checkPushBody(body: Uint8Array): PushBody {
  let frames = 0;
  for (let at = 0; at < body.byteLength; frames++) {
    const length = lengthAt(body, at);
    if (length === undefined)
      return { problem: `the length of frame ${frames + 1} is not a whole varint of at most ${lengthBytesMax} bytes` };
    const left = body.byteLength - length.next;
    if (length.bytes > left) return { problem: `frame ${frames + 1} announces ${length.bytes} bytes, ${left} follow` };
    at = length.next + length.bytes;
  }
  return { frames };
}

/** The frames of a body that `checkPushBody` found right. Theirs who asks: a small one does not keep a large body alive. */
export function* framesOf(body: Uint8Array): Generator<Uint8Array, undefined> {
  for (let at = 0; at < body.byteLength;) {
    const { bytes, next } = lengthAt(body, at)!;
    at = next + bytes;
    // Never a Buffer, whose `slice` does not copy. The only frame, or nearly so, needs no copy.
    const frame = new Uint8Array(body.buffer, body.byteOffset + next, bytes);
    yield bytes * 2 > body.byteLength ? frame : frame.slice();
  }
}

/** Five bytes of seven bits: more than a body may have. */
const lengthBytesMax = 5;

function lengthAt(body: Uint8Array, at: number): { readonly bytes: number; readonly next: number } | undefined {
  let bytes = 0;
  for (let i = 0; i < lengthBytesMax; i++) {
    const byte = body[at + i];
    if (byte === undefined) return undefined;
    bytes += (byte & 0x7f) * 2 ** (7 * i);
    if (byte < 0x80) return { bytes, next: at + i + 1 };
  }
  return undefined;
}
