import type { ByteReader } from './byte-reader.ts';
import { FrameError } from './frame-error.ts';

/** y-protocols/sync.js: varUint 0 Step1, 1 Step2, 2 Update, then varUint8Array. */
export type SyncPayload =
  | { readonly type: 'sync-step1'; readonly stateVector: Uint8Array }
  | { readonly type: 'sync-step2'; readonly update: Uint8Array }
  | { readonly type: 'update'; readonly update: Uint8Array };

export const SYNC_STEP1 = 0;
export const SYNC_STEP2 = 1;
export const SYNC_UPDATE = 2;

/** The bytes are views into the frame and not looked into. */
export function readSyncPayload(reader: ByteReader): SyncPayload {
  const subtype = reader.varUint('a sync subtype');
  if (subtype > SYNC_UPDATE) {
    throw new FrameError('unknown-type', `sync subtype ${subtype}; expected 0 (Step1), 1 (Step2) or 2 (Update)`);
  }
  const bytes = reader.varBytes(subtype === SYNC_STEP1 ? 'a state vector' : 'an update');
  reader.end();
  if (subtype === SYNC_STEP1) return { type: 'sync-step1', stateVector: bytes };
  return { type: subtype === SYNC_STEP2 ? 'sync-step2' : 'update', update: bytes };
}
