import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Gateway } from '@weft/gateway';
import { collab } from '../limits/frames.ts';
import { House } from '../limits/house.ts';
import { Person } from '../limits/person.ts';
import { until } from '../limits/until.ts';

let house: House;
let gateway: Gateway;
beforeAll(async () => {
  house = await House.start();
  // Unsent bytes of a connection at the most: 8 x 64 KiB + 4 x 256 KiB.
  gateway = await house.gateway({ WEFT_CONNECTION_HIGH_WATER: '64KiB', WEFT_FRAME_BYTES_MAX: '256KiB' });
});
afterAll(() => house.stop());

test(
  'a client that asks on and on and reads nothing is cut when its unsent answers reach the bound; the others go on',
  { timeout: 60_000 },
  async () => {
    const others = await Person.collab(gateway.port, 'unsent');
    const asker = await Person.collab(gateway.port, 'unsent');
    // Something to answer with: what QueryAwareness is answered with cannot be caught up, so it is not held back.
    others.client.send(collab.awareness('unsent', { clientId: 5, clock: 1, state: { is: 'x'.repeat(60_000) } }));
    await asker.client.heard('awareness');
    asker.client.pause();
    const questions = 400; // 24 MB of answers: more than the kernel takes and the bound together.
    for (let i = 0; i < questions; i++) asker.client.send(collab.queryAwareness('unsent'));
    await until(() => gateway.notReady().length === 0 && house.count('left') > 0, 'it is cut', { withinMs: 20_000 });
    asker.client.resume();
    await asker.client.isClosed(20_000);
    expect(asker.client.all('awareness').length).toBeLessThan(questions);
    await others.types('still here');
    await others.client.close();
  },
);
