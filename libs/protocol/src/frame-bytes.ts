import * as encoding from 'lib0/encoding';

/**
 * A frame in one allocation: `head`, then `payload` as a varUint8Array. The way of everything large and everything frequent.
 * Where it fits into `into` it is written there instead, and is a view of it, good until `into` is written to again.
 */
export function frameWithPayload(head: Uint8Array, payload: Uint8Array, into?: Uint8Array): Uint8Array {
  const length = lengthPrefix(payload.length);
  const bytes = head.length + length.length + payload.length;
  const frame = into && bytes <= into.length ? into.subarray(0, bytes) : new Uint8Array(bytes);
  frame.set(head);
  frame.set(length, head.length);
  frame.set(payload, head.length + length.length);
  return frame;
}

/** Small frames: what `write` writes, after `head`. */
export function frameWith(head: Uint8Array, write: (encoder: encoding.Encoder) => void): Uint8Array {
  return encoding.encode((encoder) => {
    encoding.writeUint8Array(encoder, head);
    write(encoder);
  });
}

/** The varUint of a length, as bytes. */
export function lengthPrefix(length: number): Uint8Array {
  return length < 0x80 ? Uint8Array.of(length) : encoding.encode((encoder) => encoding.writeVarUint(encoder, length));
}
