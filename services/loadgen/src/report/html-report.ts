import type { Result } from '../result.ts';
import { assignColours } from './colours.ts';
import { html, joined, type Markup } from './markup.ts';
import { pageStyle } from './page/page-style.ts';
import { scenarioSection } from './page/scenario-section.ts';
import { formatDuration } from './quantity.ts';
import { type ScenarioSummary, summarise } from './summary.ts';
import { verdictOf } from './verdict.ts';

export interface ReportOptions {
  readonly title: string;
  /** The candidate others are divided by. */
  readonly reference?: string;
}

/** One HTML file that needs nothing else: no scripts, no fonts, no network. Throws when a latency's histogram cannot be decoded. */
export function htmlReport(results: readonly Result[], { title, reference }: ReportOptions): string {
  const summaries = summarise(results, reference);
  const colours = assignColours(results);
  const sections = summaries.map((summary, index) => scenarioSection(summary, colours, sectionId(index)));
  const page = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width,initial-scale=1" />
        <title>${title}</title>
        <style>
          ${{ markup: pageStyle() }}
        </style>
      </head>
      <body>
        <main>
          <header>
            <h1>${title}</h1>
            <p class="quiet">${subtitle(results, summaries)}</p>
          </header>
          ${verdict(results)}
          ${summaries.length > 1 ? html`<nav aria-label="Scenarios">${summaries.map((summary, index) => html`<a href="#${sectionId(index)}">${summary.title}</a>`)}</nav>` : undefined}
          ${sections}
          <footer>${explanation(reference)}</footer>
        </main>
      </body>
    </html> `;
  return page.markup;
}

function sectionId(index: number): string {
  return `scenario-${index + 1}`;
}

function verdict(results: readonly Result[]): Markup {
  const { troubles, undelivered } = verdictOf(results);
  const list =
    troubles.length > 0
      ? html`<div class="box is-bad" role="alert">
          <strong>${troubles.length === 1 ? 'One trouble' : `${troubles.length} troubles`}</strong>
          <ul>
            ${troubles.map(({ where, trouble }) => html`<li><strong>${where}:</strong> ${trouble}</li>`)}
          </ul>
        </div>`
      : joined([]);
  return html`${list}
    <div class="box is-${undelivered.state}"><strong>${undelivered.sentence}</strong></div>`;
}

function subtitle(results: readonly Result[], summaries: readonly ScenarioSummary[]): string {
  if (results.length === 0) return 'No results';
  const began = results.reduce((least, result) => Math.min(least, result.startedAt), Infinity);
  const seconds = results.reduce((sum, result) => sum + result.seconds, 0);
  const candidates = new Set(results.map((result) => result.candidate)).size;
  return [
    `${new Date(began).toISOString().slice(0, 16).replace('T', ' ')} UTC`,
    count(results.length, 'run'),
    count(summaries.length, 'scenario'),
    count(candidates, 'candidate'),
    `${formatDuration(seconds)} under load`,
  ].join(' · ');
}

function count(many: number, noun: string): string {
  return `${many} ${noun}${many === 1 ? '' : 's'}`;
}

function explanation(reference: string | undefined): string {
  const rounds =
    'Of several rounds a table shows the median and the lowest and highest beside it; a bar is a value’s share of its row’s largest.';
  const ratios = reference === undefined ? '' : ` ×: how many times ${reference}’s value, round by round.`;
  return `${rounds}${ratios} In charts over time, what is not shaded was measured.`;
}
