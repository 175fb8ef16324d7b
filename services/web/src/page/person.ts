/** Who sits at this tab: a name and a colour, kept in this browser. */
export interface Person {
  readonly name: string;
  /** `#rrggbb`, dark enough for white letters on it. */
  readonly color: string;
}

/** Dyes that bear white letters (contrast 4.5 or more) and differ from one another. */
const COLORS = ['#b3413a', '#8a5a00', '#3f51b5', '#20718f', '#4a7729', '#8e4585', '#7a5230', '#0f766e', '#b8265f', '#546478'] as const;
const ADJECTIVES = ['Quiet', 'Bright', 'Patient', 'Nimble', 'Kind', 'Curious', 'Gentle', 'Merry', 'Steady', 'Swift'] as const;
const ANIMALS = ['Heron', 'Otter', 'Finch', 'Hare', 'Badger', 'Wren', 'Lynx', 'Marten', 'Robin', 'Vole'] as const;

/** Characters; as auth has it for names in tokens, and short enough for a cursor's flag. */
export const NAME_LENGTH_MAX = 40;

/** `random`: 0 (inclusive) to 1 (exclusive). */
export function randomPerson(random: () => number): Person {
  return { name: `${pick(ADJECTIVES, random)} ${pick(ANIMALS, random)}`, color: pick(COLORS, random) };
}

/** A name fit to be shown: trimmed, cut, without line breaks; `undefined` if nothing is left. */
export function cleanName(text: string): string | undefined {
  const clean = Array.from(text.replace(/\s+/g, ' ').trim()).slice(0, NAME_LENGTH_MAX).join('');
  return clean === '' ? undefined : clean;
}

/** One or two letters for a face: `Quiet Heron` -> `QH`. */
export function initials(name: string): string {
  const words = name.split(/\s+/).filter((word) => word !== '');
  const letters = [words[0], words.length > 1 ? words.at(-1) : undefined].map((word) =>
    word === undefined ? '' : (Array.from(word)[0] ?? ''),
  );
  return letters.join('').toLocaleUpperCase() || '?';
}

/** What came from another browser, or from storage: never trusted to be what it should. */
export function parsePerson(value: unknown): Person | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { name, color } = value as { name?: unknown; color?: unknown };
  const clean = typeof name === 'string' ? cleanName(name) : undefined;
  if (clean === undefined) return undefined;
  return { name: clean, color: typeof color === 'string' && /^#[0-9a-f]{6}$/i.test(color) ? color : '#546478' };
}

function pick<T>(list: readonly [T, ...T[]], random: () => number): T {
  return list[Math.floor(random() * list.length)] ?? list[0];
}
