import { textLiteral } from '../binary.ts';

/** What a row of `selectDocument` is. Rows come in this order, and by `n` within a part. */
export const PART = { floor: 0, header: 1, piece: 2, tail: 3 } as const;

/**
 * A document, its snapshot's pieces, its tail and the floor of its slice, in ONE statement: one snapshot of the database without a transaction
 * around it. Columns: part, n (position | version | idx | row id), words (identity), a, b. The sort moves references to big values, not the values.
 */
export function selectDocument(document: string, slice: number): string {
  const id = `(SELECT id FROM weft.documents WHERE name = ${textLiteral(document)})`;
  return `
SELECT part, n, words, a, b FROM (
  SELECT ${PART.floor}::int2 AS part, position AS n, identity AS words, NULL::bytea AS a, NULL::bytea AS b
    FROM weft.slice_floors WHERE slice = ${Math.trunc(slice)}
  UNION ALL
  SELECT ${PART.header}::int2, version::bigint, NULL, state_vector, deletes
    FROM weft.document_snapshots WHERE document_id = ${id}
  UNION ALL
  SELECT ${PART.piece}::int2, p.idx::bigint, NULL, p.bytes, NULL
    FROM weft.document_snapshots s JOIN weft.document_snapshot_pieces p USING (document_id, version) WHERE s.document_id = ${id}
  UNION ALL
  SELECT ${PART.tail}::int2, id, NULL, bytes, NULL
    FROM weft.document_updates WHERE document_id = ${id}
) AS parts ORDER BY part, n`;
}
