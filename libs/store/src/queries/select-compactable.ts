import { textLiteral } from '../binary.ts';

export const COMPACTABLE_PART = { header: 1, piece: 2, tail: 3 } as const;

/**
 * The snapshot and the oldest rows of the tail, as many as fit in `tailBytesMax` (at least one). Columns: part, n, id (the document's), a, b.
 * The sums look at lengths only: an EXTERNAL value's length is read without the value.
 */
export function selectCompactable(document: string, tailBytesMax: number): string {
  const id = `(SELECT id FROM weft.documents WHERE name = ${textLiteral(document)})`;
  return `
SELECT part, n, id, a, b FROM (
  SELECT ${COMPACTABLE_PART.header}::int2 AS part, coalesce(s.version, 0)::bigint AS n, d.id, s.state_vector AS a, s.deletes AS b
    FROM weft.documents d LEFT JOIN weft.document_snapshots s ON s.document_id = d.id WHERE d.id = ${id}
  UNION ALL
  SELECT ${COMPACTABLE_PART.piece}::int2, p.idx::bigint, p.document_id, p.bytes, NULL
    FROM weft.document_snapshots s JOIN weft.document_snapshot_pieces p USING (document_id, version) WHERE s.document_id = ${id}
  UNION ALL
  SELECT ${COMPACTABLE_PART.tail}::int2, t.id, t.document_id, t.bytes, NULL
    FROM (
      SELECT u.*, sum(octet_length(bytes)) OVER (ORDER BY u.id) - octet_length(bytes) AS before
        FROM weft.document_updates u WHERE document_id = ${id}
    ) t WHERE t.before < ${Math.trunc(tailBytesMax)}
) AS parts ORDER BY part, n`;
}
