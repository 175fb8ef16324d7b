import { request } from 'node:http';
import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { config } from './config.ts';
import { rememberPort } from './leftovers.ts';
import { claimPort } from './port-claims.ts';
import type { Server } from './server.ts';
import { reportServer } from './servers-used.ts';

export interface ContainerOptions {
  readonly name: string;
  readonly image: string;
  readonly containerPort: number;
  readonly command: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly files?: readonly { readonly content: string; readonly target: string }[];
  readonly url: (port: number) => string;
  /** Asks the server for its version; throwing means it does not answer yet. */
  readonly askVersion: (port: number) => Promise<string>;
  /** Default: every version will do. */
  readonly accepts?: (version: string) => boolean;
}

const PING_MS = 1000;
const READY_MS = 60_000;
const SOCKET = '/var/run/docker.sock';

/**
 * The server in a container, or undefined where no daemon answers or the image cannot be had: then the caller takes this machine's binaries.
 * Without a daemon this costs a look at a socket: testcontainers is not even loaded.
 */
export async function startInDocker(options: ContainerOptions): Promise<Server | undefined> {
  if (!(await hasDocker())) return undefined;
  try {
    return await startContainer(options);
  } catch (error) {
    process.stderr.write(
      `testkit: no ${options.name} from Docker (${error instanceof Error ? error.message : String(error)}), using this machine's\n`,
    );
    return undefined;
  }
}

let answers: Promise<boolean> | undefined;

function hasDocker(): Promise<boolean> {
  answers ??= config.noDocker ? Promise.resolve(false) : ping();
  return answers;
}

/** Only a daemon on this machine: ports are claimed here. */
function ping(): Promise<boolean> {
  const socketPath = config.dockerHost === undefined ? SOCKET : /^unix:\/\/(.+)$/.exec(config.dockerHost)?.[1];
  if (socketPath === undefined || !existsSync(socketPath)) return Promise.resolve(false);
  return new Promise((resolve) => {
    const asking = request({ socketPath, path: '/_ping', timeout: PING_MS }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    asking.once('timeout', () => asking.destroy());
    asking.once('error', () => resolve(false));
    asking.once('close', () => resolve(false));
    asking.end();
  });
}

async function startContainer(options: ContainerOptions): Promise<Server> {
  const { GenericContainer, getContainerRuntimeClient } = await import('testcontainers');
  const port = await claimPort();
  rememberPort(port);
  const started = await new GenericContainer(options.image)
    .withExposedPorts({ container: options.containerPort, host: port })
    .withCommand([...options.command])
    .withEnvironment({ ...options.environment })
    .withCopyContentToContainer([...(options.files ?? [])])
    .start();
  const container = (await getContainerRuntimeClient()).container.getById(started.getId());
  const untilReady = (): Promise<string> => pollVersion(options, port);
  const version = await untilReady();
  if (options.accepts?.(version) === false) {
    await started.stop();
    throw new Error(`${options.image} is ${version}, too old`);
  }
  reportServer(options.name, version, `Docker image ${options.image}`);
  let runs = true;
  const once = (act: () => Promise<unknown>, after: boolean) => async (): Promise<void> => {
    if (runs === after) return;
    runs = after;
    await act();
  };
  return {
    url: options.url(port),
    version,
    start: once(async () => {
      await container.start();
      await untilReady();
    }, true),
    stop: once(() => container.stop(), false),
    kill: once(() => container.kill({ signal: 'SIGKILL' }), false),
    pause: async () => void (await container.pause()),
    resume: async () => void (await container.unpause()),
  };
}

async function pollVersion({ name, askVersion }: ContainerOptions, port: number): Promise<string> {
  let last: unknown;
  for (const giveUpMs = performance.now() + READY_MS; performance.now() < giveUpMs; await sleep(50)) {
    try {
      return await askVersion(port);
    } catch (error) {
      last = error;
    }
  }
  throw new Error(`${name} did not answer within ${READY_MS} ms`, { cause: last });
}
