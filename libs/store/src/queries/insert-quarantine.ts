/** $1 slices, $2 documents, $3 positions, $4 reasons, $5 bytes. */
export const insertQuarantine = `
INSERT INTO weft.quarantine (slice, document, position, reason, bytes)
SELECT * FROM unnest($1::int[], $2::text[], $3::bigint[], $4::text[], $5::bytea[])`;
