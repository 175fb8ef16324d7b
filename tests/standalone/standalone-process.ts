import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { identityOf, isAlive, type ProcessIdentity } from '@weft/embedded-postgres';
import { claimPort, rememberPort, rememberProcess } from '@weft/testkit';
import { ensureSite } from './site.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
/** A first start makes a database; on a lossy disk and a busy machine that takes its time. */
const readyMsMax = 180_000;
const goneMsMax = 20_000;
const pollMs = 2;
const logCharactersKept = 20_000;

export interface StandaloneOptions {
  readonly data: string;
  readonly port: number;
  readonly env?: Readonly<Record<string, string>>;
}

/** Standalone as `npm start` runs it: the same command, the same channel, a group of its own. */
export class StandaloneProcess {
  readonly data: string;
  readonly port: number;
  #env: Readonly<Record<string, string>>;
  #child: ChildProcess | undefined;
  #log = '';
  #heard = '';

  constructor({ data, port, env = {} }: StandaloneOptions) {
    this.data = data;
    this.port = port;
    this.#env = env;
  }

  /** On a free port, not yet started. Builds the page where it is missing. */
  static async plan(data: string): Promise<StandaloneProcess> {
    await ensureSite();
    const port = await claimPort();
    rememberPort(port);
    return new StandaloneProcess({ data, port });
  }

  get logTail(): string {
    return this.#log;
  }

  /** What it has said since its last start. */
  get heard(): string {
    return this.#heard;
  }

  /** For its next start. */
  set env(env: Readonly<Record<string, string>>) {
    this.#env = env;
  }

  /** Resolves when it says that it is ready, with how long that took, ms. */
  async start(): Promise<number> {
    const startedMs = performance.now();
    const loader = join(root, 'services/standalone/node_modules/tsx/dist/loader.mjs');
    const args = ['--conditions=weft-source', '--import', pathToFileURL(loader).href, join(root, 'services/standalone/src/main.ts')];
    const child = spawn(process.execPath, args, {
      cwd: root,
      env: { ...outerEnvironment(), WEFT_DATA: this.data, WEFT_PORT: String(this.port), ...this.#env },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      detached: true,
    });
    this.#child = child;
    const forget = child.pid === undefined ? () => undefined : rememberProcess(child.pid);
    child.once('exit', () => {
      if (this.#child === child) this.#child = undefined;
      forget();
    });
    await this.#untilReady(child);
    return performance.now() - startedMs;
  }

  /** SIGKILL to the process alone, sent before this returns. Resolves when it is gone. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  /** SIGTERM: drains and leaves, Postgres too. Safe when it does not run. */
  async stop(): Promise<void> {
    await this.#end('SIGTERM');
  }

  /** SIGKILL to the process, its Postgres and every backend, as when the power goes. Resolves when all are gone. */
  async killEverything(): Promise<void> {
    const postgres = this.#freezePostgres();
    const ended = this.#end('SIGKILL');
    for (const { pid } of postgres) signal(pid, 'SIGKILL');
    await ended;
    await untilGone(postgres);
  }

  /** SIGKILL to the postmaster, sent before this returns. */
  killPostgres(): void {
    process.kill(this.#postmaster(), 'SIGKILL');
  }

  /** SIGSTOP to Postgres as a whole; gives back how to let it go on. */
  freezePostgres(): () => void {
    const frozen = this.#freezePostgres();
    return () => {
      for (const { pid } of frozen) signal(pid, 'SIGCONT');
    };
  }

  /** The postmaster first: frozen it forks no more backends that would be missed. */
  #freezePostgres(): ProcessIdentity[] {
    const postmaster = this.#postmaster();
    signal(postmaster, 'SIGSTOP');
    const pids = [postmaster, ...childrenOf(postmaster)];
    const identities = pids.map(identityOf).filter((identity) => identity !== undefined);
    for (const { pid } of identities) signal(pid, 'SIGSTOP');
    return identities;
  }

  #postmaster(): number {
    const [line] = readFileSync(join(this.data, 'postgres', 'data', 'postmaster.pid'), 'utf8').split('\n');
    const pid = Number(line);
    if (!(pid > 1)) throw new Error(`postmaster.pid holds ${JSON.stringify(line)}`);
    return pid;
  }

  async #untilReady(child: ChildProcess): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const fail = (how: string): void => reject(new Error(`standalone ${how}:\n${this.#log}`));
      const timer = setTimeout(() => fail(`was not ready within ${readyMsMax} ms`), readyMsMax);
      this.#heard = '';
      const hear = (chunk: Buffer): void => {
        this.#log = (this.#log + chunk.toString()).slice(-logCharactersKept);
        this.#heard = (this.#heard + chunk.toString()).slice(-logCharactersKept);
        if (!this.#heard.includes('Weft is ready')) return;
        clearTimeout(timer);
        resolve();
      };
      child.stdout?.on('data', hear);
      child.stderr?.on('data', hear);
      child.once('exit', (code, how) => {
        clearTimeout(timer);
        fail(`ended with ${how ?? code} before it was ready`);
      });
    });
  }

  async #end(how: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    const child = this.#child;
    if (child === undefined) return;
    const exited = once(child, 'exit');
    child.kill(how);
    const timer = setTimeout(() => child.kill('SIGKILL'), goneMsMax);
    await exited;
    clearTimeout(timer);
  }
}

/** Linux only, as is the freezing of others' children. */
function childrenOf(parent: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => parentOf(pid) === parent);
}

function parentOf(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
  } catch (error) {
    // It ended while we looked.
    if (isGone(error)) return undefined;
    throw error;
  }
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if (!isGone(error)) throw error;
  }
}

function isGone(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ESRCH');
}

async function untilGone(processes: readonly ProcessIdentity[]): Promise<void> {
  for (const giveUpMs = performance.now() + goneMsMax; performance.now() < giveUpMs; await sleep(pollMs)) {
    if (!processes.some(isAlive)) return;
  }
  throw new Error(`processes ${processes.map(({ pid }) => pid).join(', ')} did not end within ${goneMsMax} ms of SIGKILL`);
}

/** Of our own environment only what any program needs: no setting leaks in. */
function outerEnvironment(): Record<string, string> {
  const kept = Object.entries(process.env).filter(([name]) => !/^(WEFT_|NODE_OPTIONS$|NODE_ENV$|VITEST|TEST$)/.test(name));
  return Object.fromEntries(kept.filter((entry): entry is [string, string] => entry[1] !== undefined));
}
