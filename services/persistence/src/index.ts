export { persistenceSettings, workOf as persistenceConfig, type PersistenceSettings } from './config.ts';
export { compactDocument } from './compact-document.ts';
export { createPersistence, type PersistenceConfig, type PersistenceDeps, type PersistenceService } from './service.ts';
