import type { Migration } from './index.ts';

/** A deleted document keeps its row, its roles and its content: only this says that nobody may have it (docs/decisions/0013). */
export const deletedDocuments: Migration = {
  number: 4,
  name: 'deleted-documents',
  // Older code would let people into what was deleted; but no release before this one reads the table.
  breaking: false,
  sql: `ALTER TABLE weft.document_access ADD COLUMN deleted_at timestamptz`,
};
