import { expect, test } from 'vitest';
import { typist, useHouses } from './test-house.test-data.ts';

const newHouse = useHouses();

test('[PE1] what the log holds comes to Postgres, combined per document, and the floor is announced', async () => {
  const { append, floorAt, load, start, store } = await newHouse();
  const [a, b] = [typist(), typist()];
  const announced = floorAt(40);
  for (let i = 0; i < 40; i++) await append(['a', a.type()], ['b', b.type('yz')]);
  await start();
  await announced;
  expect((await load('a')).getText('t').toString()).toBe('x'.repeat(40));
  expect((await load('b')).getText('t').toString()).toBe('yz'.repeat(40));
  const { tail, floor } = await store.loadDocument('a', 0);
  expect(floor?.position).toBe(40);
  expect(tail.length).toBeLessThan(10);
});
