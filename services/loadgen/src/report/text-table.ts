/** Columns as wide as their widest cell, two blanks between them; nothing hangs over at a line's end. */
export function textTable(rows: readonly (readonly string[])[], alignments: readonly ('left' | 'right')[]): string[] {
  const widths = alignments.map((_, column) => Math.max(0, ...rows.map((row) => widthOf(row[column] ?? ''))));
  return rows.map((row) =>
    widths
      .map((width, column) => align(row[column] ?? '', width, alignments[column] ?? 'left'))
      .filter((_, column) => (widths[column] ?? 0) > 0)
      .join('  ')
      .trimEnd(),
  );
}

function align(cell: string, width: number, alignment: 'left' | 'right'): string {
  const blanks = ' '.repeat(Math.max(0, width - widthOf(cell)));
  return alignment === 'right' ? blanks + cell : cell + blanks;
}

const characters = new Intl.Segmenter();

/** In characters as they are seen: a name may have any. */
function widthOf(cell: string): number {
  return [...characters.segment(cell)].length;
}
