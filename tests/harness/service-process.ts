import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { rememberProcess } from '@weft/testkit';

/** Repository root. */
const root = fileURLToPath(new URL('../../', import.meta.url));
const readyMsMax = 45_000;
/** Longer than any service's own drain window in these tests. */
const stopMsMax = 30_000;
const pollMs = 25;
const tailLines = 40;

/** As every way to run Weft sets it (docs/decisions/0008): large buffers go back to the system when they are freed. */
const allocator = { MALLOC_MMAP_THRESHOLD_: '65536', MALLOC_ARENA_MAX: '2' };

export type ServiceName = 'gateway' | 'sync-worker' | 'persistence' | 'auth';

export interface ServiceProcessOptions {
  readonly service: ServiceName;
  /** Its name in the cluster, `gateway-1`; its log is `<folder>/<id>.log`. */
  readonly id: string;
  readonly folder: string;
  readonly opsPort: number;
  /** Where clients connect; undefined where there are none. */
  readonly port: number | undefined;
  readonly env: Readonly<Record<string, string>>;
  /** More arguments for node, `--cpu-prof`. */
  readonly nodeArgs: readonly string[];
  /** Run what `tsc -b` made, as the images do, instead of the sources: tsx names every closure anew each time it is made, which takes time. */
  readonly compiled?: boolean;
}

/** One of our services as a process of its own, started as in production but from its sources (unless `compiled`), ended in every way. */
export class ServiceProcess {
  readonly service: ServiceName;
  readonly id: string;
  readonly opsPort: number;
  readonly port: number;
  readonly #options: ServiceProcessOptions;
  readonly #logFile: string;
  #child: ChildProcess | undefined;

  constructor(options: ServiceProcessOptions) {
    this.#options = options;
    this.service = options.service;
    this.id = options.id;
    this.opsPort = options.opsPort;
    this.port = options.port ?? 0;
    this.#logFile = join(options.folder, `${options.id}.log`);
  }

  get runs(): boolean {
    return this.#child !== undefined;
  }

  get pid(): number {
    const pid = this.#child?.pid;
    if (pid === undefined) throw new Error(`${this.id} does not run`);
    return pid;
  }

  /** Everything it has written, over all its lives. */
  get logs(): string {
    return existsSync(this.#logFile) ? readFileSync(this.#logFile, 'utf8') : '';
  }

  get logTail(): string {
    return this.logs.trimEnd().split('\n').slice(-tailLines).join('\n');
  }

  /** Starts the process; see `untilReady`. */
  launch(): void {
    if (this.#child !== undefined) throw new Error(`${this.id} runs already`);
    const { service, id, env, nodeArgs, compiled = false } = this.#options;
    const folder = join(root, 'services', service);
    const args = compiled
      ? [...nodeArgs, join(folder, 'dist', 'main.js')]
      : [...nodeArgs, '--conditions=weft-source', '--import', 'tsx', join(folder, 'src', 'main.ts')];
    const [program, flags] = diesWithParent()
      ? ['setpriv', ['--pdeathsig', 'KILL', '--', process.execPath, ...args]]
      : [process.execPath, args];
    const log = openSync(this.#logFile, 'a');
    // A group of its own: Ctrl-C in a terminal reaches the cluster's owner alone, who stops the services in order.
    const child = spawn(program, flags, {
      cwd: root,
      env: { ...outerEnvironment(), ...allocator, WEFT_ID: id, ...env },
      stdio: ['ignore', log, log],
      detached: true,
    });
    closeSync(log);
    const forget = child.pid === undefined ? () => undefined : rememberProcess(child.pid);
    child.once('exit', () => {
      if (this.#child === child) this.#child = undefined;
      forget();
    });
    this.#child = child;
  }

  /** `launch` and `untilReady`. */
  async start(): Promise<void> {
    this.launch();
    await this.untilReady();
  }

  async untilReady(): Promise<void> {
    await this.until('ready', async () => (await this.readiness()).ok);
  }

  /** What /readyz says; `ok: false` also while nothing answers. */
  async readiness(): Promise<{ ok: boolean; reasons: readonly string[] }> {
    const body = await this.ops('/readyz').catch(() => undefined);
    if (body === undefined) return { ok: false, reasons: ['the ops port does not answer'] };
    return { ok: body.status === 200, reasons: [body.text] };
  }

  async ops(path: '/healthz' | '/readyz' | '/metrics' | '/ring'): Promise<{ status: number; text: string }> {
    const response = await fetch(`http://127.0.0.1:${this.opsPort}${path}`, { signal: AbortSignal.timeout(2_000) });
    return { status: response.status, text: await response.text() };
  }

  /** Waits for what only the process itself can tell. Rejects with the end of its log when it ends, or the time is up. */
  async until(what: string, condition: () => Promise<boolean> | boolean, withinMs = readyMsMax): Promise<void> {
    for (const deadline = performance.now() + withinMs; performance.now() < deadline; await sleep(pollMs)) {
      if (!this.runs) throw new Error(`${this.id} ended before it was ${what}:\n${this.logTail}`);
      if (await condition()) return;
    }
    throw new Error(`${this.id} was not ${what} within ${withinMs} ms:\n${this.logTail}`);
  }

  /** Waits for a line in its log from now on (`after`: what `logs.length` was before the deed). */
  async untilLogged(text: string, after: number, withinMs = readyMsMax): Promise<void> {
    await this.until(`heard to say ${JSON.stringify(text)}`, () => this.logs.slice(after).includes(text), withinMs);
  }

  /** SIGTERM: drains and leaves. Safe when it does not run. Rejects when it did not leave by itself, or not with 0. */
  async stop(): Promise<void> {
    const ended = await this.#end('SIGTERM');
    if (ended && ended.code !== 0) throw new Error(`${this.id} was stopped and ended with ${ended.signal ?? ended.code}:\n${this.logTail}`);
  }

  /** SIGKILL; resolves when it is gone. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  pause(): void {
    process.kill(this.pid, 'SIGSTOP');
  }

  resume(): void {
    process.kill(this.pid, 'SIGCONT');
  }

  async #end(signal: NodeJS.Signals): Promise<{ code: number | null; signal: NodeJS.Signals | null } | undefined> {
    const child = this.#child;
    if (child === undefined) return undefined;
    const exited = once(child, 'exit');
    child.kill(signal);
    // A paused process must wake to see a signal.
    child.kill('SIGCONT');
    const timer = setTimeout(() => child.kill('SIGKILL'), stopMsMax);
    await exited;
    clearTimeout(timer);
    return { code: child.exitCode, signal: child.signalCode };
  }
}

/** Of our own environment only what any program needs: no setting leaks into a service. */
function outerEnvironment(): Record<string, string> {
  const kept = Object.entries(process.env).filter(
    ([name]) => name === 'WEFT_NATS_ALLOW_OLD' || !/^(WEFT_|NODE_OPTIONS$|NODE_ENV$|VITEST|TEST$)/.test(name),
  );
  return Object.fromEntries(kept.filter((entry): entry is [string, string] => entry[1] !== undefined));
}

let setpriv: boolean | undefined;

/** On Linux the kernel kills the child when its parent dies, however that happens. */
function diesWithParent(): boolean {
  setpriv ??= process.platform === 'linux' && spawnSync('setpriv', ['--pdeathsig', 'KILL', '--', 'true'], { stdio: 'ignore' }).status === 0;
  return setpriv;
}
