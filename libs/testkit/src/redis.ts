import { execFileSync } from 'node:child_process';
import { connect } from 'node:net';
import { ChildServer } from './child-server.ts';
import { config } from './config.ts';
import { startInDocker } from './docker.ts';
import { rememberPort, temporaryFolder } from './leftovers.ts';
import { claimPort } from './port-claims.ts';
import { needProgram } from './programs.ts';
import { givenServer, type Server } from './server.ts';
import { reportServer } from './servers-used.ts';

export interface RedisOptions {
  /** Keep what was written over restarts (append-only file, synced always); default false. */
  readonly durable?: boolean;
}

export async function startRedis({ durable = false }: RedisOptions = {}): Promise<Server> {
  if (config.redisUrl !== undefined) return givenRedis(config.redisUrl);
  const durability = durable ? ['--appendonly', 'yes', '--appendfsync', 'always'] : ['--appendonly', 'no'];
  const contained = await redisInDocker(durability);
  if (contained !== undefined) return contained;
  const command = needProgram('redis-server', 'redis-server');
  // `Redis server v=7.0.15 sha=…`
  const version = /v=(\S+)/.exec(execFileSync(command, ['--version'], { encoding: 'utf8' }))?.[1] ?? 'unknown';
  reportServer('redis-server', version, command);
  const port = await claimPort();
  rememberPort(port);
  const folder = temporaryFolder('redis');
  const child = new ChildServer({
    name: 'redis-server',
    command,
    args: ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--save', '', ...durability, '--daemonize', 'no'],
    folder,
    isReady: async () => (await ask(port, '127.0.0.1', 'PING')).startsWith('+PONG'),
    stopSignal: 'SIGTERM',
  });
  await child.start();
  return {
    url: `redis://127.0.0.1:${port}`,
    version,
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

function redisInDocker(durability: readonly string[]): Promise<Server | undefined> {
  return startInDocker({
    name: 'redis-server',
    image: 'redis:7-alpine',
    containerPort: 6379,
    command: ['redis-server', '--save', '', ...durability],
    url: (port) => `redis://127.0.0.1:${port}`,
    askVersion: (port) => askVersion(port, '127.0.0.1'),
  });
}

async function askVersion(port: number, host: string): Promise<string> {
  const version = /redis_version:(\S+)/.exec(await ask(port, host, 'INFO server'))?.[1];
  if (version === undefined) throw new Error('Redis does not say its version');
  return version;
}

async function givenRedis(url: string): Promise<Server> {
  const { port, hostname } = new URL(url);
  const version = await askVersion(Number(port || 6379), hostname).catch(() => 'unknown');
  reportServer('redis-server', version, 'given by WEFT_TEST_REDIS_URL');
  return givenServer(url, version, 'it is given by WEFT_TEST_REDIS_URL');
}

/** One inline command of the Redis protocol and the first piece of its answer. */
function ask(port: number, host: string, command: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, host, () => socket.write(`${command}\r\n`));
    socket.setTimeout(1000, () => socket.destroy(new Error('Redis says nothing')));
    socket.once('error', reject);
    socket.once('data', (data) => {
      socket.destroy();
      resolve(data.toString());
    });
  });
}
