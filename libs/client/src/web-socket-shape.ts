/** What a browser's WebSocket checks and gives, apart from any network. */

/** Absent in Node before 23. */
export const CloseEvent: typeof globalThis.CloseEvent =
  globalThis.CloseEvent ??
  class extends Event implements globalThis.CloseEvent {
    readonly code: number;
    readonly reason: string;
    readonly wasClean: boolean;

    constructor(type: string, { code = 0, reason = '', wasClean = false }: CloseEventInit = {}) {
      super(type);
      this.code = code;
      this.reason = reason;
      this.wasClean = wasClean;
    }
  };

const reasonBytesMax = 123;

/** Throws SyntaxError where a browser does. */
export function webSocketUrl(given: string | URL): URL {
  const base = globalThis.location?.href;
  let url: URL;
  try {
    url = new URL(String(given).replace(/^http(?=s?:)/i, 'ws'), base?.replace(/^http/, 'ws'));
  } catch {
    throw syntaxError(`${JSON.stringify(String(given))} is no URL`);
  }
  if (!/^wss?:$/.test(url.protocol)) throw syntaxError(`the URL's scheme is ${JSON.stringify(url.protocol)}; expected is ws: or wss:`);
  if (url.hash) throw syntaxError(`the URL's fragment is ${JSON.stringify(url.hash)}; expected is none`);
  return url;
}

export function checkProtocols(given: string | readonly string[]): void {
  const protocols = [given].flat();
  const wrong = protocols.find((one, i) => !/^[!#$%&'*+.^_`|~\w-]+$/.test(one) || protocols.indexOf(one) !== i);
  if (wrong !== undefined) throw syntaxError(`the subprotocol ${JSON.stringify(wrong)} is no token, or twice there`);
}

export function checkClose(code: number | undefined, reason: string): void {
  if (code !== undefined && code !== 1000 && !(code >= 3000 && code <= 4999))
    throw new DOMException(`the close code is ${code}; expected is 1000, or 3000 to 4999`, 'InvalidAccessError');
  const { length } = new TextEncoder().encode(reason);
  if (length > reasonBytesMax) throw syntaxError(`the close reason has ${length} bytes; expected are ${reasonBytesMax} at most`);
}

/** A copy: the caller may write into its own at once. Both dialects are binary: text is nothing that a server of them understands. */
export function frameOf(data: unknown): Uint8Array<ArrayBuffer> {
  if (ArrayBuffer.isView(data)) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength).slice();
  if (Object.prototype.toString.call(data) === '[object ArrayBuffer]') return new Uint8Array(data as ArrayBuffer).slice();
  throw new TypeError(`send was given ${typeof data}; expected is an ArrayBuffer or a view`);
}

function syntaxError(message: string): DOMException {
  return new DOMException(message, 'SyntaxError');
}
