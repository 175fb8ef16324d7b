/** $1 id, $2 user, $3 now, $4 expires. */
export const insertSession = `INSERT INTO weft.sessions (id, user_id, created_at, expires_at) VALUES ($1, $2, $3, $4)`;

/** All but the newest: $1 user, $2 now, $3 how many may stay. */
export const revokeOldestSessions = `
UPDATE weft.sessions SET revoked_at = $2
 WHERE revoked_at IS NULL AND id IN (
   SELECT id FROM weft.sessions WHERE user_id = $1 AND revoked_at IS NULL AND expires_at > $2 ORDER BY created_at DESC, id OFFSET $3)
RETURNING id`;

/** $1 hash, $2 session, $3 now. */
export const insertRefreshToken = `INSERT INTO weft.refresh_tokens (hash, session_id, created_at) VALUES ($1, $2, $3)`;

/** One of many that bring the same token gets the row. $1 hash, $2 now. */
export const useRefreshToken = `UPDATE weft.refresh_tokens SET used_at = $2 WHERE hash = $1 AND used_at IS NULL RETURNING session_id`;

export const selectRefreshToken = `
SELECT t.session_id, s.user_id FROM weft.refresh_tokens t JOIN weft.sessions s ON s.id = t.session_id WHERE t.hash = $1`;

/** Locked, so that who ends it meanwhile waits, and ends the new token too. $1 session. */
export const lockSession = `
SELECT s.user_id, s.expires_at, s.revoked_at IS NOT NULL AS revoked FROM weft.sessions s WHERE s.id = $1 FOR UPDATE`;

/** No row: it was over already, or is nobody's. $1 session, $2 now, $3 user. */
export const revokeSession = `
UPDATE weft.sessions SET revoked_at = $2 WHERE id = $1 AND user_id = $3 AND revoked_at IS NULL RETURNING id`;

/** $1 user, $2 now. */
export const revokeSessionsOf = `UPDATE weft.sessions SET revoked_at = $2 WHERE user_id = $1 AND revoked_at IS NULL RETURNING id`;

export const selectSessionsOf = `
SELECT id, created_at, expires_at FROM weft.sessions
 WHERE user_id = $1 AND revoked_at IS NULL AND expires_at > $2 ORDER BY created_at DESC, id`;
