import { connect as connectPlain, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';

export interface RawRequest {
  /** Set: through TLS, believing this authority. */
  readonly ca?: string | undefined;
  readonly port: number;
  readonly method?: string;
  /** As it is to stand in the request line. */
  readonly target: string;
  /** In this order, repeated names too; `Host` is there unless given. */
  readonly headers?: readonly (readonly [name: string, value: string])[];
  readonly body?: string;
}

export interface RawAnswer {
  readonly status: number;
  /** Names in lower case; repeated ones joined. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const answerMs = 15_000;

/** What a WebSocket handshake says, RFC 6455, 4.1. */
export const handshake: readonly (readonly [string, string])[] = [
  ['Connection', 'Upgrade'],
  ['Upgrade', 'websocket'],
  ['Sec-WebSocket-Version', '13'],
  ['Sec-WebSocket-Key', Buffer.alloc(16).toString('base64')],
];

/** One request, byte for byte as it is given: no URL class, no client library that would tidy it up. Ends with the head of a 101. */
export function ask({ ca, port, method = 'GET', target, headers = [], body = '' }: RawRequest): Promise<RawAnswer> {
  const given = headers.some(([name]) => name.toLowerCase() === 'host') ? headers : [['Host', `127.0.0.1:${port}`] as const, ...headers];
  const closing = headers.some(([name]) => name.toLowerCase() === 'connection') ? given : [...given, ['Connection', 'close'] as const];
  const head = [`${method} ${target} HTTP/1.1`, ...closing.map(([name, value]) => `${name}: ${value}`)].join('\r\n');
  return new Promise((resolve, reject) => {
    const socket = connectTo(port, ca, () => socket.write(Buffer.from(`${head}\r\n\r\n${body}`, 'latin1')));
    let text = '';
    const end = (): void => {
      clearTimeout(timer);
      socket.destroy();
      if (text === '') reject(new Error(`${method} ${target.slice(0, 200)}: closed without an answer`));
      else resolve(answerOf(text));
    };
    const timer = setTimeout(() => {
      socket.destroy();
      reject(
        new Error(`${method} ${target.slice(0, 200)}: no whole answer within ${answerMs} ms, only ${JSON.stringify(text.slice(0, 200))}`),
      );
    }, answerMs);
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
      if (text.startsWith('HTTP/1.1 101') && text.includes('\r\n\r\n')) end();
      else if (isWhole(text)) end();
    });
    socket.on('close', end);
    socket.on('error', (error) => {
      if (text === '') reject(error);
    });
  });
}

export const statusOf = async (request: RawRequest): Promise<number> => (await ask(request)).status;

function connectTo(port: number, ca: string | undefined, connected: () => void): Socket {
  return ca === undefined ? connectPlain(port, '127.0.0.1', connected) : connectTls({ port, host: '127.0.0.1', ca }, connected);
}

function isWhole(text: string): boolean {
  const end = text.indexOf('\r\n\r\n');
  if (end < 0) return false;
  const head = text.slice(0, end + 2);
  if (/^transfer-encoding: *chunked\r$/im.test(head)) return text.endsWith('\r\n0\r\n\r\n');
  const length = /^content-length: *(\d+)\r$/im.exec(head)?.[1];
  return length !== undefined && text.length >= end + 4 + Number(length);
}

function answerOf(text: string): RawAnswer {
  const end = text.indexOf('\r\n\r\n');
  const [line = '', ...lines] = text.slice(0, end).split('\r\n');
  const headers: Record<string, string> = {};
  for (const one of lines) {
    const colon = one.indexOf(':');
    const name = one.slice(0, colon).toLowerCase();
    const value = one.slice(colon + 1).trim();
    headers[name] = name in headers ? `${headers[name]}, ${value}` : value;
  }
  return { status: Number(line.split(' ')[1]), headers, body: text.slice(end + 4) };
}
