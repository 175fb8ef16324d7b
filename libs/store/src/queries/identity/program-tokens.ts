/** $1 id, $2 kind, $3 user, $4 hash, $5 label, $6 documents, $7 now, $8 expires, $9 how many a person may have. */
export const insertProgramToken = `
INSERT INTO weft.program_tokens (id, kind, user_id, hash, label, documents, created_at, expires_at)
SELECT $1, $2, $3, $4, $5, $6::jsonb, $7::timestamptz, $8::timestamptz
 WHERE (SELECT count(*) FROM weft.program_tokens WHERE user_id = $3 AND revoked_at IS NULL) < $9`;

export const selectProgramTokensOf = `
SELECT id, kind, label, documents, created_at, expires_at FROM weft.program_tokens
 WHERE user_id = $1 AND revoked_at IS NULL ORDER BY created_at DESC, id`;

/** $1 id, $2 user, $3 now. */
export const revokeProgramToken = `
UPDATE weft.program_tokens SET revoked_at = $3 WHERE id = $1 AND user_id = $2 AND revoked_at IS NULL RETURNING kind`;

/** Whoever bears a token that is good now. $1 hash, $2 now. */
export const selectProgramTokenByHash = `
SELECT t.id, t.kind, t.user_id, t.label, t.documents, t.expires_at, u.disabled_at IS NOT NULL AS disabled
  FROM weft.program_tokens t JOIN weft.users u ON u.id = t.user_id
 WHERE t.hash = $1 AND t.revoked_at IS NULL AND (t.expires_at IS NULL OR t.expires_at > $2)`;
