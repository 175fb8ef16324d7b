import { connect } from 'node:net';
import { join } from 'node:path';
import { ChildServer, claimPort, rememberPort, temporaryFolder } from '@weft/testkit';
import { installPeers, peersFolder } from './install-peers.ts';

export interface PeerProcessOptions {
  /** In `processes`, and its program: `<program>.mjs` of tests/bench/peers. */
  readonly name: string;
  readonly program: string;
  /** Default: the Node that runs this. */
  readonly node?: () => string;
  readonly nodeArgs?: readonly string[] | undefined;
  readonly env: Readonly<Record<string, string>>;
}

/** A server program of a peer, planned; on the same port over restarts. */
export class PeerProcess {
  readonly name: string;
  readonly url: string;
  readonly #server: ChildServer;

  static async plan(options: PeerProcessOptions): Promise<PeerProcess> {
    installPeers();
    const port = await claimPort();
    rememberPort(port);
    return new PeerProcess(options, port);
  }

  private constructor({ name, program, node = () => process.execPath, nodeArgs = [], env }: PeerProcessOptions, port: number) {
    this.name = name;
    this.url = `ws://127.0.0.1:${port}`;
    this.#server = new ChildServer({
      name,
      command: node(),
      args: [...nodeArgs, join(peersFolder, `${program}.mjs`)],
      folder: temporaryFolder(name),
      env: { PATH: process.env['PATH'] ?? '', PORT: String(port), ...env },
      isReady: () => answers(port),
      stopSignal: 'SIGTERM',
    });
  }

  get pid(): number | undefined {
    return this.#server.runs ? this.#server.pid : undefined;
  }

  start(): Promise<void> {
    return this.#server.start();
  }

  async stop(): Promise<void> {
    if (this.#server.runs) await this.#server.stop();
  }
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
