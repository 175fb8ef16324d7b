/** $1 at, $2 events, $3 actors, $4 subjects, $5 documents, $6 addresses, $7 details: one place each a row. */
export const insertAudit = `
INSERT INTO weft.audit_log (at, event, actor, subject, document, address, detail)
SELECT * FROM unnest($1::timestamptz[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[])`;

/** $1 before this id or null: from the newest, $2 how many. */
export const selectAudit = `
SELECT id, at, event, actor, subject, document, address, detail FROM weft.audit_log
 WHERE $1::bigint IS NULL OR id < $1 ORDER BY id DESC LIMIT $2`;

/** $1 before, $2 how many at once. */
export const deleteOldAudit = `
DELETE FROM weft.audit_log WHERE id IN (SELECT id FROM weft.audit_log WHERE at < $1 ORDER BY at LIMIT $2)`;

/** Sessions that ended before $1, with their tokens; $2 how many at once. */
export const deleteOldSessions = `
DELETE FROM weft.sessions WHERE id IN (SELECT id FROM weft.sessions WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)`;
