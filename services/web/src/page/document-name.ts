/** Which document the address asks for: `/?doc=welcome`. */
const DEFAULT_NAME = 'welcome';
/** UTF-8 bytes, as the gateway has it. */
const NAME_BYTES_MAX = 255;
const FIRST = ['amber', 'linen', 'silk', 'cedar', 'river', 'willow', 'copper', 'indigo', 'saffron', 'slate', 'moss', 'coral'] as const;
const SECOND = [
  'loom',
  'thread',
  'shuttle',
  'selvage',
  'knot',
  'braid',
  'spindle',
  'heddle',
  'bobbin',
  'weave',
  'twill',
  'fringe',
] as const;

/** @param search the query, with or without its `?` */
export function documentName(search: string): string {
  const asked = new URLSearchParams(search).get('doc')?.trim() ?? '';
  const usable = asked !== '' && !asked.includes('\0') && new TextEncoder().encode(asked).length <= NAME_BYTES_MAX;
  return usable ? asked : DEFAULT_NAME;
}

/** `river-shuttle-4821`: easy to say, hard to hit by accident. `random`: 0 (inclusive) to 1 (exclusive). */
export function randomDocumentName(random: () => number): string {
  const pick = (words: readonly string[]) => words[Math.floor(random() * words.length)];
  return `${pick(FIRST)}-${pick(SECOND)}-${Math.floor(1000 + random() * 9000)}`;
}

export function pathOf(document: string): string {
  return `/?doc=${encodeURIComponent(document)}`;
}
