import { EnvelopeError } from '@weft/protocol';
import { checkPushBody, framesOf } from './push-body.ts';
import type { Refusal } from './refusal.ts';

/**
 * What gateways say to one another about sessions, on `weft.session.<id>.<incarnation>` of whom it is for. A message is a row of parts, a part a head (JSON) and its bytes, both with a varint length before them.
 *
 * The gateway a session is of is its *owner*, the one that has its stream's response the *holder*. Bytes of a stream are counted from 0, so whatever core NATS drops is seen.
 */
export type SessionMessage =
  /** Request. A body larger than a message comes in several, each answered; `transfer` tells attempts apart. */
  | {
      readonly kind: 'push';
      readonly session: string;
      readonly n: number;
      readonly seen: number | undefined;
      readonly close: number | undefined;
      readonly transfer: number;
      readonly offset: number;
      readonly total: number;
      readonly data: Uint8Array;
    }
  /** Request: the holder has a stream for it. */
  | {
      readonly kind: 'resume';
      readonly session: string;
      readonly after: number;
      readonly holder: string;
      readonly incarnation: string;
      readonly stream: number;
    }
  /** Owner to holder. */
  | {
      readonly kind: 'events';
      readonly session: string;
      readonly stream: number;
      /** Of its first byte. */
      readonly offset: number;
      readonly data: Uint8Array;
    }
  /** Owner to holder: so many bytes were sent; `end`: and no more come; `cut`: the response ends at once. */
  | {
      readonly kind: 'at' | 'end' | 'cut';
      readonly session: string;
      readonly stream: number;
      readonly offset: number;
    }
  /** Holder to owner: the client's connection has taken so many bytes; `gone`: it is gone. */
  | {
      readonly kind: 'taken' | 'gone';
      readonly session: string;
      readonly stream: number;
      readonly offset: number;
      readonly holder: string;
      readonly incarnation: string;
    };

/** What a head may take in a message beside its bytes: three ids and a few numbers. */
export const HEAD_BYTES_MAX = 1024;

export type SessionReply = { readonly ok: true } | { readonly more: true } | { readonly refused: Refusal };

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const nothing = new Uint8Array();

export function encodeMessage(message: SessionMessage): Uint8Array {
  const { data, ...head } = { data: nothing, ...message };
  const headBytes = encoder.encode(JSON.stringify(head));
  const parts = [lengthOf(headBytes.byteLength), headBytes, lengthOf(data.byteLength), data];
  return joined(parts);
}

/** Of several encoded messages, one. */
export function joined(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.byteLength, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.byteLength;
  }
  return bytes;
}

/** Throws EnvelopeError. */
export function decodeMessages(bytes: Uint8Array): SessionMessage[] {
  const checked = checkPushBody(bytes);
  if ('problem' in checked || checked.frames % 2 !== 0) throw new EnvelopeError('a message about sessions is cut off');
  const [messages, frames] = [[] as SessionMessage[], framesOf(bytes)];
  for (let i = 0; i < checked.frames; i += 2) {
    const [head, data] = [frames.next().value!, frames.next().value!];
    messages.push(messageOf(jsonOf(head), data));
  }
  return messages;
}

export function encodeReply(reply: SessionReply): Uint8Array {
  return encoder.encode(JSON.stringify(reply));
}

/** Throws EnvelopeError. */
export function decodeReply(bytes: Uint8Array): SessionReply {
  const { ok, more, refused } = jsonOf(bytes);
  if (ok === true) return { ok };
  if (more === true) return { more };
  if (typeof refused === 'object' && refused !== null && 'status' in refused && 'code' in refused && 'message' in refused)
    return { refused: refused as Refusal };
  throw new EnvelopeError('an answer about a session is none of those there are');
}

function messageOf(head: Record<string, unknown>, data: Uint8Array): SessionMessage {
  const text = (name: string): string => {
    const value = head[name];
    if (typeof value !== 'string') throw new EnvelopeError(`a message about a session has no ${name}`);
    return value;
  };
  const number = (name: string): number => {
    const value = head[name];
    if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0)
      throw new EnvelopeError(`a message about a session has no ${name}`);
    return value;
  };
  const maybe = (name: string): number | undefined => (head[name] === undefined ? undefined : number(name));
  const [kind, session] = [text('kind'), text('session')];
  switch (kind) {
    case 'push':
      return {
        kind,
        session,
        n: number('n'),
        seen: maybe('seen'),
        close: maybe('close'),
        transfer: number('transfer'),
        offset: number('offset'),
        total: number('total'),
        data,
      };
    case 'resume':
      return {
        kind,
        session,
        after: number('after'),
        holder: text('holder'),
        incarnation: text('incarnation'),
        stream: number('stream'),
      };
    case 'events':
      return { kind, session, stream: number('stream'), offset: number('offset'), data };
    case 'at':
    case 'end':
    case 'cut':
      return { kind, session, stream: number('stream'), offset: number('offset') };
    case 'taken':
    case 'gone':
      return {
        kind,
        session,
        stream: number('stream'),
        offset: number('offset'),
        holder: text('holder'),
        incarnation: text('incarnation'),
      };
    default:
      throw new EnvelopeError(`a message about a session is of an unknown kind ${JSON.stringify(kind.slice(0, 20))}`);
  }
}

function jsonOf(bytes: Uint8Array): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(decoder.decode(bytes));
    if (typeof value === 'object' && value !== null) return value as Record<string, unknown>;
  } catch (error) {
    throw new EnvelopeError('a message about a session is no JSON', { cause: error });
  }
  throw new EnvelopeError('a message about a session is no JSON object');
}

function lengthOf(bytes: number): Uint8Array {
  const length: number[] = [];
  let rest = bytes;
  for (; rest >= 0x80; rest = Math.floor(rest / 128)) length.push((rest % 128) | 0x80);
  return Uint8Array.from([...length, rest]);
}
