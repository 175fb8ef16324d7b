/**
 * Candidates wear Okabe and Ito's colours, processes Paul Tol's muted ones: made to be told apart by the colour-blind, here darkened for white and
 * lightened for black. Names stand beside what is coloured, so that nothing hangs on colour alone.
 */
const candidates = {
  light: ['#0072b2', '#d55e00', '#008a66', '#b5568f', '#a87400', '#3d9bd1', '#5b5b5b', '#8a7f00'],
  dark: ['#4aa8e0', '#f0803c', '#2fc49a', '#de94bf', '#e8b13a', '#8fd0f5', '#b0b0b0', '#efe35a'],
};
const processes = {
  light: ['#44609f', '#cc6677', '#999933', '#44aa99', '#aa4499', '#ddaa44', '#882255', '#66a9d0'],
  dark: ['#7f97d6', '#e0808f', '#b9b955', '#5cc4b3', '#cf78bf', '#e6c069', '#c0668f', '#93cbea'],
};
/** How much of a family's hue is left in its members. */
const shadePercents = [100, 68, 84, 52];

export function pageStyle(): string {
  return `:root{color-scheme:light dark;--page:#fff;--card:#f7f8fa;--ink:#1b1f24;--quiet:#5c6570;--rule:#d9dde2;--grid:#e6e9ed;--aside:#8b97a518;--overload:#e69f0033;--good:#0a6b45;--good-page:#e6f5ee;--bad:#a61b1b;--bad-page:#fdecec;--unsure:#7a5200;--unsure-page:#fdf4e0;${variables('light')}}
@media (prefers-color-scheme:dark){:root{--page:#14171b;--card:#1b1f25;--ink:#e7eaee;--quiet:#9aa5b1;--rule:#343b44;--grid:#2a3038;--aside:#aab6c417;--overload:#e8b13a33;--good:#6fd6a6;--good-page:#12301f;--bad:#ff9c94;--bad-page:#3a1618;--unsure:#f0c878;--unsure-page:#33270d;${variables('dark')}}}
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--ink);font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif}
main{max-width:1184px;margin:0 auto;padding:32px 32px 64px}
h1{font-size:28px;line-height:1.2;margin:0 0 4px;letter-spacing:-.01em}
h2{font-size:21px;line-height:1.25;margin:0}
h3{font-size:16px;margin:36px 0 0}
p{margin:0}
.quiet{color:var(--quiet)}
.h3-note{color:var(--quiet);font-size:13px;margin-bottom:8px}
.box{border-radius:8px;padding:10px 16px;margin-top:16px}
.box ul{margin:4px 0 0;padding-left:20px}
.is-good{background:var(--good-page);color:var(--good)}
.is-bad{background:var(--bad-page);color:var(--bad)}
.is-unknown{background:var(--unsure-page);color:var(--unsure)}
nav{margin-top:16px;display:flex;flex-wrap:wrap;gap:4px 20px}
a{color:inherit;text-underline-offset:3px}
.scenario{margin-top:48px;padding-top:24px;border-top:1px solid var(--rule)}
.scroll{overflow-x:auto;margin-top:16px}
table{border-collapse:collapse;font-variant-numeric:tabular-nums;min-width:100%}
.is-alone table{min-width:min(100%,440px)}
th,td{padding:5px 0 5px 24px;text-align:left;vertical-align:top;border-bottom:1px solid var(--grid);font-weight:400;white-space:nowrap}
th:first-child{padding-left:0;position:sticky;left:0;background:var(--page)}
thead th{border-bottom:1px solid var(--rule);font-weight:600;vertical-align:top}
thead .spread{display:block;font-weight:400;margin-left:17px}
td{min-width:150px}
td.wrapped{white-space:normal}
tbody th .unit{color:var(--quiet)}
tbody th.is-part{padding-left:18px;color:var(--quiet)}
tr.group th{padding-top:16px;font-weight:600}
.value{font-weight:600}
.spread{color:var(--quiet);font-size:13px}
.ratio{float:right;margin-left:12px}
.bar{display:block;height:3px;border-radius:2px;background:var(--k);margin-top:3px;min-width:1px}
.chip{display:inline-block;width:10px;height:10px;border-radius:3px;background:var(--k);margin-right:7px}
.grid{display:grid;gap:16px 20px}
.grid.of-2{grid-template-columns:repeat(2,minmax(0,1fr))}
.grid.of-3{grid-template-columns:repeat(3,minmax(0,1fr))}
figure{margin:0;background:var(--card);border-radius:8px;padding:10px 12px 8px}
figcaption{font-size:13px;font-weight:600;margin-bottom:4px}
figcaption .quiet{font-weight:400}
.none{color:var(--quiet);font-size:13px;padding:24px 0}
svg{display:block;width:100%;height:auto;overflow:visible;font:11px system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif}
.is-narrow{display:none}
svg path.grid{stroke:var(--rule);stroke-width:.7}
.tick,.phase-name{fill:var(--quiet)}
.phase-name{font-size:10px}
.name{fill:var(--ink)}
.line{fill:none;stroke:var(--k);stroke-width:1.4;stroke-linejoin:round;stroke-linecap:round}
.line.is-strong{stroke-width:1.9}
.line.is-faint{opacity:.6}
.dot.is-faint{opacity:.6}
.line.is-dashed{stroke-dasharray:2 3.5}
.line.is-sum{stroke:var(--ink);stroke-width:.6;opacity:.5}
.area{fill:var(--k);stroke:var(--card);stroke-width:.5}
.leader{fill:none;stroke:var(--k);stroke-width:.8;opacity:.6}
.dot{fill:var(--k)}
.phase{fill:none}
.phase.is-aside{fill:var(--aside)}
.phase.is-overload{fill:var(--overload)}
.phase-begins{stroke:var(--quiet);stroke-width:.6;stroke-dasharray:2 2;opacity:.7}
.ink{--k:var(--quiet)}
${candidates.light.map((_, index) => `.c${index}{--k:var(--c${index})}`).join('')}
${processes.light.map((_, index) => `.p${index}{--h:var(--p${index});--k:var(--h)}`).join('')}
${shadePercents.map((percent, shade) => (shade === 0 ? '' : `.s${shade}{--k:color-mix(in oklab,var(--h) ${percent}%,var(--card))}`)).join('')}
footer{margin-top:48px;color:var(--quiet);font-size:13px}
@media (max-width:860px){main{padding:20px 16px 48px}h1{font-size:24px}.grid.of-2,.grid.of-3{grid-template-columns:minmax(0,1fr)}.is-wide{display:none}.is-narrow{display:block}th,td{padding-left:16px}td{min-width:128px}th:first-child{white-space:normal;max-width:124px}figure svg{margin:0 auto}}
@media print{.scenario{break-before:page}figure{break-inside:avoid}}`;
}

function variables(scheme: 'light' | 'dark'): string {
  return [
    ...candidates[scheme].map((colour, index) => `--c${index}:${colour}`),
    ...processes[scheme].map((colour, index) => `--p${index}:${colour}`),
  ].join(';');
}
