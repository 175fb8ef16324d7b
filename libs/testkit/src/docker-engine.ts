import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { config } from './config.ts';

const PING_MS = 1000;
const LOOK_MS = 10_000;
const PULL_MS = 120_000;
/** How long it is remembered, for all test processes, that an image could not be had. */
const MISSING_MS = 10 * 60_000;
const SOCKET = '/var/run/docker.sock';

/** Only a daemon on this machine: ports are claimed here. */
function findSocket(): string | undefined {
  const path = config.dockerHost === undefined ? SOCKET : /^unix:\/\/(.+)$/.exec(config.dockerHost)?.[1];
  return path !== undefined && existsSync(path) ? path : undefined;
}

let answers: Promise<boolean> | undefined;

/** Whether a daemon answers. Where there is none this costs a look at a file. */
export function hasDocker(): Promise<boolean> {
  answers ??= config.noDocker || findSocket() === undefined ? Promise.resolve(false) : ping();
  return answers;
}

async function ping(): Promise<boolean> {
  try {
    return (await ask('GET', '/_ping', PING_MS)).status === 200;
  } catch (error) {
    process.stderr.write(`testkit: Docker does not answer: ${String(error)}\n`);
    return false;
  }
}

/** `name:tag` is there, or was pulled. Throws a sentence when it cannot be had. */
export async function needImage(image: string): Promise<void> {
  if ((await ask('GET', `/images/${image}/json`, LOOK_MS)).status === 200) return;
  const note = join(tmpdir(), 'weft-testkit', `no-image-${image.replace(/\W/g, '-')}`);
  if (existsSync(note) && Date.now() - statSync(note).mtimeMs < MISSING_MS)
    throw new Error(`the image ${image} could not be had a while ago`);
  const [name = '', tag = 'latest'] = image.split(':');
  const pulled = await ask('POST', `/images/create?fromImage=${name}&tag=${tag}`, PULL_MS).catch((error: unknown) => ({
    status: 0,
    body: String(error),
  }));
  if ((await ask('GET', `/images/${image}/json`, LOOK_MS)).status === 200) return;
  mkdirSync(join(tmpdir(), 'weft-testkit'), { recursive: true });
  writeFileSync(note, '');
  throw new Error(`the image ${image} cannot be had: ${pulled.body.trim().split('\n').at(-1) ?? pulled.status}`);
}

export function remove(container: string): Promise<unknown> {
  return ask('DELETE', `/containers/${container}?force=1&v=1`, LOOK_MS);
}

/** For a process that is ending and can wait for nothing: a small one does it in its place. */
export function removeNow(socketPath: string, container: string): void {
  const script = `require('node:http').request({ socketPath: ${JSON.stringify(socketPath)}, method: 'DELETE', path: '/containers/${container}?force=1&v=1' }, (response) => response.resume()).on('error', () => process.exit(1)).end()`;
  spawnSync(process.execPath, ['-e', script], { stdio: 'ignore', timeout: LOOK_MS });
}

export function socketOrThrow(): string {
  const socket = findSocket();
  if (socket === undefined) throw new Error('there is no Docker socket');
  return socket;
}

interface Answer {
  readonly status: number;
  readonly body: string;
}

function ask(method: string, path: string, timeoutMs: number): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asking = request({ socketPath: socketOrThrow(), method, path, signal: AbortSignal.timeout(timeoutMs) }, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => (body += chunk));
      response.once('error', reject);
      response.once('end', () => resolve({ status: response.statusCode ?? 0, body }));
    });
    asking.once('error', reject);
    asking.end();
  });
}
