/** Frames as an event of the stream has them: base64, separated by one blank. Throws where it is none. */
export function framesOf(data: string): ArrayBuffer[] {
  return data.split(' ').map(fromBase64);
}

function fromBase64(text: string): ArrayBuffer {
  const binary = atob(text);
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = binary.charCodeAt(i);
  return bytes.buffer;
}

/** Of a frame in a push's body. */
export function framedBytes(frame: Uint8Array): number {
  return varintOf(frame.byteLength).length + frame.byteLength;
}

/** A push's body: each frame's length as a varint (seven bits a byte, the lowest first), then its bytes. */
export function bodyOf(frames: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const body = new Uint8Array(frames.reduce((bytes, frame) => bytes + framedBytes(frame), 0));
  let at = 0;
  for (const frame of frames)
    for (const part of [varintOf(frame.byteLength), frame]) {
      body.set(part, at);
      at += part.length;
    }
  return body;
}

/** Below 2^31: more than fits into memory as one frame. */
function varintOf(length: number): number[] {
  const bytes = [];
  let rest = length;
  for (; rest > 127; rest >>>= 7) bytes.push((rest & 127) | 128);
  return [...bytes, rest];
}
