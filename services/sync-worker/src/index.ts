export { type WorkerConfig, workerSettings } from './config.ts';
export { completeDeletes } from './complete-deletes.ts';
export { createSyncWorker, type SyncWorker, type WorkerParts } from './service.ts';
