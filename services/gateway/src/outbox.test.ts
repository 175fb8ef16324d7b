import { expect, test } from 'vitest';
import type { ClientSocket } from './client-socket.ts';
import { Outbox } from './outbox.ts';

/** A socket whose peer takes nothing until it is told to. */
class StuckSocket implements ClientSocket {
  readonly sent: Uint8Array[] = [];
  #buffered = 0;
  send(frame: Uint8Array): void {
    this.sent.push(frame);
    this.#buffered += frame.byteLength;
  }
  take(): void {
    this.#buffered = 0;
  }
  bufferedBytes(): number {
    return this.#buffered;
  }
  subscribe(): void {}
  unsubscribe(): void {}
  publishToOthers(): void {}
  cork(sends: () => void): void {
    sends();
  }
  close(): void {}
}

const frame = new Uint8Array(100 * 1024);

function* frames(count: number, made: number[]): Generator<readonly Uint8Array[], undefined> {
  for (let i = 0; i < count; i++) {
    made.push(i);
    yield [frame];
  }
}

test('what fits is sent at once, and done is called before push returns', () => {
  const outbox = new Outbox(new StuckSocket(), 1024 * 1024);
  let done = false;
  outbox.push(frames(1, []), () => (done = true));
  expect(done).toBe(true);
  expect(outbox.isBusy).toBe(false);
});

test('a frame is made only when there is room for it, answers leave in order, and the buffer stays bounded', () => {
  const socket = new StuckSocket();
  const outbox = new Outbox(socket, 1024 * 1024);
  const made: number[] = [];
  const done: string[] = [];
  outbox.push(frames(40, made), () => void done.push('first'));
  outbox.push(frames(1, made), () => void done.push('second'));
  let most = 0;
  for (let i = 0; i < 100 && outbox.isBusy; i++) {
    most = Math.max(most, socket.bufferedBytes());
    expect(made.length).toBe(socket.sent.length);
    socket.take();
    outbox.pump();
  }
  expect(most).toBeLessThan(1024 * 1024 + frame.byteLength);
  expect(done).toEqual(['first', 'second']);
  expect(socket.sent).toHaveLength(41);
});

test('a connection that is gone keeps nothing waiting', () => {
  const socket = new StuckSocket();
  const outbox = new Outbox(socket, 1024 * 1024);
  outbox.push(frames(100, []), () => expect.unreachable());
  outbox.clear();
  socket.take();
  outbox.pump();
  expect(outbox.isBusy).toBe(false);
});
