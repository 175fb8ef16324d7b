import { partitionOf } from '@weft/ring';
import { RecordPacker } from '@weft/wal';
import * as Y from 'yjs';

const documents = 3_000;
const updatesEach = 40;
const partitions = 128;
/** Documents in one record: a gateway at some thousand updates a second. */
const documentsARecord = 60;
const recordBytesMax = 1024 * 1024;

/** Records as gateways write them while many people type, each in a document of their own: real updates of a few keystrokes. */
export function* recordsOf(bytes: number): Generator<Uint8Array> {
  const typed = Array.from({ length: 50 }, (_, i) => typing(i));
  const packer = new RecordPacker('bench/1');
  let written = 0;
  for (let turn = 0; written < bytes; turn++) {
    const entries = Array.from({ length: documentsARecord }, (_, i) => {
      const number = (turn * documentsARecord + i) % documents;
      const document = `notes/${number}`;
      const updates = typed[number % typed.length]!;
      const update = updates[Math.floor((turn * documentsARecord) / documents) % updates.length]!;
      return { document, partition: partitionOf(document, partitions), update };
    });
    for (const { bytes: record } of packer.recordsFrom(entries, recordBytesMax)) {
      written += record.byteLength;
      yield record;
    }
  }
}

/** What one person types, an update every few keystrokes; here and there a word is taken back. */
function typing(seed: number): Uint8Array[] {
  const doc = new Y.Doc();
  doc.clientID = 1_000_000 + seed;
  const text = doc.getText('t');
  const updates: Uint8Array[] = [];
  doc.on('update', (update: Uint8Array) => updates.push(update));
  for (let i = 0; i < updatesEach; i++) {
    if (i % 7 === 6) text.delete(Math.max(0, text.length - 4), Math.min(4, text.length));
    else text.insert(text.length, 'some words are typed '.slice(0, 1 + ((i + seed) % 20)));
  }
  return updates;
}
