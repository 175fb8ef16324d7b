import type { Migration } from './index.ts';

/** The keys auth signs with, where several auth processes have to agree on them. The private halves stand here as PEM: who may read this table may sign tokens. */
export const signingKeys: Migration = {
  number: 3,
  name: 'signing-keys',
  breaking: false,
  sql: `
CREATE TABLE weft.signing_keys (
  kid text COLLATE "C" PRIMARY KEY,
  pem text NOT NULL,
  signs_from timestamptz NOT NULL,
  -- The end of the last token that lives longer than the usual.
  tokens_until timestamptz,
  created_at timestamptz NOT NULL DEFAULT now()
);
`,
};
