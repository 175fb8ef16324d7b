import { generateKeyPairSync } from 'node:crypto';
import { importSigningKey, signToken } from '@weft/auth';
import type { Role } from '@weft/grants';
import { Database, Store } from '@weft/store';
import {
  claimPort,
  type NatsOptions,
  type NatsServer,
  type PostgresOptions,
  type PostgresServer,
  rememberPort,
  type Server,
  startNats,
  startPostgres,
  startRedis,
  temporaryFolder,
} from '@weft/testkit';
import { type ServiceName, ServiceProcess } from './service-process.ts';

const tokenLifetimeMs = 3_600_000;

export interface ClusterOptions {
  readonly gateways?: number;
  readonly workers?: number;
  readonly persistence?: number;
  readonly auth?: number;
  /** How many nats-servers, joined; the log has a replica on each of them. Default 1. */
  readonly nats?: number;
  /** Where and how these servers keep what they keep, over our own. */
  readonly servers?: { readonly nats?: Omit<NatsOptions, 'cluster'>; readonly postgres?: PostgresOptions };
  /** Gives where the services are to find the database at this URL: a proxy in between. */
  readonly postgresThrough?: (url: string) => Promise<string>;
  /** For every service. */
  readonly env?: Readonly<Record<string, string>>;
  /** Services to start with these arguments for node, by kind. */
  readonly nodeArgs?: Partial<Record<ServiceName, readonly string[]>>;
  /** Run what `tsc -b` made, not the sources; default false. */
  readonly compiled?: boolean;
  /** Default true. False: the servers are there, the services do not run yet (`start` each, or `startServices`). */
  readonly start?: boolean;
}

export interface TokenOptions {
  readonly name?: string;
  /** Name, or prefix with `*`; default every document. */
  readonly documents?: string;
  readonly role?: Role;
}

/**
 * The whole house as it runs in production, but on one machine: each service a process of its own, on a NATS, a PostgreSQL and a Redis that belong to it
 * alone and may be killed. Guests are refused; `token` signs with the cluster's own key.
 */
export class Cluster {
  readonly folder: string;
  readonly gateways: readonly ServiceProcess[];
  readonly workers: readonly ServiceProcess[];
  readonly persistence: readonly ServiceProcess[];
  readonly auth: readonly ServiceProcess[];
  readonly nats: NatsServer;
  readonly postgres: PostgresServer;
  readonly redis: Server;
  readonly postgresUrl: string;
  readonly #keyPem: string;

  constructor(parts: ClusterParts) {
    this.folder = parts.folder;
    this.nats = parts.nats;
    this.postgres = parts.postgres;
    this.redis = parts.redis;
    this.postgresUrl = parts.postgresUrl;
    this.#keyPem = parts.keyPem;
    const of = (service: ServiceName): ServiceProcess[] => parts.services.filter((one) => one.service === service);
    this.gateways = of('gateway');
    this.workers = of('sync-worker');
    this.persistence = of('persistence');
    this.auth = of('auth');
  }

  get services(): readonly ServiceProcess[] {
    return [...this.gateways, ...this.workers, ...this.persistence, ...this.auth];
  }

  /** `ws://…` of a gateway, counted from 0; beyond their number they begin again. */
  url(gateway: number): string {
    const { port } = this.gateways[gateway % this.gateways.length]!;
    return `ws://127.0.0.1:${port}`;
  }

  async startServices(): Promise<void> {
    for (const service of this.services) if (!service.runs) service.launch();
    await Promise.all(this.services.map((service) => service.untilReady()));
  }

  async token({ name = 'Ada', documents = '*', role = 'editor' }: TokenOptions = {}): Promise<string> {
    const key = await importSigningKey(this.#keyPem);
    const { token } = await signToken(key, { sub: name, name, documents: { [documents]: role } }, Date.now(), tokenLifetimeMs);
    return token;
  }

  /** Reads the cluster's Postgres as a worker does. */
  withStore<T>(read: (store: Store) => Promise<T>): Promise<T> {
    return this.withDatabase((database) => read(new Store(database)));
  }

  async withDatabase<T>(use: (database: Database) => Promise<T>): Promise<T> {
    const database = new Database({ url: this.postgresUrl, applicationName: 'weft-test' });
    try {
      return await use(database);
    } finally {
      await database.close();
    }
  }

  /** The end of every service's log, for a test that failed. */
  logTails(): string {
    return this.services.map((service) => `--- ${service.id}\n${service.logTail}`).join('\n');
  }

  /** Services first, each in its own order of drain; then the servers. Safe twice. */
  async stop(): Promise<void> {
    await this.stopServices();
    await this.#stopServers();
  }

  /** Each in its own order of drain; the servers stay, and `startServices` brings them back. */
  async stopServices(): Promise<void> {
    await Promise.all(this.gateways.map((gateway) => gateway.stop()));
    await Promise.all([...this.workers, ...this.persistence, ...this.auth].map((service) => service.stop()));
  }

  /** At the end of a test that has proven what it wanted: nobody waits for drains. */
  async kill(): Promise<void> {
    await Promise.all(this.services.map((service) => service.kill()));
    await this.#stopServers();
  }

  async #stopServers(): Promise<void> {
    await Promise.all([this.nats.kill(), this.redis.kill(), this.postgres.kill()]);
  }
}

