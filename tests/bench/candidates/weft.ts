import { randomUUID } from 'node:crypto';
import { DiscardPolicy, jetstreamManager, RetentionPolicy, StorageType } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { temporaryFolder } from '@weft/testkit';
import { type Cluster, startCluster } from '../../harness/cluster.ts';
import type { Candidate, CandidateOptions, Running, ServerProcess } from './candidate.ts';
import { compileServices } from './compile-services.ts';
import { onCore } from './one-core.ts';
import { processesOf } from './peer.ts';
import { treeOf } from './process-tree.ts';

export interface WeftVariant {
  readonly name: string;
  /** Which of its two the load generator is to speak; default `collab`, the one with acknowledgements. */
  readonly dialect?: Running['dialect'];
  /** Default 2. */
  readonly gateways?: number;
  /** Default 2. */
  readonly workers?: number;
  /** NATS servers and replicas of the log; default 1. */
  readonly nats?: number;
  readonly env?: Readonly<Record<string, string>>;
  /** The log in NATS' memory, never fsynced. To see what safety costs. */
  readonly logInMemory?: boolean;
}

/**
 * Limits that guard against one user, one address or one connection doing what the load generator does by nature. Those that guard the server's memory
 * (unacknowledged and unsent bytes, presence) stay as they are: they are part of what is measured. WEFT_LOG_LEVEL too: `info`, as in production; it writes nothing for a
 * connection or an edit.
 */
const limits = {
  WEFT_USER_CONNECTIONS: '0',
  WEFT_ADDRESS_CONNECTIONS: '0',
  WEFT_BAN_AFTER: '0',
  WEFT_CONNECTION_FRAMES_PER_SECOND: '1000000',
  WEFT_CONNECTION_BYTES_PER_SECOND: '1GiB',
  WEFT_CONNECTION_DOCUMENTS_PER_MINUTE: '1000000',
  WEFT_CONNECTION_DOCUMENTS_MAX: '100000',
  // One frame may bring a whole document of the big rows.
  WEFT_FRAME_BYTES_MAX: '64MiB',
};
const logBytesMax = 1024 ** 3;

export const weftVariants: readonly Candidate[] = [
  weft({ name: 'weft' }),
  weft({ name: 'weft-yjs', dialect: 'yjs' }),
  weft({ name: 'weft-database', env: { WEFT_ACK_AFTER: 'database' } }),
  weft({ name: 'weft-no-log', logInMemory: true }),
  weft({ name: 'weft-3-replicas', nats: 3 }),
];

/** Our whole house: gateways, workers, one persistence, one auth, NATS with `sync_interval: always`, Postgres, Redis. */
export function weft(variant: WeftVariant): Candidate {
  return { name: variant.name, start: (options) => startWeft(variant, options) };
}

async function startWeft(variant: WeftVariant, { core, env, nodeArgs }: CandidateOptions): Promise<Running> {
  compileServices();
  const storeDir = temporaryFolder('bench-nats');
  const cluster = await onCore(core, () =>
    startCluster({
      gateways: variant.gateways ?? 2,
      workers: variant.workers ?? 2,
      nats: variant.nats ?? 1,
      // A folder of ours makes them processes of this machine, never containers.
      servers: {
        nats: { storeDir, ...(variant.logInMemory ? { configText: roomInMemory(storeDir) } : {}) },
        postgres: { folder: temporaryFolder('bench-postgres') },
      },
      env: { ...limits, ...variant.env, ...env },
      nodeArgs: nodeArgs ?? {},
      compiled: true,
      start: false,
    }),
  );
  try {
    if (variant.logInMemory) await makeLogInMemory(cluster.nats.url);
    await onCore(core, () => cluster.startServices());
  } catch (error) {
    await cluster.kill();
    throw error;
  }
  return {
    urls: cluster.gateways.map((_, index) => cluster.url(index)),
    dialect: variant.dialect ?? 'collab',
    path: variant.dialect === 'yjs' ? '/yjs/' : '/collab',
    token: await cluster.token(),
    stores: true,
    processes: () => processesOfCluster(cluster),
    natsUrl: cluster.nats.url,
    metrics: cluster.services.map(({ id, opsPort }) => ({ name: id, url: `http://127.0.0.1:${opsPort}/metrics` })),
    restart: async () => {
      await cluster.stopServices();
      await onCore(core, () => cluster.startServices());
    },
    stop: () => cluster.stop(),
  };
}

function processesOfCluster(cluster: Cluster): ServerProcess[] {
  const services = cluster.services.filter(({ runs }) => runs).flatMap(({ id, pid }) => treeOf({ name: id, pid }));
  return [
    ...services,
    ...processesOf([
      ...cluster.nats.servers.map((server, index) => ({ name: `nats-${index + 1}`, server })),
      { name: 'postgres', server: cluster.postgres },
      { name: 'redis', server: cluster.redis },
    ]),
  ];
}

/** A block given twice counts as it is given last; testkit's has too little memory for the log. */
const roomInMemory = (storeDir: string): string =>
  `jetstream { store_dir: ${JSON.stringify(storeDir)}, max_memory_store: ${2 * logBytesMax}, max_file_store: 8GB, sync_interval: always }`;

/** Before anybody looks for the log: what is there is taken as it is. */
async function makeLogInMemory(url: string): Promise<void> {
  const connection = await connect({ servers: url.split(',') });
  try {
    const manager = await jetstreamManager(connection);
    await manager.streams.add({
      name: 'WEFT_LOG_0',
      subjects: [`weft.log.0.${randomUUID()}`],
      storage: StorageType.Memory,
      retention: RetentionPolicy.Limits,
      discard: DiscardPolicy.New,
      max_bytes: logBytesMax,
    });
  } finally {
    await connection.close();
  }
}
