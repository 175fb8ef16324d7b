import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { LateUpgrade } from './late-upgrade.ts';
import { type ListenSocket, loadUws } from './uws.ts';

const uws = loadUws();
let listening: ListenSocket | undefined;
const clients: WebSocket[] = [];

afterEach(() => {
  for (const client of clients) client.terminate();
  listening?.close();
});

/** Lengths that a C++ string of the freed end of the request may have. '0' is the pattern of bits that means `Connection: close` there. */
const topics = Array.from({ length: 18 }, (_, i) => '0'.repeat(8 + 4 * i));

test('a socket upgraded late stays open, whatever was written to the heap meanwhile', async () => {
  const late = await LateUpgrade.get(uws);
  const app = uws.app();
  app.ws('/*', {
    upgrade: (res, req, context) => {
      const handshake = [req.getHeader('sec-websocket-key'), '', ''] as const;
      res.onAborted(() => undefined);
      setTimeout(() => late.run(() => res.upgrade({}, ...handshake, context)), 5);
    },
    open: (ws) => {
      for (const topic of topics) ws.subscribe(topic);
    },
    message: (ws, message) => void ws.send(message, true, false),
  });
  listening = await uws.listen(app, '127.0.0.1', 0);
  const closed: number[] = [];
  await Promise.all(
    Array.from({ length: 100 }, async () => {
      const client = new WebSocket(`ws://127.0.0.1:${listening!.port}`);
      clients.push(client);
      client.on('close', (code) => void closed.push(code));
      await once(client, 'open');
    }),
  );
  await sleep(100);
  expect(closed).toEqual([]);
  clients[0]!.send('hears');
  expect(String((await once(clients[0]!, 'message'))[0])).toBe('hears');
});
