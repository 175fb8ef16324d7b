export const userColumns = `u.id, u.user_name, u.email, u.admin, u.disabled_at IS NOT NULL AS disabled, u.created_at`;

/** No row: name or address is taken. $1 id, $2 name, $3 name key, $4 e-mail, $5 e-mail key, $6 password hash, $7 now. */
export const insertUser = `
INSERT INTO weft.users AS u (id, user_name, user_name_key, email, email_key, password_hash, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING
RETURNING ${userColumns}`;

/** $1 the folded name or address. A name holds no "@", so only one can match. */
export const selectUserByKey = `SELECT ${userColumns}, u.password_hash FROM weft.users u WHERE u.user_name_key = $1 OR u.email_key = $1`;

export const selectUser = `SELECT ${userColumns}, u.password_hash FROM weft.users u WHERE u.id = $1`;

/** $1 id, $2 now or null: enabled. */
export const updateDisabled = `UPDATE weft.users SET disabled_at = $2 WHERE id = $1`;

export const updateAdmin = `UPDATE weft.users SET admin = $2 WHERE id = $1`;

export const updatePassword = `UPDATE weft.users SET password_hash = $2 WHERE id = $1`;

/** Invitations and sign-ups of one person take turns: else both could miss the other. $1 any text. */
export const lockPerson = `SELECT pg_advisory_xact_lock(7379382, hashtext($1))`;
