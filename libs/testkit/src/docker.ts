import { setTimeout as sleep } from 'node:timers/promises';
import { hasDocker, needImage, remove, socketOrThrow } from './docker-engine.ts';
import { rememberContainer, rememberPort } from './leftovers.ts';
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

const READY_MS = 60_000;
const POLL_MS = 50;

/**
 * The server in a container, or undefined where no daemon answers or the image cannot be had: then the caller takes this machine's binaries.
 * testcontainers is loaded only when there is something for it to do.
 */
export async function startInDocker(options: ContainerOptions): Promise<Server | undefined> {
  if (!(await hasDocker())) return undefined;
  try {
    await needImage(options.image);
    return await startContainer(options);
  } catch (error) {
    process.stderr.write(
      `testkit: no ${options.name} from Docker (${error instanceof Error ? error.message : String(error)}), using this machine's\n`,
    );
    return undefined;
  }
}

async function startContainer(options: ContainerOptions): Promise<Server> {
  // Its own reaper is one more image to have; what is left is swept by us ([TK5]).
  process.env['TESTCONTAINERS_RYUK_DISABLED'] = 'true';
  const { GenericContainer, getContainerRuntimeClient } = await import('testcontainers');
  const port = await claimPort();
  rememberPort(port);
  const started = await new GenericContainer(options.image)
    .withExposedPorts({ container: options.containerPort, host: port })
    .withCommand([...options.command])
    .withEnvironment({ ...options.environment })
    .withCopyContentToContainer([...(options.files ?? [])])
    .start();
  rememberContainer(socketOrThrow(), started.getId());
  const container = (await getContainerRuntimeClient()).container.getById(started.getId());
  const version = await untilAnswer(options, port);
  if (options.accepts?.(version) === false) {
    await remove(started.getId());
    throw new Error(`${options.image} is ${version}, too old`);
  }
  reportServer(options.name, version, `Docker image ${options.image}`);
  let runs = true;
  let paused = false;
  const resume = async (): Promise<void> => {
    if (paused) await container.unpause();
    paused = false;
  };
  const end = async (act: () => Promise<unknown>): Promise<void> => {
    if (!runs) return;
    runs = false;
    await resume();
    await act();
    await container.wait();
  };
  return {
    url: options.url(port),
    version,
    start: async () => {
      if (runs) throw new Error(`${options.name} runs already`);
      await container.start();
      runs = true;
      await untilAnswer(options, port);
    },
    stop: () => end(() => container.stop()),
    kill: () => end(() => container.kill({ signal: 'SIGKILL' })),
    pause: async () => {
      await container.pause();
      paused = true;
    },
    resume,
  };
}

async function untilAnswer({ name, askVersion }: ContainerOptions, port: number): Promise<string> {
  let last: unknown;
  for (const giveUpMs = performance.now() + READY_MS; performance.now() < giveUpMs; await sleep(POLL_MS)) {
    try {
      return await askVersion(port);
    } catch (error) {
      last = error;
    }
  }
  throw new Error(`${name} did not answer within ${READY_MS} ms`, { cause: last });
}
