import * as decoding from 'lib0/decoding';
import * as encoding from 'lib0/encoding';

/** Builds and reads frames by hand, from protocol.md and not from libs/protocol: a mistake there shows here. */

type Part = number | string | Uint8Array | Raw;
class Raw {
  readonly bytes: Uint8Array;
  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }
}

/** Bytes without a length before them. */
export const raw = (...bytes: number[]): Raw => new Raw(Uint8Array.from(bytes));

/** varUint for a number, varString for a string, varUint8Array for bytes. */
export function bytesOf(...parts: readonly Part[]): Uint8Array {
  return encoding.encode((encoder) => {
    for (const part of parts) {
      if (typeof part === 'number') encoding.writeVarUint(encoder, part);
      else if (typeof part === 'string') encoding.writeVarString(encoder, part);
      else if (part instanceof Raw) encoding.writeUint8Array(encoder, part.bytes);
      else encoding.writeVarUint8Array(encoder, part);
    }
  });
}

export interface Presence {
  readonly clientId: number;
  readonly clock: number;
  readonly state: unknown;
}

export const awarenessBytes = (...entries: readonly Presence[]): Uint8Array =>
  bytesOf(entries.length, ...entries.flatMap(({ clientId, clock, state }) => [clientId, clock, JSON.stringify(state)]));

/** What a provider of the Hocuspocus dialect sends. */
export const collab = {
  auth: (address: string, token = '', version?: string) => bytesOf(address, 2, 0, token, ...(version === undefined ? [] : [version])),
  step1: (address: string, stateVector: Uint8Array = Uint8Array.of(0)) => bytesOf(address, 0, 0, stateVector),
  step2: (address: string, update: Uint8Array) => bytesOf(address, 0, 1, update),
  update: (address: string, update: Uint8Array) => bytesOf(address, 0, 2, update),
  awareness: (address: string, ...entries: Presence[]) => bytesOf(address, 1, awarenessBytes(...entries)),
  queryAwareness: (address: string) => bytesOf(address, 3),
  syncReply: (address: string, update: Uint8Array) => bytesOf(address, 4, 2, update),
  stateless: (address: string, payload: string) => bytesOf(address, 5, payload),
  broadcastStateless: (address: string, payload: string) => bytesOf(address, 6, payload),
  close: (address: string) => bytesOf(address, 7),
};

/** What a provider of the y-websocket dialect sends. */
export const y = {
  step1: (stateVector: Uint8Array = Uint8Array.of(0)) => bytesOf(0, 0, stateVector),
  step2: (update: Uint8Array) => bytesOf(0, 1, update),
  update: (update: Uint8Array) => bytesOf(0, 2, update),
  awareness: (...entries: Presence[]) => bytesOf(1, awarenessBytes(...entries)),
  queryAwareness: () => bytesOf(3),
};

export type ServerMessage =
  | { readonly is: 'step1'; readonly stateVector: Uint8Array }
  | { readonly is: 'step2'; readonly update: Uint8Array }
  | { readonly is: 'update'; readonly update: Uint8Array }
  | { readonly is: 'awareness'; readonly entries: readonly Presence[] }
  | { readonly is: 'denied'; readonly text: string }
  | { readonly is: 'close'; readonly text: string }
  | { readonly is: 'stateless'; readonly text: string }
  | { readonly is: 'authenticated'; readonly scope: string }
  | { readonly is: 'ask-for-token' }
  | { readonly is: 'status'; readonly taken: number }
  | { readonly is: 'ping' };

export type ServerFrame = ServerMessage & { readonly address: string };
export type ServerFrameOf<Is extends ServerFrame['is']> = ServerFrame & { readonly is: Is };

export function readCollab(frame: Uint8Array): ServerFrame {
  if (frame.byteLength === 1 && frame[0] === 9) return { address: '', is: 'ping' };
  const decoder = decoding.createDecoder(frame);
  const address = decoding.readVarString(decoder);
  return { address, ...readWhole(decoder, readCollabMessage) };
}

export function readY(frame: Uint8Array): ServerFrame {
  return { address: '', ...readWhole(decoding.createDecoder(frame), readYMessage) };
}

function readWhole(decoder: decoding.Decoder, read: (decoder: decoding.Decoder) => ServerMessage): ServerMessage {
  const message = read(decoder);
  if (decoding.hasContent(decoder)) throw new Error(`bytes follow after a ${message.is} of the server`);
  return message;
}

function readCollabMessage(decoder: decoding.Decoder): ServerMessage {
  const type = decoding.readVarUint(decoder);
  switch (type) {
    case 0:
      return readSync(decoder);
    case 1:
      return readAwareness(decoder);
    case 2: {
      const subtype = decoding.readVarUint(decoder);
      if (subtype === 0) return { is: 'ask-for-token' };
      const text = decoding.readVarString(decoder);
      if (subtype === 1) return { is: 'denied', text };
      if (subtype === 2) return { is: 'authenticated', scope: text };
      throw new Error(`auth subtype ${subtype} from the server`);
    }
    case 5:
      return { is: 'stateless', text: decoding.readVarString(decoder) };
    case 7:
      return { is: 'close', text: decoding.readVarString(decoder) };
    case 8:
      return { is: 'status', taken: decoding.readVarUint(decoder) };
    default:
      throw new Error(`type ${type} from the server`);
  }
}

function readYMessage(decoder: decoding.Decoder): ServerMessage {
  const type = decoding.readVarUint(decoder);
  if (type === 0) return readSync(decoder);
  if (type === 1) return readAwareness(decoder);
  throw new Error(`type ${type} from the server`);
}

function readSync(decoder: decoding.Decoder): ServerMessage {
  const subtype = decoding.readVarUint(decoder);
  const bytes = decoding.readVarUint8Array(decoder);
  if (subtype === 0) return { is: 'step1', stateVector: bytes };
  if (subtype === 1 || subtype === 2) return subtype === 1 ? { is: 'step2', update: bytes } : { is: 'update', update: bytes };
  throw new Error(`sync subtype ${subtype} from the server`);
}

function readAwareness(decoder: decoding.Decoder): ServerMessage {
  const inner = decoding.createDecoder(decoding.readVarUint8Array(decoder));
  const count = decoding.readVarUint(inner);
  const entries = Array.from({ length: count }, () => ({
    clientId: decoding.readVarUint(inner),
    clock: decoding.readVarUint(inner),
    state: JSON.parse(decoding.readVarString(inner)) as unknown,
  }));
  return { is: 'awareness', entries };
}
