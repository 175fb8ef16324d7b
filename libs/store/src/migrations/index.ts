import { documents } from './0001-documents.ts';
import { identity } from './0002-identity.ts';
import { signingKeys } from './0003-signing-keys.ts';
import { deletedDocuments } from './0004-deleted-documents.ts';

/** One step of the schema. Append only: what ran somewhere is never edited. */
export interface Migration {
  readonly number: number;
  readonly name: string;
  /** Older code that still runs would do harm: it refuses to start. */
  readonly breaking: boolean;
  readonly sql: string;
}

/** In order of their numbers. */
export const migrations: readonly Migration[] = [documents, identity, signingKeys, deletedDocuments];
