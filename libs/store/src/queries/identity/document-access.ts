/** All that decides about a person and a document, as of one moment. $1 user, $2 session or null, $3 document, $4 now. */
export const selectStanding = `
SELECT u.id, u.user_name, u.admin, u.disabled_at IS NOT NULL AS disabled,
       $2::text IS NULL OR EXISTS (
         SELECT FROM weft.sessions s WHERE s.id = $2 AND s.user_id = u.id AND s.revoked_at IS NULL AND s.expires_at > $4
       ) AS session_lives,
       a.owner_id, a.link, a.deleted_at, r.role
  FROM weft.users u
  LEFT JOIN weft.document_access a ON a.document = $3
  LEFT JOIN weft.document_roles r ON r.document = $3 AND r.user_id = u.id
 WHERE u.id = $1`;

export const selectAccess = `SELECT link, deleted_at IS NOT NULL AS deleted FROM weft.document_access WHERE document = $1`;

/** The first gets it. $1 document, $2 owner, $3 now. */
export const insertOwner = `
INSERT INTO weft.document_access (document, owner_id, created_at) VALUES ($1, $2, $3) ON CONFLICT (document) DO NOTHING`;

/** Changes of one document's rights take turns. */
export const lockDocument = `SELECT owner_id, deleted_at IS NOT NULL AS deleted FROM weft.document_access WHERE document = $1 FOR UPDATE`;

export const updateLink = `UPDATE weft.document_access SET link = $2 WHERE document = $1 AND deleted_at IS NULL`;

/** $1 document, $2 now. */
export const markDeleted = `UPDATE weft.document_access SET deleted_at = $2 WHERE document = $1 AND deleted_at IS NULL`;

export const unmarkDeleted = `UPDATE weft.document_access SET deleted_at = NULL WHERE document = $1 AND deleted_at IS NOT NULL`;

export const updateOwner = `UPDATE weft.document_access SET owner_id = $2 WHERE document = $1`;

/** $1 document, $2 user, $3 role, $4 now. */
export const upsertRole = `
INSERT INTO weft.document_roles AS r (document, user_id, role, given_at) VALUES ($1, $2, $3, $4)
ON CONFLICT (document, user_id) DO UPDATE SET role = excluded.role, given_at = excluded.given_at`;

export const deleteRole = `DELETE FROM weft.document_roles WHERE document = $1 AND user_id = $2`;

export const countPeople = `
SELECT (SELECT count(*) FROM weft.document_roles WHERE document = $1) + (SELECT count(*) FROM weft.invitations WHERE document = $1) AS people`;

/** The owner first, then people, then who is invited. */
export const selectPeople = `
SELECT 0 AS part, u.id, u.user_name AS name, 'owner' AS role, NULL AS known_by
  FROM weft.document_access a JOIN weft.users u ON u.id = a.owner_id WHERE a.document = $1
UNION ALL
SELECT 1, u.id, u.user_name, r.role, NULL
  FROM weft.document_roles r JOIN weft.users u ON u.id = r.user_id WHERE r.document = $1
UNION ALL
SELECT 2, NULL, i.person, i.role, i.known_by FROM weft.invitations i WHERE i.document = $1
 ORDER BY part, name`;

/** $1 document, $2 known by, $3 key, $4 as it was spelled, $5 role, $6 now. */
export const upsertInvitation = `
INSERT INTO weft.invitations (document, known_by, person_key, person, role, invited_at) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (document, known_by, person_key) DO UPDATE SET role = excluded.role, person = excluded.person, invited_at = excluded.invited_at`;

export const deleteInvitation = `DELETE FROM weft.invitations WHERE document = $1 AND known_by = $2 AND person_key = $3`;

/** What waited for somebody becomes their roles: of two for one document, the higher. $1 user, $2 name key, $3 e-mail key or null, $4 now. */
export const acceptInvitations = `
WITH taken AS (
  DELETE FROM weft.invitations
   WHERE (known_by = 'user-name' AND person_key = $2) OR (known_by = 'email' AND person_key = $3)
  RETURNING document, role
)
INSERT INTO weft.document_roles (document, user_id, role, given_at)
SELECT DISTINCT ON (document) document, $1, role, $4::timestamptz FROM taken
 ORDER BY document, array_position(ARRAY['editor', 'commenter', 'viewer'], role)
RETURNING document`;
