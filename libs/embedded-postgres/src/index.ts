export { startEmbeddedPostgres, type EmbeddedPostgres, type EmbeddedPostgresOptions } from './embedded-postgres.ts';
export { FolderInUse } from './folder-lock.ts';
export { identityOf, isAlive, type ProcessIdentity } from './process-facts.ts';
export { newSocketFolder } from './socket-folder.ts';
