import type { Config, jetStreamSettings } from '@weft/config';
import type { JetStreamWalOptions } from './jetstream.ts';

/** The settings of the log, as JetStreamWal takes them. */
export function jetStreamOptions(config: Config<typeof jetStreamSettings>): Partial<JetStreamWalOptions> {
  const { natsAllowOld, natsSyncAlways, natsMonitoringUrl, logReplicas, logBytesMax } = config;
  return {
    allowOld: natsAllowOld,
    declaredSyncAlways: natsSyncAlways,
    replicas: logReplicas,
    bytesMax: logBytesMax,
    ...(natsMonitoringUrl === undefined ? {} : { monitoringUrl: natsMonitoringUrl }),
  };
}
