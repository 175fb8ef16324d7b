import { type Config, idSetting, jetStreamSettings, layoutSettings, postgresUrlSetting, processSettings, setting } from '@weft/config';

/** Settings of what a sync-worker does, wherever it runs. */
export const workerSettings = {
  ...layoutSettings,
  documentIdleMs: setting.durationMs('WEFT_DOCUMENT_IDLE', {
    default: 60_000,
    say: 'A document nobody has open is kept in memory for so long.',
  }),
  handoverMs: setting.durationMs('WEFT_WORKER_HANDOVER', {
    default: 10_000,
    say: 'On SIGTERM a worker goes on answering until others have taken over its documents, for so long at most.',
  }),
};

export type WorkerConfig = Config<typeof workerSettings> & { readonly id: string };

export const workerProcessSettings = {
  ...workerSettings,
  ...processSettings,
  ...jetStreamSettings,
  id: idSetting,
  postgresUrl: postgresUrlSetting,
};
