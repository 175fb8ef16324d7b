import { mkdirSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { ChildServer } from './child-server.ts';
import { config } from './config.ts';
import { startInDocker } from './docker.ts';
import { rememberPort, temporaryFolder } from './leftovers.ts';
import { findNatsBinary, isNewEnough, type NatsBinary } from './nats-binary.ts';
import { claimPort } from './port-claims.ts';
import { givenServer, type Server } from './server.ts';
import { reportServer } from './servers-used.ts';

export interface NatsOptions {
  /** How many servers, joined by routes; default 1. */
  readonly cluster?: number;
  /** Default true. */
  readonly jetstream?: boolean;
  /** `sync_interval: always`, as in every config we ship; default true. */
  readonly syncAlways?: boolean;
  /** `max_payload`, bytes; default NATS's own (1 MiB). */
  readonly maxPayload?: number;
  /** Where JetStream keeps its streams; default a temporary folder. Give one to start another server on it later. */
  readonly storeDir?: string;
  /** More lines for the configuration file. */
  readonly configText?: string;
}

export interface NatsServer extends Server {
  /** The single servers of a cluster; of one server, itself. `kill` and the like on these end one of them. */
  readonly servers: readonly Server[];
  /** Where the first of them can be asked about itself (`/varz`); undefined where it is not one of this machine's binaries. */
  readonly monitoringUrl: string | undefined;
}

/** Starts NATS. `url` names all servers of a cluster with commas between, as NATS clients take it (`servers: url.split(',')`). */
export async function startNats(options: NatsOptions = {}): Promise<NatsServer> {
  const asked = Object.keys(options).some((key) => key !== 'jetstream' && key !== 'syncAlways');
  if (config.natsUrl !== undefined && !asked) return givenNats(config.natsUrl);
  const contained = canBeContained(options) ? await natsInDocker(options) : undefined;
  if (contained !== undefined) return { ...contained, servers: [contained], monitoringUrl: undefined };
  const binary = findNatsBinary();
  reportServer('nats-server', binary.version, binary.origin);
  const nodes = await planNodes(options, binary);
  await Promise.all(nodes.map((node) => node.start()));
  const all = (act: (node: Server) => Promise<void> | void) => async (): Promise<void> =>
    void (await Promise.all(nodes.map(async (node) => act(node))));
  return {
    url: nodes.map((node) => node.url).join(','),
    version: binary.version,
    servers: nodes,
    monitoringUrl: nodes[0]?.monitoringUrl,
    start: all((node) => node.start()),
    stop: all((node) => node.stop()),
    kill: all((node) => node.kill()),
    pause: all((node) => node.pause()),
    resume: all((node) => node.resume()),
  };
}

/** A store folder of the caller's, and routes between servers, are for binaries. */
function canBeContained(options: NatsOptions): boolean {
  return options.storeDir === undefined && (options.cluster ?? 1) === 1;
}

function natsInDocker(options: NatsOptions): Promise<Server | undefined> {
  const content = configFile(options, '0.0.0.0', { client: 4222, monitor: 8222, route: 6222 }, [], 0, '/data', options.syncAlways ?? true);
  return startInDocker({
    name: 'nats-server',
    image: 'nats:2',
    containerPort: 4222,
    command: ['-c', '/nats-test.conf'],
    files: [{ content, target: '/nats-test.conf' }],
    url: (port) => `nats://127.0.0.1:${port}`,
    askVersion: async (port) => versionIn(await readInfo(port)),
    accepts: isNewEnough,
  });
}

interface Ports {
  readonly client: number;
  readonly monitor: number;
  readonly route: number;
}

interface Node extends Server {
  readonly monitoringUrl: string;
}

async function planNodes(options: NatsOptions, binary: NatsBinary): Promise<Node[]> {
  const ports: Ports[] = [];
  for (let i = 0; i < (options.cluster ?? 1); i++)
    ports.push({ client: await ownPort(), monitor: await ownPort(), route: await ownPort() });
  return ports.map((own, index) => planNode(options, binary, ports, own, index));
}

async function ownPort(): Promise<number> {
  const port = await claimPort();
  rememberPort(port);
  return port;
}

function planNode(options: NatsOptions, binary: NatsBinary, all: readonly Ports[], own: Ports, index: number): Node {
  const folder = temporaryFolder('nats');
  const storeDir = options.storeDir === undefined ? join(folder, 'store') : join(options.storeDir, all.length === 1 ? '' : String(index));
  mkdirSync(storeDir, { recursive: true });
  const file = join(folder, 'nats.conf');
  const syncAlways = (options.syncAlways ?? true) && isNewEnough(binary.version);
  writeFileSync(file, configFile(options, '127.0.0.1', own, all, index, storeDir, syncAlways));
  const child = new ChildServer({
    name: 'nats-server',
    command: binary.path,
    args: ['-c', file],
    folder,
    isReady: () => isReady(own, all.length, options.jetstream ?? true),
    stopSignal: 'SIGTERM',
  });
  return {
    url: `nats://127.0.0.1:${own.client}`,
    monitoringUrl: `http://127.0.0.1:${own.monitor}`,
    version: binary.version,
    get pid() {
      return child.runs ? child.pid : undefined;
    },
    start: () => child.start(),
    stop: () => child.stop(),
    kill: () => child.kill(),
    pause: () => child.pause(),
    resume: () => child.resume(),
  };
}

function configFile(
  options: NatsOptions,
  host: string,
  own: Ports,
  all: readonly Ports[],
  index: number,
  storeDir: string,
  syncAlways: boolean,
): string {
  const sync = syncAlways ? 'sync_interval: always' : '';
  const routes = all.filter((ports) => ports !== own).map((ports) => `"nats://${host}:${ports.route}"`);
  return [
    `server_name: test-${index}`,
    `listen: "${host}:${own.client}"`,
    `http: "${host}:${own.monitor}"`,
    options.maxPayload === undefined ? '' : `max_payload: ${options.maxPayload}`,
    (options.jetstream ?? true)
      ? `jetstream { store_dir: ${JSON.stringify(storeDir)}, max_file_store: 8GB, max_memory_store: 256MB\n ${sync} }`
      : '',
    routes.length === 0 ? '' : `cluster { name: test, listen: "${host}:${own.route}", routes: [${routes.join(', ')}] }`,
    options.configText ?? '',
    '',
  ].join('\n');
}

/** Clients are let in, JetStream is whole; in a cluster it has a leader and all its members. */
async function isReady(ports: Ports, size: number, jetstream: boolean): Promise<boolean> {
  const health = await fetch(`http://127.0.0.1:${ports.monitor}/healthz`);
  await health.arrayBuffer();
  if (!health.ok || !(await readInfo(ports.client)).startsWith('INFO ')) return false;
  if (!jetstream || size === 1) return true;
  const response = await fetch(`http://127.0.0.1:${ports.monitor}/jsz`);
  const { meta_cluster: meta } = (await response.json()) as { meta_cluster?: { leader?: string; cluster_size?: number } };
  return (meta?.leader ?? '') !== '' && meta?.cluster_size === size;
}

function versionIn(info: string): string {
  const version = /"version":"([^"]+)"/.exec(info)?.[1];
  if (version === undefined) throw new Error('NATS does not say its version');
  return version;
}

/** A NATS server speaks first: `INFO {…}`. */
function readInfo(port: number, host = '127.0.0.1'): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, host);
    socket.setTimeout(1000, () => socket.destroy(new Error('NATS says nothing')));
    socket.once('error', reject);
    socket.once('data', (data) => {
      socket.destroy();
      resolve(data.toString());
    });
  });
}

async function givenNats(urls: readonly string[]): Promise<NatsServer> {
  const url = new URL(urls[0] ?? '');
  const info = await readInfo(Number(url.port || 4222), url.hostname);
  const version = versionIn(info);
  reportServer('nats-server', version, 'given by WEFT_TEST_NATS_URL');
  const server = givenServer(urls.join(','), version, 'it is given by WEFT_TEST_NATS_URL');
  return { ...server, servers: [server], monitoringUrl: undefined };
}
