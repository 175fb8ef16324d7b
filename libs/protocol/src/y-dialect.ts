import { decodeAwareness } from './awareness-codec.ts';
import { ByteReader } from './byte-reader.ts';
import type { FrameLimits } from './collab-dialect.ts';
import type { PresenceEntry } from './envelope.ts';
import { frameWithPayload, frameWithText } from './frame-bytes.ts';
import { FrameError, refuseMalformed } from './frame-error.ts';
import { readSyncPayload, SYNC_STEP1, SYNC_STEP2, SYNC_UPDATE, type SyncPayload } from './sync-payload.ts';

/**
 * What a client of the y-websocket dialect sends (y-websocket 3.1.0, src/y-websocket.js): varUint type, payload. The document is in the
 * URL, and there is no acknowledgement.
 */
export type YClientFrame =
  | SyncPayload
  | { readonly type: 'awareness'; readonly entries: readonly PresenceEntry[] }
  | { readonly type: 'query-awareness' };

const Y_TYPE = { sync: 0, awareness: 1, auth: 2, queryAwareness: 3 } as const;
const AUTH_PERMISSION_DENIED = 0;

/** Updates and state vectors are views into `frame` and not checked here. Throws `FrameError`. */
export function decodeYFrame(frame: Uint8Array, limits: FrameLimits): YClientFrame {
  const reader = new ByteReader(frame, refuseMalformed);
  const message = readMessage(reader, limits);
  reader.end();
  return message;
}

function readMessage(reader: ByteReader, limits: FrameLimits): YClientFrame {
  const type = reader.varUint('a message type');
  switch (type) {
    case Y_TYPE.sync:
      return readSyncPayload(reader);
    case Y_TYPE.awareness:
      return { type: 'awareness', entries: decodeAwareness(reader.varBytes('an awareness update'), limits.awarenessEntriesMax) };
    case Y_TYPE.queryAwareness:
      return { type: 'query-awareness' };
    default:
      throw new FrameError('unknown-type', `message type ${type}; a client sends 0 (Sync), 1 (Awareness) or 3 (QueryAwareness)`);
  }
}

const STEP1_HEAD = Uint8Array.of(Y_TYPE.sync, SYNC_STEP1);
const STEP2_HEAD = Uint8Array.of(Y_TYPE.sync, SYNC_STEP2);
const UPDATE_HEAD = Uint8Array.of(Y_TYPE.sync, SYNC_UPDATE);
const AWARENESS_HEAD = Uint8Array.of(Y_TYPE.awareness);
const DENIED_HEAD = Uint8Array.of(Y_TYPE.auth, AUTH_PERMISSION_DENIED);

/** Frames a server of the y-websocket dialect sends; the same bytes for everyone: encode once, send to many. */
export const yServerFrames = {
  syncStep1: (stateVector: Uint8Array): Uint8Array => frameWithPayload(STEP1_HEAD, stateVector),
  syncStep2: (update: Uint8Array): Uint8Array => frameWithPayload(STEP2_HEAD, update),
  /** `into`: see `frameWithPayload`; for frames that are sent once and not kept. */
  update: (update: Uint8Array, into?: Uint8Array): Uint8Array => frameWithPayload(UPDATE_HEAD, update, into),
  /** `awareness`: as `encodeAwareness` makes it. `into` as in `update`. */
  awareness: (awareness: Uint8Array, into?: Uint8Array): Uint8Array => frameWithPayload(AWARENESS_HEAD, awareness, into),
  permissionDenied: (reason: string): Uint8Array => frameWithText(DENIED_HEAD, reason),
};
