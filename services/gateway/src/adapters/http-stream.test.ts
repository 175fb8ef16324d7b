import type { HttpResponse } from '@rjweb/uws';
import { beforeEach, expect, test } from 'vitest';
import { HttpStream } from './http-stream.ts';

let written: string[];
let takesAll: boolean;
let writable: () => void;
let stream: HttpStream;

/** As much of uWebSockets.js's response as a stream uses. */
beforeEach(() => {
  written = [];
  takesAll = true;
  const response = {
    onAborted: () => undefined,
    onWritable: (run: () => boolean) => {
      writable = () => void run();
    },
    cork: (run: () => void) => run(),
    write: (text: string) => {
      written.push(text);
      return takesAll;
    },
  };
  stream = new HttpStream(response as unknown as HttpResponse, { gone: () => undefined, drained: () => undefined }, () => undefined);
});

function stuck(text: string): void {
  takesAll = false;
  stream.write(text);
  takesAll = true;
}

test('[GW41] what was not all taken is followed by a comment, which sends the rest of it', () => {
  stuck('id: 1\ndata: AAAA\n\n');
  writable();
  expect(written.join('')).toBe('id: 1\ndata: AAAA\n\n:\n\n');
});

test('[GW41] within an event that came in parts there is no comment: it would end the event', () => {
  stuck('id: 1\ndata: AAAA');
  writable();
  stream.keepAlive();
  stuck('BBBB\n');
  writable();
  stream.keepAlive();
  stream.write('\n');
  stream.keepAlive();
  expect(written.join('')).toBe('id: 1\ndata: AAAABBBB\n\n:\n\n');
  expect(stream.unsentBytes).toBe(0);
});
