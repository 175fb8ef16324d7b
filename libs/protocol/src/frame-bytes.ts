import { ByteWriter, varUintBytes, writeVarUint } from './byte-writer.ts';

/**
 * A frame in one allocation: `head`, then `payload` as a varUint8Array. The way of everything large and everything frequent.
 * Where it fits into `into` it is written there instead, and is a view of it, good until `into` is written to again.
 */
export function frameWithPayload(head: Uint8Array, payload: Uint8Array, into?: Uint8Array): Uint8Array {
  const bytes = head.length + varUintBytes(payload.length) + payload.length;
  const frame = into && bytes <= into.length ? into.subarray(0, bytes) : new Uint8Array(bytes);
  frame.set(head);
  frame.set(payload, writeVarUint(frame, head.length, payload.length));
  return frame;
}

const writer = new ByteWriter();

/** Small and seldom frames: `head`, then `text` as a varString. */
export function frameWithText(head: Uint8Array, text: string): Uint8Array {
  writer.begin().raw(head);
  writer.varString(text);
  return writer.written().slice();
}
