import * as decoding from 'lib0/decoding';
import type { UserKind } from '../harness/users.ts';

/** What a frame from a gateway means to the one who gets it. */
export type FrameVerdict =
  | { readonly kind: 'fine' }
  /** PermissionDenied, SyncStatus 0, CLOSE of the document: the provider tells its user. */
  | { readonly kind: 'denied' | 'refused' | 'document closed'; readonly says: string }
  | { readonly kind: 'unreadable'; readonly says: string };

const fine: FrameVerdict = { kind: 'fine' };
const pingOrPong = [9, 10];

/** Reads a frame to its last byte, as protocol.md writes it; more strictly than the providers do. */
export function judgeFrame(dialect: UserKind, frame: Uint8Array): FrameVerdict {
  try {
    const decoder = decoding.createDecoder(frame);
    if (dialect === 'y-websocket') return judgedToEnd(decoder, judgeYjs(decoder));
    if (frame.byteLength === 1 && pingOrPong.includes(frame[0]!)) return fine;
    decoding.readVarString(decoder);
    return judgedToEnd(decoder, judgeCollab(decoder));
  } catch (error) {
    return { kind: 'unreadable', says: `${error instanceof Error ? error.message : String(error)}: ${hex(frame)}` };
  }
}

function judgeCollab(decoder: decoding.Decoder): FrameVerdict {
  const type = decoding.readVarUint(decoder);
  switch (type) {
    case 0:
      return judgeSync(decoder);
    case 1:
      decoding.readVarUint8Array(decoder);
      return fine;
    case 2:
      return judgeAuth(decoder);
    case 3:
      return fine;
    case 5:
      decoding.readVarString(decoder);
      return fine;
    case 7:
      return { kind: 'document closed', says: decoding.readVarString(decoder) };
    case 8:
      return decoding.readVarUint(decoder) === 1 ? fine : { kind: 'refused', says: 'SyncStatus 0' };
    default:
      throw new Error(`frame type ${type}`);
  }
}

function judgeYjs(decoder: decoding.Decoder): FrameVerdict {
  const type = decoding.readVarUint(decoder);
  switch (type) {
    case 0:
      return judgeSync(decoder);
    case 1:
      decoding.readVarUint8Array(decoder);
      return fine;
    case 2:
      decoding.readVarUint(decoder);
      return { kind: 'denied', says: decoding.readVarString(decoder) };
    case 3:
      return fine;
    default:
      throw new Error(`frame type ${type}`);
  }
}

function judgeSync(decoder: decoding.Decoder): FrameVerdict {
  const step = decoding.readVarUint(decoder);
  if (step > 2) throw new Error(`sync step ${step}`);
  decoding.readVarUint8Array(decoder);
  return fine;
}

function judgeAuth(decoder: decoding.Decoder): FrameVerdict {
  const type = decoding.readVarUint(decoder);
  // 0: a token is wanted.
  if (type === 0) return fine;
  const says = decoding.readVarString(decoder);
  return type === 2 ? fine : { kind: 'denied', says };
}

function judgedToEnd(decoder: decoding.Decoder, verdict: FrameVerdict): FrameVerdict {
  const left = decoder.arr.byteLength - decoder.pos;
  if (left > 0) throw new Error(`${left} bytes left over`);
  return verdict;
}

const hex = (frame: Uint8Array): string => Buffer.from(frame.subarray(0, 64)).toString('hex');
