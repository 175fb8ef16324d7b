import { PersistMode, StorageType, type StreamInfo } from '@nats-io/jetstream';

const monitoringMsMax = 2_000;

/** What the streams themselves tell. */
export function weaknessesOfStreams(streams: readonly StreamInfo[]): string[] {
  const found: string[] = [];
  const named = (wanted: (stream: StreamInfo) => boolean): string =>
    streams
      .filter(wanted)
      .map(({ config }) => config.name)
      .join(', ');
  const inMemory = named(({ config }) => config.storage === StorageType.Memory);
  if (inMemory !== '') found.push(`stored in memory: ${inMemory}. A restart of NATS loses what was acknowledged; use file storage`);
  const lazy = named(({ config }) => config.persist_mode === PersistMode.Async);
  if (lazy !== '')
    found.push(
      `written in the background (persist_mode: async): ${lazy}. A crash of NATS loses what was acknowledged; remove that from the stream`,
    );
  const single = named(({ config }) => config.num_replicas === 1);
  if (single !== '')
    found.push(
      `one replica: ${single}. A lost disk loses what was acknowledged and is not yet in Postgres; production wants 3 (WEFT_LOG_REPLICAS)`,
    );
  return found;
}

/**
 * Is every append fsynced before it is acknowledged? A client of an ordinary account cannot ask the server (neither $JS.API.INFO nor the INFO line tell;
 * VARZ belongs to the system account). So: its monitoring port if we know it (`/varz`: jetstream.config.sync_always), else what the operator declares.
 */
export async function weaknessOfSync(options: {
  readonly monitoringUrl?: string | undefined;
  readonly declaredAlways: boolean;
}): Promise<string | undefined> {
  if (options.monitoringUrl !== undefined) {
    const asked = await askSyncAlways(options.monitoringUrl);
    if (asked.known) {
      return asked.always
        ? undefined
        : 'NATS acknowledges before fsync: a power cut loses acknowledged edits; set jetstream { sync_interval: always }';
    }
    if (!options.declaredAlways) return `whether NATS fsyncs before it acknowledges is not known: ${asked.why}`;
  }
  if (options.declaredAlways) return undefined;
  return (
    'whether NATS fsyncs before it acknowledges is not known: set jetstream { sync_interval: always } on every server, and ' +
    'WEFT_NATS_SYNC_ALWAYS=1 here (or WEFT_NATS_MONITORING_URL, to have it asked)'
  );
}

type SyncAnswer = { readonly known: true; readonly always: boolean } | { readonly known: false; readonly why: string };

async function askSyncAlways(monitoringUrl: string): Promise<SyncAnswer> {
  const url = new URL('/varz', monitoringUrl);
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(monitoringMsMax) });
    const varz = (await response.json()) as { jetstream?: { config?: { sync_always?: boolean } } };
    if (!response.ok || !varz.jetstream?.config)
      return { known: false, why: `${url.href} answers ${response.status} and tells nothing of JetStream` };
    // Absent means no: the field is left out when false.
    return { known: true, always: varz.jetstream.config.sync_always === true };
  } catch (error) {
    return { known: false, why: `${url.href}: ${error instanceof Error ? error.message : String(error)}` };
  }
}
