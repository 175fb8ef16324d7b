export type { Compactable, Compacted, TailRow, TailSize } from './compaction.ts';
export { Database, type DatabaseOptions, type Row, type Transaction } from './database.ts';
export type { DocumentStore } from './document-store.ts';
export type { DocumentUpdate, Flush, FlushOutcome, Quarantined } from './flush.ts';
export { SchemaTooNew } from './migrate.ts';
export { Store } from './postgres-store.ts';
export { StoreUnavailable, type DocumentReader, type Snapshot, type StoredDocument, type StoredFloor } from './store.ts';
