import { expect, test } from 'vitest';
import { OutgoingWindow } from './outgoing-window.ts';

const mib = 2 ** 20;

test('a server that confirms nothing: 64 MiB are sent, then nothing more; room again as it confirms, or when the connection is lost with all that was on its way', async () => {
  const asked: { confirm: () => void; lose: (error: Error) => void }[] = [];
  const window = new OutgoingWindow(() => new Promise((resolve, reject) => asked.push({ confirm: resolve, lose: reject })));
  const send = (): boolean => {
    const taken = window.take(mib);
    if (taken) window.sent();
    return taken;
  };
  let sent = 0;
  while (send()) sent += 1;
  expect(sent).toBe(64);
  expect(send()).toBe(false);
  asked[0]!.confirm();
  await Promise.resolve();
  await Promise.resolve();
  expect([send(), send()]).toEqual([true, false]);
  for (const one of asked.slice(1)) one.lose(new Error('the connection is lost'));
  await new Promise((resolve) => setImmediate(resolve));
  expect(send()).toBe(true);
});
