/** The memories that hold nothing but one of these: they go to another thread without a copy, and are empty here afterwards. */
export function ownMemory(all: readonly Uint8Array[]): ArrayBuffer[] {
  const whole = all.map((bytes) => (bytes.byteLength === bytes.buffer.byteLength ? bytes.buffer : undefined));
  return [...new Set(whole.filter((buffer) => buffer instanceof ArrayBuffer))];
}
