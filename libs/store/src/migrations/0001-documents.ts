import type { Migration } from './index.ts';

/**
 * Big bytea columns are EXTERNAL (out of line, not compressed): most of an update is dense already, and pglz costs more time on every write and
 * load than it saves bytes. `document_updates` has no foreign key on purpose: checking it would lock, and so rewrite, the document's row at every
 * flush. What is inserted there joins `documents` in the same statement.
 */
export const documents: Migration = {
  number: 1,
  name: 'documents',
  breaking: true,
  sql: `
CREATE TABLE weft.documents (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name text COLLATE "C" NOT NULL UNIQUE CHECK (octet_length(name) BETWEEN 1 AND 255),
  slice integer NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now()
);

-- The tail: one row a document and flush, oldest first by id.
CREATE TABLE weft.document_updates (
  document_id bigint NOT NULL,
  id bigint GENERATED ALWAYS AS IDENTITY,
  position_to bigint NOT NULL,
  bytes bytea NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (document_id, id)
) WITH (autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_insert_scale_factor = 0.5);

CREATE TABLE weft.document_snapshots (
  document_id bigint PRIMARY KEY REFERENCES weft.documents ON DELETE CASCADE,
  version integer NOT NULL,
  state_vector bytea NOT NULL,
  deletes bytea NOT NULL,
  bytes_total bigint NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE weft.document_snapshot_pieces (
  document_id bigint NOT NULL REFERENCES weft.document_snapshots ON DELETE CASCADE,
  version integer NOT NULL,
  idx integer NOT NULL,
  bytes bytea NOT NULL,
  PRIMARY KEY (document_id, version, idx)
) WITH (autovacuum_vacuum_scale_factor = 0.05);

-- Up to where a slice of the log is in the tables above.
CREATE TABLE weft.slice_floors (
  slice integer PRIMARY KEY,
  identity text NOT NULL,
  position bigint NOT NULL,
  updated_at timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 50);

-- Who reads a slice just now. Two at once are a waste, not a danger.
CREATE TABLE weft.slice_leases (
  slice integer PRIMARY KEY,
  holder text NOT NULL,
  until timestamptz NOT NULL
) WITH (fillfactor = 50);

-- Updates that could not be applied, kept for a person to look at.
CREATE TABLE weft.quarantine (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  slice integer NOT NULL,
  document text COLLATE "C" NOT NULL,
  position bigint NOT NULL,
  reason text NOT NULL,
  bytes bytea NOT NULL,
  at timestamptz NOT NULL DEFAULT now()
);
ALTER TABLE weft.document_updates ALTER COLUMN bytes SET STORAGE EXTERNAL;
ALTER TABLE weft.document_snapshots ALTER COLUMN state_vector SET STORAGE EXTERNAL;
ALTER TABLE weft.document_snapshots ALTER COLUMN deletes SET STORAGE EXTERNAL;
ALTER TABLE weft.document_snapshot_pieces ALTER COLUMN bytes SET STORAGE EXTERNAL;
ALTER TABLE weft.quarantine ALTER COLUMN bytes SET STORAGE EXTERNAL;
CREATE INDEX quarantine_document ON weft.quarantine (document);
`,
};
