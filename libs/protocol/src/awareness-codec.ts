import { ByteReader } from './byte-reader.ts';
import { ByteWriter } from './byte-writer.ts';
import type { PresenceEntry } from './envelope.ts';
import { FrameError, refuseMalformed } from './frame-error.ts';
import { isShortJson } from './json-text.ts';

/**
 * An awareness update (y-protocols/awareness.js `encodeAwarenessUpdate`): varUint n, n x (varUint clientID, varUint clock, varString JSON).
 * The JSON is checked to be JSON and else left alone: `applyAwarenessUpdate` of every peer would throw on it and lose the entries behind it.
 * Throws `FrameError`.
 */
export function decodeAwareness(bytes: Uint8Array, entriesMax: number): PresenceEntry[] {
  const reader = new ByteReader(bytes, refuseMalformed);
  const count = reader.varUint('the number of awareness entries');
  if (count > entriesMax) {
    throw new FrameError('too-many-awareness-entries', `${count} awareness entries in one frame; at most ${entriesMax} are allowed`);
  }
  const entries: PresenceEntry[] = [];
  for (let i = 0; i < count; i++) {
    const clientId = reader.varUint('an awareness client id');
    const clock = reader.varUint('an awareness clock');
    const state = reader.varBytes('an awareness state');
    const json = reader.text(state, 'an awareness state');
    if (!isShortJson(state)) checkJson(json);
    entries.push({ clientId, clock, json });
  }
  reader.end();
  return entries;
}

const writer = new ByteWriter();

/** A view that is good until the next call: make frames of it at once, or copy it. */
export function encodeAwareness(entries: readonly PresenceEntry[]): Uint8Array {
  writer.begin().varUint(entries.length);
  for (const entry of entries) {
    writer.varUint(entry.clientId);
    writer.varUint(entry.clock);
    writer.varString(entry.json);
  }
  return writer.written();
}

/** Has the last word where the check of the bytes did not say yes. */
function checkJson(json: string): void {
  try {
    JSON.parse(json);
  } catch {
    // The parser's message quotes the state, which is the user's.
    refuseMalformed('an awareness state is not JSON');
  }
}
