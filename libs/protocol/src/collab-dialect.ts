import { decodeAwareness } from './awareness-codec.ts';
import { ByteReader } from './byte-reader.ts';
import { type CollabAddress, readAddress } from './collab-address.ts';
import type { PresenceEntry } from './envelope.ts';
import { FrameError, refuseMalformed } from './frame-error.ts';
import { readSyncPayload, type SyncPayload } from './sync-payload.ts';

/**
 * What a client of the Hocuspocus dialect sends (`@hocuspocus/provider` 3.4 to 4.8, src/OutgoingMessages, src/MessageReceiver.ts):
 *
 *   varString address, varUint type, payload       address: the document's name, or `name\0sessionId` (sessionAwareness of v4)
 *   or the single byte 10                           Pong, without an address
 *
 * Answers bear exactly `address`.
 */
export type CollabClientFrame = { readonly type: 'pong' } | (CollabAddress & CollabClientMessage);

export type CollabClientMessage =
  | SyncPayload
  | { readonly type: 'awareness'; readonly entries: readonly PresenceEntry[] }
  /** `version` of the provider: v4 and later; these understand Ping. */
  | { readonly type: 'auth'; readonly token: string; readonly version?: string }
  | { readonly type: 'query-awareness' }
  | { readonly type: 'stateless'; readonly payload: string }
  | { readonly type: 'broadcast-stateless'; readonly payload: string }
  | { readonly type: 'close' };

export interface FrameLimits {
  readonly awarenessEntriesMax: number;
}

/** The dialect's message types (`@hocuspocus/server` src/types.ts MessageType). */
export const COLLAB_TYPE = {
  sync: 0,
  awareness: 1,
  auth: 2,
  queryAwareness: 3,
  syncReply: 4,
  stateless: 5,
  broadcastStateless: 6,
  close: 7,
  syncStatus: 8,
  ping: 9,
  pong: 10,
} as const;

const AUTH_TOKEN = 0;

/**
 * Decodes one frame of a client. Updates and state vectors are views into `frame` (copy them if the frame's buffer is reused) and are not
 * checked here. Throws `FrameError`.
 */
export function decodeCollabFrame(frame: Uint8Array, limits: FrameLimits): CollabClientFrame {
  if (frame.length === 1 && frame[0] === COLLAB_TYPE.pong) return { type: 'pong' };
  const reader = new ByteReader(frame, refuseMalformed);
  const message = readMessage(reader, readAddress(reader), limits);
  reader.end();
  return message;
}

/** Each frame is one literal: spreading an address and a message into one object costs more than all the rest of decoding. */
function readMessage(reader: ByteReader, { address, document, sessionId }: CollabAddress, limits: FrameLimits): CollabClientFrame {
  const type = reader.varUint('a message type');
  switch (type) {
    case COLLAB_TYPE.sync:
    // Servers send SyncReply to one another; from a client it means the same as Sync.
    case COLLAB_TYPE.syncReply: {
      const sync = readSyncPayload(reader);
      return sync.type === 'sync-step1'
        ? { address, document, sessionId, type: 'sync-step1', stateVector: sync.stateVector }
        : { address, document, sessionId, type: sync.type, update: sync.update };
    }
    case COLLAB_TYPE.awareness: {
      const entries = decodeAwareness(reader.varBytes('an awareness update'), limits.awarenessEntriesMax);
      return { address, document, sessionId, type: 'awareness', entries };
    }
    case COLLAB_TYPE.auth:
      return { address, document, sessionId, ...readAuth(reader) };
    case COLLAB_TYPE.queryAwareness:
      return { address, document, sessionId, type: 'query-awareness' };
    case COLLAB_TYPE.stateless:
      return { address, document, sessionId, type: 'stateless', payload: reader.varString('a stateless payload') };
    case COLLAB_TYPE.broadcastStateless:
      return { address, document, sessionId, type: 'broadcast-stateless', payload: reader.varString('a stateless payload') };
    case COLLAB_TYPE.close:
      return { address, document, sessionId, type: 'close' };
    default:
      throw new FrameError('unknown-type', `message type ${type}; a client sends 0 to 7, or the single byte 10`);
  }
}

function readAuth(reader: ByteReader): { readonly type: 'auth'; readonly token: string; readonly version?: string } {
  const subtype = reader.varUint('an auth subtype');
  if (subtype !== AUTH_TOKEN) throw new FrameError('unknown-type', `auth subtype ${subtype}; a client sends 0 (token)`);
  const token = reader.varString('a token');
  return reader.hasMore ? { type: 'auth', token, version: reader.varString('a provider version') } : { type: 'auth', token };
}
