import * as encoding from 'lib0/encoding';
import * as Y from 'yjs';

/** What was in the text before anybody typed. */
export function beforeTyping(): Uint8Array {
  const doc = new Y.Doc();
  doc.clientID = 1_900_000_000;
  doc.getText('t').insert(0, '.'.repeat(20_000));
  return Y.encodeStateAsUpdate(doc);
}

/** What one person types into a text, a letter an update, of about 25 bytes each; causal, in order. */
export function typing(count: number, clientId = 1_234_567_890): Uint8Array[] {
  const doc = new Y.Doc();
  doc.clientID = clientId;
  Y.applyUpdate(doc, beforeTyping());
  const text = doc.getText('t');
  const updates: Uint8Array[] = [];
  doc.on('update', (update: Uint8Array) => updates.push(update));
  for (let i = 0; i < count; i++) text.insert(10_000 + i, letters[i % letters.length]!);
  return updates;
}

const letters = 'the quick brown fox jumps over a lazy dog ';

/** Made when it is first asked for: each step is measured in a process of its own, which makes only what it needs. */
export function once<Thing>(make: () => Thing): () => Thing {
  let made: { readonly thing: Thing } | undefined;
  return () => (made ??= { thing: make() }).thing;
}

/** One insert of a text of so many characters: a paste. */
export function paste(characters: number): Uint8Array {
  const doc = new Y.Doc();
  doc.clientID = 1_234_567_891;
  doc.getText('t').insert(0, letters.repeat(Math.ceil(characters / letters.length)).slice(0, characters));
  return Y.encodeStateAsUpdate(doc);
}

/** A document of about so many bytes: words of a few authors, written here and there, so that it has many structs. */
export function documentOf(bytes: number): Uint8Array {
  const words = Math.ceil(bytes / 40);
  const docs = [11, 12, 13].map((clientId) => {
    const doc = new Y.Doc();
    doc.clientID = clientId * 100_000_000;
    const text = doc.getText('t');
    doc.transact(() => {
      // Each word in front of the one before: nothing merges into one struct.
      for (let i = 0; i < words / 3; i++) text.insert(0, letters.slice(0, 16 + (i % 17)));
    });
    return Y.encodeStateAsUpdate(doc);
  });
  return Y.mergeUpdates(docs);
}

export const sizes = { 'typing 25 B': typing(1)[0]!, 'paste 1 kB': paste(1_000), 'paste 100 kB': paste(100_000) };

export const documentName = (number: number): string => `workspace/notes-${String(number).padStart(5, '0')}`;

/** A provider's Update (protocol.md): address, Sync, Update. */
export function collabUpdate(document: string, update: Uint8Array): Uint8Array {
  return collabFrame(document, (encoder) => writeSync(encoder, 2, update));
}

export function collabStep1(document: string, stateVector: Uint8Array): Uint8Array {
  return collabFrame(document, (encoder) => writeSync(encoder, 0, stateVector));
}

export function collabAuth(document: string): Uint8Array {
  return collabFrame(document, (encoder) => {
    encoding.writeVarUint(encoder, 2);
    encoding.writeVarUint(encoder, 0);
    encoding.writeVarString(encoder, 'token');
    encoding.writeVarString(encoder, '4.8.0');
  });
}

export function collabAwareness(document: string, awareness: Uint8Array): Uint8Array {
  return collabFrame(document, (encoder) => {
    encoding.writeVarUint(encoder, 1);
    encoding.writeVarUint8Array(encoder, awareness);
  });
}

export function yUpdate(update: Uint8Array): Uint8Array {
  return encoding.encode((encoder) => writeSync(encoder, 2, update));
}

export function yStep1(stateVector: Uint8Array): Uint8Array {
  return encoding.encode((encoder) => writeSync(encoder, 0, stateVector));
}

/** As editors set it: a name, a colour, a cursor. */
export function presenceState(person: number): string {
  const relative = (clock: number): object => ({ type: null, tname: 't', item: { client: 1_234_567_890, clock }, assoc: 0 });
  return JSON.stringify({
    user: { name: `Person ${person}`, color: '#aabbcc', colorLight: '#aabbcc33' },
    cursor: { anchor: relative(10_000 + person), head: relative(10_003 + person) },
  });
}

function collabFrame(document: string, write: (encoder: encoding.Encoder) => void): Uint8Array {
  return encoding.encode((encoder) => {
    encoding.writeVarString(encoder, document);
    write(encoder);
  });
}

function writeSync(encoder: encoding.Encoder, type: number, bytes: Uint8Array): void {
  encoding.writeVarUint(encoder, 0);
  encoding.writeVarUint(encoder, type);
  encoding.writeVarUint8Array(encoder, bytes);
}