interface ClusterParts {
  readonly folder: string;
  readonly nats: NatsServer;
  readonly postgres: PostgresServer;
  readonly redis: Server;
  readonly postgresUrl: string;
  readonly keyPem: string;
  readonly services: readonly ServiceProcess[];
}

/** Rejects with the end of the logs when a service does not become ready. */
export async function startCluster(options: ClusterOptions = {}): Promise<Cluster> {
  const [nats, postgres, redis] = await Promise.all([
    // One of the cluster's own, whatever server the run of tests was given: it will be killed.
    startNats({ cluster: options.nats ?? 1, syncAlways: true, ...options.servers?.nats }),
    startPostgres({ private: true, ...options.servers?.postgres }),
    startRedis(),
  ]);
  const folder = temporaryFolder('cluster');
  const keyPem = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  const postgresUrl = await postgres.newDatabase();
  const servers = { nats, postgres, redis, postgresUrl };
  const givenUrl = (await options.postgresThrough?.(postgresUrl)) ?? postgresUrl;
  const services: ServiceProcess[] = [];
  const { gateways = 1, workers = 1, persistence = 1, auth = 1 } = options;
  for (const [service, count] of [
    ['auth', auth],
    ['persistence', persistence],
    ['sync-worker', workers],
    ['gateway', gateways],
  ] as const)
    for (let i = 1; i <= count; i++)
      services.push(await planService(service, `${service}-${i}`, { options, folder, keyPem, ...servers, postgresUrl: givenUrl }));
  const cluster = new Cluster({ folder, keyPem, services, ...servers });
  if (options.start === false) return cluster;
  try {
    await cluster.startServices();
  } catch (error) {
    await cluster.kill();
    throw error;
  }
  return cluster;
}

interface Plan {
  readonly options: ClusterOptions;
  readonly folder: string;
  readonly nats: Server;
  readonly redis: Server;
  readonly postgresUrl: string;
  readonly keyPem: string;
}

async function planService(service: ServiceName, id: string, plan: Plan): Promise<ServiceProcess> {
  const opsPort = await ownPort();
  const port = service === 'gateway' || service === 'auth' ? await ownPort() : undefined;
  return new ServiceProcess({
    service,
    id,
    folder: plan.folder,
    opsPort,
    port,
    nodeArgs: plan.options.nodeArgs?.[service] ?? [],
    compiled: plan.options.compiled ?? false,
    env: {
      WEFT_NATS_URL: plan.nats.url,
      WEFT_REDIS_URL: plan.redis.url,
      WEFT_POSTGRES_URL: plan.postgresUrl,
      // NATS reserves it at once, of the testkit's 8 GB.
      WEFT_LOG_BYTES_MAX: '1GiB',
      WEFT_LOG_REPLICAS: String(plan.options.nats ?? 1),
      // testkit starts its servers so.
      WEFT_NATS_SYNC_ALWAYS: 'true',
      WEFT_HOST: '127.0.0.1',
      WEFT_OPS_HOST: '127.0.0.1',
      WEFT_OPS_PORT: String(opsPort),
      // Tests that drain see it happen; they need not watch it for ten seconds.
      WEFT_DRAIN: '1s',
      ...(service === 'gateway' ? { WEFT_PORT: String(port) } : {}),
      ...(service === 'auth' ? { WEFT_AUTH_HOST: '127.0.0.1', WEFT_AUTH_PORT: String(port), WEFT_AUTH_KEY: plan.keyPem } : {}),
      ...plan.options.env,
    },
  });
}

async function ownPort(): Promise<number> {
  const port = await claimPort();
  rememberPort(port);
  return port;
}
