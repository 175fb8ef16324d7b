import type { Result } from '../result.ts';

/** A colour is a number: the page's style says what it looks like in light and dark. */
export interface Colours {
  /** Of a candidate, the same in every chart. */
  readonly ofCandidate: ReadonlyMap<string, number>;
  readonly ofProcess: ReadonlyMap<string, ProcessColour>;
}

export interface ProcessColour {
  readonly colour: number;
  /** 0, 1, … for `gateway-1`, `gateway-2`, …: one hue, in shades. */
  readonly shade: number;
}

export const candidateColours = 8;
export const processColours = 8;
export const shades = 4;

/** Its name without the number behind it: `gateway-2` is a `gateway`. */
export function familyOf(process: string): string {
  return process.replace(/[-_ ]?\d+$/, '') || process;
}

export function assignColours(results: readonly Result[]): Colours {
  const candidates = [...new Set(results.map((result) => result.candidate))];
  return {
    ofCandidate: new Map(candidates.map((name, index) => [name, index % candidateColours])),
    ofProcess: colourProcesses(results.map(processesOf)),
  };
}

/** Servers in the order in which they appear; the load generator is none. */
export function processesOf(result: Result): string[] {
  const names = result.series.flatMap((second) => [...Object.keys(second.cpu), ...Object.keys(second.rss)]);
  return [...new Set(names)].filter((name) => name !== 'loadgen');
}

/** There may be more processes than colours that can be told apart: then two families share one that are never in a chart together, as long as that goes. */
function colourProcesses(charts: readonly (readonly string[])[]): Map<string, ProcessColour> {
  const all = Array.from({ length: processColours }, (_, colour) => colour);
  const families = new Map<string, number>();
  for (const family of new Set(charts.flat().map(familyOf))) {
    const neighbours = new Set(charts.filter((chart) => chart.map(familyOf).includes(family)).flatMap((chart) => chart.map(familyOf)));
    const taken = new Set([...neighbours].map((neighbour) => families.get(neighbour)));
    const used = new Set(families.values());
    const free = all.find((colour) => !used.has(colour)) ?? all.find((colour) => !taken.has(colour));
    families.set(family, free ?? families.size % processColours);
  }
  const members = new Map<string, number>();
  return new Map(
    [...new Set(charts.flat())].map((process) => {
      const family = familyOf(process);
      const shade = members.get(family) ?? 0;
      members.set(family, shade + 1);
      return [process, { colour: families.get(family) ?? 0, shade: shade % shades }];
    }),
  );
}
