import { expect, test } from 'vitest';
import { Metrics } from './index.ts';

test('counters, gauges and histograms appear in the text', async () => {
  const metrics = new Metrics({ labels: { service: 'test' } });
  metrics.counter('weft_things_total', { help: 'Things.', labels: ['kind'] }).inc({ kind: 'a' }, 2);
  metrics.gauge('weft_open', { help: 'Open.' }).set(3);
  metrics.histogram('weft_wait_seconds', { help: 'Wait.', buckets: [0.1, 1] }).observe(0.5);
  const text = await metrics.text();
  expect(text).toContain('weft_things_total{kind="a",service="test"} 2');
  expect(text).toContain('weft_open{service="test"} 3');
  expect(text).toContain('weft_wait_seconds_bucket{le="1",service="test"} 1');
});

test('[TE5] one name is one instrument, and only of one kind', async () => {
  const metrics = new Metrics();
  const first = metrics.counter('weft_things_total', { help: 'Things.' });
  expect(metrics.counter('weft_things_total', { help: 'Things.' })).toBe(first);
  expect(() => metrics.gauge('weft_things_total', { help: 'Things.' })).toThrow('metric weft_things_total is a counter() already');
  expect(() => metrics.counter('weft_things_total', { help: 'Things.', labels: ['a'] })).toThrow('cannot be a counter(a) too');
});

test('[TE6] default metrics only when asked for', async () => {
  expect(await new Metrics().text()).not.toContain('process_');
  expect(await new Metrics({ defaultMetrics: true }).text()).toContain('process_cpu_seconds_total');
});

test('onScrape sets gauges at the moment of the scrape, until removed', async () => {
  const metrics = new Metrics();
  const gauge = metrics.gauge('weft_open', { help: 'Open.' });
  let open = 5;
  const remove = metrics.onScrape(() => gauge.set(open));
  expect(await metrics.text()).toContain('weft_open 5');
  remove();
  open = 6;
  expect(await metrics.text()).toContain('weft_open 5');
});
