import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { platform } from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { untilFrozen } from './freeze.ts';
import { rememberProcess } from './leftovers.ts';

export interface ChildServerOptions {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  /** Holds the server's files; its output goes to `output.log` there. */
  readonly folder: string;
  /** Asked again until it gives true; throwing means not yet. */
  readonly isReady: () => Promise<boolean>;
  /** Its whole environment; default ours. */
  readonly env?: Readonly<Record<string, string>>;
  readonly stopSignal: NodeJS.Signals;
  /** What the kernel sends it when we die; default `KILL`. A server that has to end its own children first takes a softer one. */
  readonly deathSignal?: 'KILL' | 'TERM';
}

const READY_MS = 30_000;
const STOP_MS = 15_000;
const POLL_MS = 10;
const OUTPUT_SHOWN = 1500;

/** A server as a child process that can be ended in every way and come back. */
export class ChildServer {
  readonly #options: ChildServerOptions;
  #child: ChildProcess | undefined;
  #output = '';

  constructor(options: ChildServerOptions) {
    this.#options = options;
  }

  get pid(): number {
    const pid = this.#child?.pid;
    if (pid === undefined) throw new Error(`${this.#options.name} does not run`);
    return pid;
  }

  get runs(): boolean {
    return this.#child !== undefined;
  }

  /** Resolves when it answers. */
  async start(): Promise<void> {
    if (this.#child !== undefined) throw new Error(`${this.#options.name} runs already`);
    const child = this.#spawn();
    this.#child = child;
    await this.#untilReady(child);
  }

  async stop(): Promise<void> {
    await this.#end(this.#options.stopSignal);
  }

  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  /** The whole process group: a server's own children too. Resolves once it stands still. */
  async pause(): Promise<void> {
    process.kill(-this.pid, 'SIGSTOP');
    await untilFrozen([this.pid]);
  }

  resume(): void {
    process.kill(-this.pid, 'SIGCONT');
  }

  /** To the server alone. */
  signal(signal: NodeJS.Signals): void {
    process.kill(this.pid, signal);
  }

  #spawn(): ChildProcess {
    const { command, args, folder, env, deathSignal = 'KILL' } = this.#options;
    const [program, flags] = diesWithParent() ? ['setpriv', ['--pdeathsig', deathSignal, '--', command, ...args]] : [command, args];
    const child = spawn(program, flags, {
      stdio: ['ignore', 'pipe', 'pipe'],
      cwd: folder,
      ...(env === undefined ? {} : { env }),
      detached: true /* a group of its own, out of reach of Ctrl-C */,
    });
    const log = createWriteStream(join(folder, 'output.log'), { flags: 'a' });
    const keep = (chunk: Buffer): void => {
      this.#output = (this.#output + chunk.toString()).slice(-OUTPUT_SHOWN);
      log.write(chunk);
    };
    child.stdout?.on('data', keep);
    child.stderr?.on('data', keep);
    const forget = child.pid === undefined ? () => undefined : rememberProcess(child.pid);
    child.once('error', (error) => (this.#output += error.message));
    child.once('close', () => {
      if (this.#child === child) this.#child = undefined;
      forget();
      log.end();
    });
    return child;
  }

  async #untilReady(child: ChildProcess): Promise<void> {
    for (const giveUpMs = performance.now() + READY_MS; performance.now() < giveUpMs; await sleep(POLL_MS)) {
      if (this.#child !== child) throw new Error(`${this.#options.name} ended while starting: ${this.#output.trim()}`);
      if (await this.#options.isReady().catch(() => false)) return;
    }
    await this.kill();
    throw new Error(`${this.#options.name} did not answer within ${READY_MS} ms: ${this.#output.trim()}`);
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    if (child === undefined) return;
    const closed = once(child, 'close');
    if (signal === 'SIGKILL') process.kill(-this.pid, signal);
    else child.kill(signal);
    // A paused server must wake to see a signal.
    if (this.runs) process.kill(-this.pid, 'SIGCONT');
    const timer = setTimeout(() => this.runs && process.kill(-this.pid, 'SIGKILL'), STOP_MS);
    await closed;
    clearTimeout(timer);
  }
}

let setpriv: boolean | undefined;

/** On Linux the kernel kills the child when its parent dies, however that happens (util-linux's setpriv asks it to). */
function diesWithParent(): boolean {
  setpriv ??= platform === 'linux' && spawnSync('setpriv', ['--pdeathsig', 'KILL', '--', 'true'], { stdio: 'ignore' }).status === 0;
  return setpriv;
}
