import { createLogger } from '@weft/telemetry';
import { expect, test } from 'vitest';
import { busContract } from './contract.test-suite.ts';
import { InProcessBus } from './in-process.ts';

const logger = createLogger({ service: 'bus-test', level: 'silent' });

busContract('in process', async () => {
  const first = new InProcessBus({ logger });
  return { connect: async () => first.sibling(), end: () => first.close() };
});

test('two handlers that answer each other leave room for timers', async () => {
  const bus = new InProcessBus({ logger });
  bus.subscribe('ping', () => bus.publish('pong', new Uint8Array(1)));
  bus.subscribe('pong', () => bus.publish('ping', new Uint8Array(1)));
  bus.publish('ping', new Uint8Array(1));
  await new Promise((resolve) => setTimeout(resolve, 5));
  await bus.close();
  expect(bus.connected).toBe(false);
});

test('over the bound of undelivered bytes messages are dropped, and it recovers', async () => {
  const bus = new InProcessBus({ logger });
  let got = 0;
  bus.subscribe('flood', () => {
    got += 1;
  });
  const mebibyte = new Uint8Array(1024 * 1024);
  for (let i = 0; i < 70; i += 1) bus.publish('flood', mebibyte);
  await bus.flush();
  expect(got).toBe(64);
  bus.publish('flood', mebibyte);
  await bus.flush();
  expect(got).toBe(65);
  await bus.close();
});
