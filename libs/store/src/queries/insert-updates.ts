/** One tail row an update; ids grow in the order given. $1 names, $2 updates (bytea[]), $3 position they reach to. */
export const insertUpdates = `
INSERT INTO weft.document_updates (document_id, position_to, bytes)
SELECT d.id, $3, u.bytes
  FROM unnest($1::text[], $2::bytea[]) WITH ORDINALITY AS u(name, bytes, ord)
  JOIN weft.documents d ON d.name = u.name COLLATE "C"
 ORDER BY u.ord`;
