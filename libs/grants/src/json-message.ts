/** JSON objects on the bus, as all words of auth are. */
export class MalformedAuthMessage extends Error {
  override readonly name = 'MalformedAuthMessage';
}

export function encode(value: object): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}

/** @throws MalformedAuthMessage, whose message bears nothing of the content. */
export function decodeObject(bytes: Uint8Array, what: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    // The parser's own message quotes the text, which may be a token: it must not reach a log.
    throw new MalformedAuthMessage(`${what} is not JSON`);
  }
  if (!isObject(value)) throw new MalformedAuthMessage(`${what} is not a JSON object`);
  return value;
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
