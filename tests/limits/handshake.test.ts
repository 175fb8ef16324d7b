import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import type { Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import type { Gateway } from '@weft/gateway';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Bystanders } from './bystanders.ts';
import { House } from './house.ts';

let house: House;
let gateway: Gateway;
let bystanders: Bystanders;
beforeAll(async () => {
  house = await House.start();
  gateway = await house.gateway();
  bystanders = await Bystanders.in(gateway.port, 'handshake');
});
afterAll(() => house.stop());

/** RFC 6455, 4.1, but for `Connection`. */
function handshake(path: string, connection: string) {
  return request({
    port: gateway.port,
    path,
    headers: {
      Connection: connection,
      Upgrade: 'websocket',
      'Sec-WebSocket-Version': '13',
      'Sec-WebSocket-Key': Buffer.alloc(16).toString('base64'),
    },
  }).end();
}

test.each(['/collab', '/yjs/handshake'])(
  '[L20] %s: a handshake that wants its connection closed is refused with 400, and harms nobody',
  async (path) => {
    const [response] = (await once(handshake(path, 'close'), 'response')) as [IncomingMessage];
    expect(response.statusCode).toBe(400);
    expect(await text(response)).toContain('a WebSocket handshake says \\"Connection: Upgrade\\"; this one says \\"close\\"');
    await bystanders.goOn();
  },
);

test.each(['/collab', '/yjs/handshake'])('[L20] %s: `Upgrade` may be one of several', async (path) => {
  const [, socket] = (await once(handshake(path, 'keep-alive, upgrade'), 'upgrade')) as [IncomingMessage, Socket];
  socket.destroy();
});
