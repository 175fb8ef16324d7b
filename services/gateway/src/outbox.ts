import type { ClientSocket } from './client-socket.ts';

/** Unsent bytes over which the next frame of a large answer waits. The kernel holds megabytes more: nobody gets it slower for it. */
const pumpBytesMax = 128 * 1024;

/**
 * What one connection has yet to be sent of large answers: frames are made from shared bytes one at a time, while the socket has room, so that twenty
 * people joining a 50 MB document cost its bytes once. Bounded by what the frames refer to, not by copies.
 */
export class Outbox {
  readonly #socket: ClientSocket;
  readonly #highWaterBytes: number;
  readonly #jobs: { frames: Iterator<readonly Uint8Array[]>; done: () => void }[] = [];

  constructor(socket: ClientSocket, highWaterBytes: number) {
    this.#socket = socket;
    this.#highWaterBytes = highWaterBytes;
  }

  get isBusy(): boolean {
    return this.#jobs.length > 0;
  }

  get isFull(): boolean {
    return this.#socket.bufferedBytes() > this.#highWaterBytes;
  }

  /** Frames given together leave together. `done` is called right after the last was handed to the socket; at once if all fits. */
  push(frames: Iterator<readonly Uint8Array[]>, done: () => void): void {
    this.#jobs.push({ frames, done });
    if (this.#jobs.length === 1) this.pump();
  }

  /** Called when the socket has room again. */
  pump(): void {
    while (this.#jobs.length > 0 && this.#socket.bufferedBytes() <= pumpBytesMax) {
      const job = this.#jobs[0]!;
      const next = job.frames.next();
      if (!next.done) {
        for (const frame of next.value) this.#socket.send(frame);
        continue;
      }
      this.#jobs.shift();
      job.done();
    }
  }

  clear(): void {
    this.#jobs.length = 0;
  }
}
