import type { ByteReader } from './byte-reader.ts';
import { documentNameProblem } from './document-name.ts';
import { FrameError } from './frame-error.ts';

/** Whom a frame of the Hocuspocus dialect is for. Answers bear exactly `address`. */
export interface CollabAddress {
  /** The document's name, or `name\0sessionId` (sessionAwareness of v4). */
  readonly address: string;
  readonly document: string;
  readonly sessionId?: string | undefined;
}

const SESSION_ID_LENGTH_MAX = 255;

/**
 * Addresses decoded lately, one a slot: a connection's frames bear the same few over and over, and decoding and judging the text costs
 * more than the rest of the frame. Bounded: slots times the largest kept address.
 */
const SLOTS = 4096;
const KEPT_BYTES_MAX = 300;
const slots: ({ readonly bytes: Uint8Array; readonly address: CollabAddress } | undefined)[] = Array.from({ length: SLOTS });

/** Reads and checks the varString at the head of a frame. Throws `FrameError`, 'bad-name' with the address. */
export function readAddress(reader: ByteReader): CollabAddress {
  const start = reader.pos;
  const bytes = reader.varBytes('an address');
  const slot = slotOf(bytes);
  const kept = slots[slot];
  if (kept !== undefined && equal(kept.bytes, bytes)) return kept.address;
  reader.pos = start;
  const address = parseAddress(reader.varString('an address'));
  if (bytes.length <= KEPT_BYTES_MAX) slots[slot] = { bytes: bytes.slice(), address };
  return address;
}

function parseAddress(address: string): CollabAddress {
  const separator = address.indexOf('\0');
  const document = separator === -1 ? address : address.slice(0, separator);
  const problem = documentNameProblem(document);
  if (problem !== undefined) throw new FrameError('bad-name', problem, address);
  const sessionId = separator === -1 ? undefined : address.slice(separator + 1);
  if (sessionId !== undefined && sessionId.length > SESSION_ID_LENGTH_MAX) {
    throw new FrameError(
      'bad-name',
      `the session id takes ${sessionId.length} characters; at most ${SESSION_ID_LENGTH_MAX} are allowed`,
      address,
    );
  }
  return { address, document, sessionId };
}

/** FNV-1a. Two addresses in one slot only cost the decoding. */
function slotOf(bytes: Uint8Array): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < bytes.length; i++) hash = Math.imul(hash ^ bytes[i]!, 0x01000193);
  return (hash >>> 0) % SLOTS;
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) {
    if (a[i] !== b[i]) return false;
  }
  return true;
}
