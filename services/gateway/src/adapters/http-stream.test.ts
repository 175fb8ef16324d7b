import { connect, type Socket } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { HttpStream } from './http-stream.ts';
import { type ListenSocket, loadUws } from './uws.ts';

const uws = loadUws();
let listening: ListenSocket | undefined;
let client: Socket | undefined;

afterEach(() => {
  client?.destroy();
  listening?.close();
});

interface Served {
  readonly stream: HttpStream;
  readonly told: { gone: number; drained: number; ended: number };
}

/** A response that does not end; `client` is at its other side. */
async function served(): Promise<Served> {
  const app = uws.app();
  const serving = new Promise<Served>((resolve) => {
    app.get('/*', (res) => {
      const told = { gone: 0, drained: 0, ended: 0 };
      res.writeStatus('200 OK').write(':\n\n');
      const stream = new HttpStream(
        res,
        { gone: () => void (told.gone += 1), drained: () => void (told.drained += 1) },
        () => void (told.ended += 1),
      );
      resolve({ stream, told });
    });
  });
  listening = await uws.listen(app, '127.0.0.1', 0);
  client = connect(listening!.port, '127.0.0.1').pause();
  client.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
  return serving;
}

/** What arrived of the letters, without the framing of chunks. */
function lettersHeard(): () => number {
  let letters = 0;
  client!.on('data', (data: Buffer) => {
    for (const byte of data) if (byte === 0x78) letters += 1;
  });
  client!.resume();
  return () => letters;
}

test('[GW44] what the kernel does not take at once arrives whole, also when nothing more is written; it is counted, and told', async () => {
  const { stream, told } = await served();
  const bytes = 20_000_000;
  stream.write('x'.repeat(bytes));
  expect(stream.unsentBytes).toBeGreaterThan(bytes / 2);
  // What comes later waits behind it.
  stream.write('xxx');
  const heard = lettersHeard();
  await expect.poll(heard, { timeout: 30_000 }).toBe(bytes + 3);
  await expect.poll(() => stream.unsentBytes).toBe(0);
  expect(told.drained).toBeGreaterThan(0);
  expect([told.gone, told.ended]).toEqual([0, 0]);
});

test('an end comes after what was written; nothing after it', async () => {
  const { stream, told } = await served();
  stream.write('x'.repeat(20_000_000));
  stream.end();
  stream.write('x');
  expect(told.ended).toBe(0);
  const heard = lettersHeard();
  await expect.poll(heard, { timeout: 30_000 }).toBe(20_000_000);
  await expect.poll(() => told.ended).toBe(1);
  stream.write('x');
  stream.cut();
  expect(told).toMatchObject({ gone: 0, ended: 1 });
});

test('a client that goes is told of once; who cuts it is told nothing', async () => {
  const one = await served();
  client!.destroy();
  await expect.poll(() => one.told).toMatchObject({ gone: 1, ended: 1 });
  listening?.close();
  const other = await served();
  const closed = new Promise((resolve) => client!.once('close', resolve));
  client!.resume();
  other.stream.cut();
  await closed;
  expect(other.told).toMatchObject({ gone: 0, ended: 1 });
});
