import * as Y from 'yjs';
import { beforeTyping, documentName, sizes, typing } from '../material.ts';
import type { Step } from '../step.ts';

const bytes64k = new Uint8Array(65_536);
const frame50 = new ArrayBuffer(50);
const name = documentName(1);
const nameBytes = new TextEncoder().encode(name);
const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const encoder = new TextEncoder();

/** What the steps are made of, and what others do in their place: to tell whether a figure is large. */
export const referenceSteps: readonly Step[] = [
  { name: 'reference: nothing', prepare: () => () => undefined },
  ...Object.entries(sizes).map(([size, update]): Step => ({
    name: `reference: Y.decodeUpdate, ${size}`,
    prepare: () => () => Y.decodeUpdate(update),
  })),
  {
    name: 'reference: Y.applyUpdate of a typing update, with a listener',
    prepare: () => {
      const typed = typing(4_096);
      let doc: Y.Doc;
      let heard = 0;
      let next = typed.length;
      return () => {
        if (next === typed.length) {
          doc = new Y.Doc();
          Y.applyUpdate(doc, beforeTyping());
          doc.on('update', (update: Uint8Array) => (heard += update.byteLength));
          next = 0;
        }
        Y.applyUpdate(doc, typed[next++]!);
        return heard;
      };
    },
  },
  { name: 'reference: copy of 64 kB', prepare: () => () => bytes64k.slice() },
  ...[25, 64, 65, 1_000].map((size): Step => ({ name: `reference: new Uint8Array(${size})`, prepare: () => () => new Uint8Array(size) })),
  ...[25, 65, 1_000].map((size): Step => ({
    name: `reference: Buffer.allocUnsafe(${size})`,
    prepare: () => () => Buffer.allocUnsafe(size),
  })),
  { name: 'reference: copy of a frame of 50 B, as an ArrayBuffer', prepare: () => () => new Uint8Array(frame50.slice(0)) },
  { name: 'reference: copy of a frame of 50 B, as a Uint8Array', prepare: () => () => new Uint8Array(frame50).slice() },
  { name: 'reference: a view of bytes', prepare: () => () => bytes64k.subarray(100, 125) },
  { name: 'reference: TextEncoder, a document name', prepare: () => () => encoder.encode(name) },
  { name: 'reference: TextDecoder, a document name', prepare: () => () => strict.decode(nameBytes) },
  { name: 'reference: performance.now()', prepare: () => () => performance.now() },
];
