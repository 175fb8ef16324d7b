import { expect, test } from 'vitest';
import { ringTable, RingView } from './index.ts';

test('[RI13] a view tells members, with what they said last and when, and the owner of every partition', () => {
  const ring = new RingView({ partitions: 4 });
  expect(ring.view(0)).toEqual({ members: [], owners: [null, null, null, null] });
  ring.hear({ role: 'worker', peer: { id: 'b', incarnation: '1' }, draining: true, load: 7 }, 1_000);
  ring.hear({ role: 'worker', peer: { id: 'a', incarnation: '9' }, draining: false, load: 3 }, 1_250.4);
  expect(ring.view(1_400)).toEqual({
    members: [
      { peer: 'a/9', draining: false, load: 3, heardMsAgo: 150 },
      { peer: 'b/1', draining: true, load: 7, heardMsAgo: 400 },
    ],
    owners: ['a/9', 'a/9', 'a/9', 'a/9'],
  });
});

test('[RI13] people read it as a table', () => {
  const members = [
    { peer: 'a/9', draining: false, load: 3, heardMsAgo: 150 },
    { peer: 'bob/1', draining: true, load: 12, heardMsAgo: 1_400 },
  ];
  const owners = ['a/9', 'a/9', 'a/9', null, 'a/9'];
  const slices = [{ slice: 0, identity: 'log', position: 90, end: 100, owned: [0, 1, 2, 4], ready: [0, 1] }];
  expect(ringTable({ role: 'worker', peer: 'a/9', members, owners, slices })).toBe(`worker a/9 sees 2 workers, 5 partitions
worker  heard        load  state     owns  partitions
a/9     150 ms ago   3     here      4     0-2 4
bob/1   1400 ms ago  12    draining  0
nobody                               1     3
slice  position  log end  owned  ready  not ready yet  identity
0      90        100      4      2      2 4            log
`);
  const alone = ringTable({ role: 'gateway', peer: 'g/1', members: [], owners: [null], slices: [] });
  expect(alone).toContain('gateway g/1 sees 0 workers');
  expect(alone).not.toContain('slice');
});
