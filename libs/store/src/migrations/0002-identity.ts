import type { Migration } from './index.ts';

/**
 * People, how they prove who they are, and what they may do with documents (docs/decisions/0012). Nothing here can be used to sign in by who
 * reads the table: passwords are argon2id hashes, tokens SHA-256 hashes. Ids are text, and a document need not be in `documents`: it is given
 * to people before its first edit. `*_key` columns hold the folded spelling that is compared.
 */
export const identity: Migration = {
  number: 2,
  name: 'identity',
  breaking: false,
  sql: `
CREATE TABLE weft.users (
  id text COLLATE "C" PRIMARY KEY,
  user_name text NOT NULL,
  user_name_key text COLLATE "C" NOT NULL UNIQUE,
  email text,
  email_key text COLLATE "C" UNIQUE,
  password_hash text NOT NULL,
  admin boolean NOT NULL DEFAULT false,
  disabled_at timestamptz,
  created_at timestamptz NOT NULL
);

-- One sign-in. Its refresh tokens are a family: they end together.
CREATE TABLE weft.sessions (
  id text COLLATE "C" PRIMARY KEY,
  user_id text COLLATE "C" NOT NULL REFERENCES weft.users ON DELETE CASCADE,
  created_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,
  revoked_at timestamptz
);
CREATE INDEX sessions_user ON weft.sessions (user_id);
CREATE INDEX sessions_expires ON weft.sessions (expires_at);

-- A used one is kept as long as its session: coming again, it ends the session.
CREATE TABLE weft.refresh_tokens (
  hash bytea PRIMARY KEY CHECK (octet_length(hash) = 32),
  session_id text COLLATE "C" NOT NULL REFERENCES weft.sessions ON DELETE CASCADE,
  created_at timestamptz NOT NULL,
  used_at timestamptz
);
CREATE INDEX refresh_tokens_session ON weft.refresh_tokens (session_id);

-- Tokens for programs: a personal one acts for its person, narrowed by its documents; a service one has exactly the rights of its documents.
CREATE TABLE weft.program_tokens (
  id text COLLATE "C" PRIMARY KEY,
  kind text NOT NULL CHECK (kind IN ('personal', 'service')),
  user_id text COLLATE "C" NOT NULL REFERENCES weft.users ON DELETE CASCADE,
  hash bytea NOT NULL UNIQUE CHECK (octet_length(hash) = 32),
  label text NOT NULL,
  documents jsonb,
  created_at timestamptz NOT NULL,
  expires_at timestamptz,
  revoked_at timestamptz,
  CHECK (kind = 'personal' OR documents IS NOT NULL)
);
CREATE INDEX program_tokens_user ON weft.program_tokens (user_id);

CREATE TABLE weft.document_access (
  document text COLLATE "C" PRIMARY KEY CHECK (octet_length(document) BETWEEN 1 AND 255),
  owner_id text COLLATE "C" REFERENCES weft.users ON DELETE SET NULL,
  link text NOT NULL DEFAULT 'none' CHECK (link IN ('none', 'read', 'edit')),
  created_at timestamptz NOT NULL
);
CREATE INDEX document_access_owner ON weft.document_access (owner_id);

CREATE TABLE weft.document_roles (
  document text COLLATE "C" NOT NULL REFERENCES weft.document_access ON DELETE CASCADE,
  user_id text COLLATE "C" NOT NULL REFERENCES weft.users ON DELETE CASCADE,
  role text NOT NULL CHECK (role IN ('editor', 'commenter', 'viewer')),
  given_at timestamptz NOT NULL,
  PRIMARY KEY (document, user_id)
);
CREATE INDEX document_roles_user ON weft.document_roles (user_id);

-- For people who have not signed up yet: becomes a role when somebody of that address or name does.
CREATE TABLE weft.invitations (
  document text COLLATE "C" NOT NULL REFERENCES weft.document_access ON DELETE CASCADE,
  known_by text NOT NULL CHECK (known_by IN ('email', 'user-name')),
  person_key text COLLATE "C" NOT NULL,
  person text NOT NULL,
  role text NOT NULL CHECK (role IN ('editor', 'commenter', 'viewer')),
  invited_at timestamptz NOT NULL,
  PRIMARY KEY (document, known_by, person_key)
);
CREATE INDEX invitations_person ON weft.invitations (known_by, person_key);

-- Who did what, when, from where. No foreign keys: it outlives what it tells of.
CREATE TABLE weft.audit_log (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at timestamptz NOT NULL,
  event text NOT NULL,
  actor text,
  subject text,
  document text,
  address text,
  detail text
);
CREATE INDEX audit_log_at ON weft.audit_log (at);
`,
};
