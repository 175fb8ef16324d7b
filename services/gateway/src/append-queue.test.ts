import { describe, expect, test } from 'vitest';
import * as Y from 'yjs';
import { ackBytes, AppendQueue } from './append-queue.ts';

function typing(letters: string): Uint8Array[] {
  const doc = new Y.Doc();
  const updates: Uint8Array[] = [];
  doc.on('update', (update: Uint8Array) => updates.push(update));
  for (let i = 0; i < letters.length; i++) doc.getText('t').insert(i, letters[i]!);
  return updates;
}

function textOf(updates: readonly Uint8Array[]): string {
  const doc = new Y.Doc();
  for (const update of updates) Y.applyUpdate(doc, update);
  return doc.getText('t').toString();
}

describe('AppendQueue', () => {
  test('[GW1] one append is in flight; what comes meanwhile is the next, merged by document, each with its own acknowledgement', () => {
    const queue = new AppendQueue<string>();
    const [a, b, c] = typing('abc') as [Uint8Array, Uint8Array, Uint8Array];
    queue.add('one', 1, a, 'ack a', 1);
    const first = queue.next()!;
    expect(first.acks).toEqual(['ack a']);
    queue.add('one', 1, b, 'ack b', 1);
    queue.add('two', 2, a, 'never', 0);
    queue.add('one', 1, c, 'ack c', 2);
    expect(queue.next()).toBeUndefined();
    expect(queue.appended()).toEqual(['ack a']);
    const second = queue.next()!;
    expect(second.entries.map(({ document, partition }) => [document, partition])).toEqual([
      ['one', 1],
      ['two', 2],
    ]);
    expect(textOf([a, second.entries[0]!.update])).toBe('abc');
    expect(queue.appended()).toEqual(['ack b', 'ack c', 'ack c']);
    expect(queue.next()).toBeUndefined();
    expect(queue.isIdle).toBe(true);
  });

  test('[GW2][GW3] what the log has not confirmed is known, in flight or waiting, and counted until it is, acknowledgements too, however small their updates', () => {
    const queue = new AppendQueue<string>();
    const [a, b] = typing('ab') as [Uint8Array, Uint8Array];
    queue.add('one', 1, a, 'ack', 1);
    queue.next();
    queue.add('one', 1, b, 'ack', 1);
    queue.add('two', 1, a, 'ack', 1);
    expect(textOf(queue.unacknowledged('one'))).toBe('ab');
    expect(queue.unacknowledgedBytes).toBe(2 * a.byteLength + b.byteLength + 3 * ackBytes);
    queue.appended();
    expect(queue.unacknowledged('one')).toEqual([b]);
    expect(queue.unacknowledgedBytes).toBe(a.byteLength + b.byteLength + 2 * ackBytes);
    queue.next();
    queue.appended();
    expect(queue.unacknowledged('one')).toEqual([]);
    expect(queue.unacknowledgedBytes).toBe(0);
  });
});
