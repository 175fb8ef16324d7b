import { createRequire } from 'node:module';
import type { HttpRequest, TemplatedApp, us_listen_socket } from '@rjweb/uws';

/**
 * uWebSockets.js is published outside the npm registry. The official build is used where it is installed; else the registry's build of it for
 * Node 16, 18 and 20 (architecture.md, section 7). The two name a few functions differently; this is where that ends.
 */
export interface Uws {
  app(): TemplatedApp;
  /** The port is ours alone, or the call fails: without it Linux would let two processes share it. Gives undefined when it cannot be had. */
  listen(app: TemplatedApp, host: string, port: number): Promise<ListenSocket | undefined>;
  eachHeader(request: HttpRequest, visit: (name: string, value: string) => void): void;
}

export interface ListenSocket {
  readonly port: number;
  /** Accepts no more; connections stay. */
  close(): void;
}

export function loadUws(): Uws {
  const build = loadBuild();
  const close = build.us_listen_socket_close ?? build.closeSocket;
  const portOf = build.us_socket_local_port ?? build.getSocketPort;
  if (!close || !portOf)
    throw new Error('this build of uWebSockets.js has no way to close a listening socket or to tell its port: use another version');
  return {
    app: () => build.App(),
    listen: (app, host, port) =>
      new Promise((resolve) => {
        (app as unknown as ExclusiveListen).listen(host, port, exclusivePort, (socket) =>
          resolve(socket ? { port: portOf(socket), close: () => close(socket) } : undefined),
        );
      }),
    eachHeader: (request, visit) => {
      const { forEach } = request as unknown as { forEach?: (visit: (name: string, value: string) => void) => void };
      if (forEach) forEach.call(request, visit);
      else request.forEachHeader(visit);
    },
  };
}

/** LIBUS_LISTEN_EXCLUSIVE_PORT. */
const exclusivePort = 1;

/** Both builds take a host together with options, which neither declares. */
interface ExclusiveListen {
  listen(host: string, port: number, options: number, listening: (socket: us_listen_socket | false) => void): void;
}

interface Build {
  App(): TemplatedApp;
  readonly us_listen_socket_close?: (socket: us_listen_socket) => void;
  readonly us_socket_local_port?: (socket: us_listen_socket) => number;
  readonly closeSocket?: (socket: us_listen_socket) => void;
  readonly getSocketPort?: (socket: us_listen_socket) => number;
}

function loadBuild(): Build {
  const require = createRequire(import.meta.url);
  const failures: string[] = [];
  for (const name of ['uWebSockets.js', '@rjweb/uws']) {
    try {
      return require(name) as Build;
    } catch (error) {
      failures.push(`${name}: ${(error as Error).message.split('\n')[0]}`);
    }
  }
  throw new Error(
    `No build of uWebSockets.js runs on Node ${process.versions.node} (${failures.join('; ')}). ` +
      'Use Node 20, or install the official build: npm install uNetworking/uWebSockets.js',
  );
}
