import type { PresenceEntry } from '@weft/protocol';

/** Room for a message's other fields: ids, a document's name, numbers. */
const overheadBytes = 2048;
/** Two numbers and a length. */
const entryOverheadBytes = 24;

/** Cuts a list so that each part fits a message of `bytesMax` (JSON counted at three bytes a UTF-16 unit, the most UTF-8 takes). An entry is never cut. */
export function presenceParts(entries: readonly PresenceEntry[], bytesMax: number): PresenceEntry[][] {
  const parts: PresenceEntry[][] = [];
  let room = 0;
  for (const entry of entries) {
    const bytes = entry.json.length * 3 + entryOverheadBytes;
    if (parts.length === 0 || bytes > room) {
      parts.push([]);
      room = bytesMax - overheadBytes;
    }
    parts.at(-1)!.push(entry);
    room -= bytes;
  }
  return parts;
}
