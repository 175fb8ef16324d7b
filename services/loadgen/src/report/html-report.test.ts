import { build, encodeIntoCompressedBase64 } from 'hdr-histogram-js';
import { expect, test } from 'vitest';
import { assignColours } from './colours.ts';
import { placeLabels } from './drawing/end-labels.ts';
import { pathOf } from './drawing/line-chart.ts';
import { stack } from './drawing/stacked-chart.ts';
import { htmlReport } from './html-report.ts';
import { html } from './markup.ts';
import { middleRound } from './page/scenario-section.ts';
import { percentileCurve } from './percentiles.ts';
import { phasesOf } from './phases.ts';
import { sampleResult } from './sample.fixture.ts';

const evil = `<script>alert("1")</script>&'`;
const escaped = '&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;&amp;&#39;';

test('text is escaped, markup is not', () => {
  expect(html`<b title="${evil}">${html`<i>${1.005}</i>`}${undefined}</b>`.markup).toBe(`<b title="${escaped}"><i>1</i></b>`);
});

test('names from command lines and peers cannot become markup', () => {
  const result = sampleResult({ candidate: evil, scenario: evil, seconds: 2, cpu: { [evil]: 0.1 } });
  const page = htmlReport(
    [
      {
        ...result,
        parameters: { [evil]: evil },
        figures: { [evil]: 1 },
        latencies: { [evil]: result.latencies['ack']! },
        troubles: [evil],
      },
    ],
    { title: evil },
  );
  expect(page).not.toContain('<script');
  expect(page).toContain(`<title>${escaped}</title>`);
  expect(page).toContain(`${escaped}</li>`);
});

test('the page needs no network and no script, and draws each chart for a desk and for a telephone', () => {
  const page = htmlReport([sampleResult({ seconds: 10 })], { title: 'A run' });
  expect(page).not.toMatch(/<script|<link|https?:|@import|url\(/);
  expect(page).not.toMatch(/NaN|undefined|Infinity/);
  expect(page.match(/<svg/g)).toHaveLength(2 * (2 + 6));
  expect(page).toContain('<div class="box is-good"><strong>Nothing undelivered, in 1 run.</strong></div>');
});

test('troubles come before anything else, in red', () => {
  const result = { ...sampleResult({ seconds: 2 }), troubles: ['A client was lost.'], figures: { not_delivered: 3 } };
  const page = htmlReport([result], { title: 'A run' });
  expect(page.indexOf('A client was lost.')).toBeLessThan(page.indexOf('<section'));
  expect(page).toContain('box is-bad"><strong>3 not delivered, in 1 of 1 run');
  expect(page).not.toContain('box is-good');
});

test('a run without seconds, latencies and figures is still a page', () => {
  const page = htmlReport([{ ...sampleResult(), series: [], latencies: {}, figures: {} }], { title: 'Nothing' });
  expect(page).not.toMatch(/NaN|Infinity|<svg/);
  expect(htmlReport([], { title: 'Nothing' })).toContain('There are no results.');
});

test('a candidate keeps its colour in every scenario; a family of processes has one hue in shades', () => {
  const results = [
    sampleResult({ candidate: 'raw', cpu: { raw: 1 } }),
    sampleResult({ candidate: 'weft', cpu: { 'gateway-1': 1, 'gateway-2': 1, nats: 1 } }),
    sampleResult({ candidate: 'weft', scenario: 'room', cpu: { nats: 1, postgres: 1 } }),
  ];
  const { ofCandidate, ofProcess } = assignColours(results);
  expect([...ofCandidate]).toEqual([
    ['raw', 0],
    ['weft', 1],
  ]);
  expect(ofProcess.get('gateway-2')).toEqual({ colour: ofProcess.get('gateway-1')?.colour, shade: 1 });
  expect(new Set(['gateway-1', 'nats', 'postgres'].map((name) => ofProcess.get(name)?.colour)).size).toBe(3);
  expect(ofProcess.has('loadgen')).toBe(false);
});

test('names beside lines keep their distance and their order, and stay inside', () => {
  expect(placeLabels([50, 50, 10], 0, 100)).toEqual([50, 63, 10]);
  expect(placeLabels([99, 98], 0, 100)).toEqual([100, 87]);
  const crowded = placeLabels(
    Array.from({ length: 20 }, () => 50),
    0,
    100,
  );
  expect(Math.min(...crowded)).toBeGreaterThanOrEqual(-0.001);
  expect(Math.max(...crowded)).toBeLessThanOrEqual(100);
});

test('a gap breaks a line, a point alone is a dot', () => {
  expect(pathOf([{ x: 0, y: 1 }, { x: 1, y: 2 }, undefined, { x: 3, y: 4 }, undefined])).toBe('M0 1L1 2M3 4h0');
});

test('areas lie upon each other', () => {
  expect(
    stack([
      [1, 2],
      [10, 20],
    ]),
  ).toEqual([
    [0, 0],
    [1, 2],
    [11, 22],
  ]);
});

test('phases are stretches of the same word', () => {
  const { series } = sampleResult({ seconds: 60, overload: true });
  expect(phasesOf(series).map(({ name, from, to }) => `${name} ${from}–${to}`)).toEqual([
    'warming 0–5',
    'measured 5–25',
    'overload 25–35',
    'recovery 35–65',
    'settling 65–68',
  ]);
});

test('of several rounds the middle one by latency is drawn', () => {
  const rounds = [3, 1, 2].map((latency, round) => sampleResult({ round, latency, seconds: 5 }));
  expect(middleRound(rounds)).toBe(rounds[2]);
});

test('histograms of rounds are added, the slowest of any round is the end of the curve', () => {
  const of = (...us: number[]) => {
    const histogram = build();
    for (const value of us) histogram.recordValue(value);
    return { count: us.length, mean: 0, p50: 0, p90: 0, p99: 0, p999: 0, max: 0, hdr: encodeIntoCompressedBase64(histogram) };
  };
  const curve = percentileCurve([of(1000, 1000, 1000), of(1000, 1000, 5_000_000)]);
  expect(curve[0]).toEqual({ oneIn: 2, ms: 1 });
  expect(curve.at(-1)?.oneIn).toBeCloseTo(6);
  expect(curve.at(-1)?.ms).toBeCloseTo(5000, -1);
  expect(percentileCurve([])).toEqual([]);
  expect(() => percentileCurve([{ ...of(1), hdr: 'bm90IG9uZQ==' }])).toThrow('is not a histogram: expected HdrHistogram V2');
});
