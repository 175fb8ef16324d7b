const columns = `
  d.name, count(*)::int AS rows, sum(octet_length(u.bytes))::bigint AS bytes,
  (extract(epoch FROM clock_timestamp() - min(u.created_at)) * 1000)::bigint AS age_ms,
  coalesce((SELECT s.bytes_total FROM weft.document_snapshots s WHERE s.document_id = d.id), 0)::bigint AS snapshot_bytes`;

/** How long the tails of these documents are. $1 names. */
export const selectTailsOf = `
SELECT ${columns}
  FROM unnest($1::text[]) AS n(name)
  JOIN weft.documents d ON d.name = n.name COLLATE "C"
  JOIN weft.document_updates u ON u.document_id = d.id
 GROUP BY d.id, d.name`;

/** The longest tails of a slice: a walk over all its tails, for a reader that just took the slice. $1 slice, $2 rows at least, $3 or bytes at least, $4 limit. */
export const selectLongTails = `
SELECT ${columns}
  FROM weft.documents d JOIN weft.document_updates u ON u.document_id = d.id
 WHERE d.slice = $1
 GROUP BY d.id, d.name
HAVING count(*) > $2 OR sum(octet_length(u.bytes)) > $3
 ORDER BY bytes DESC LIMIT $4`;
