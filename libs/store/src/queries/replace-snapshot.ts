/** $1 document id, $2 state vector, $3 deletes, $4 bytes in all. */
export const insertFirstSnapshot = `
INSERT INTO weft.document_snapshots (document_id, version, state_vector, deletes, bytes_total)
VALUES ($1, 1, $2, $3, $4) ON CONFLICT (document_id) DO NOTHING`;

/** The row lock it takes makes a second compaction of the document wait, and then find another version. $1–$4 as above, $5 the version it was made from. */
export const replaceSnapshot = `
UPDATE weft.document_snapshots
   SET version = version + 1, state_vector = $2, deletes = $3, bytes_total = $4, created_at = now()
 WHERE document_id = $1 AND version = $5`;

/** $1 document id, $2 version, $3 idx of the first, $4 pieces (bytea[]). */
export const insertPieces = `
INSERT INTO weft.document_snapshot_pieces (document_id, version, idx, bytes)
SELECT $1, $2, $3 + ord - 1, bytes FROM unnest($4::bytea[]) WITH ORDINALITY AS p(bytes, ord)`;

export const deletePiecesBefore = `DELETE FROM weft.document_snapshot_pieces WHERE document_id = $1 AND version < $2`;

/** Exactly the rows that are in the snapshot: one that came meanwhile stays. $1 document id, $2 row ids. */
export const deleteConsumedRows = `DELETE FROM weft.document_updates WHERE document_id = $1 AND id = ANY ($2::bigint[])`;
