export { type WorkerConfig, workerSettings } from './config.ts';
export { createSyncWorker, type SyncWorker, type WorkerParts } from './service.ts';
