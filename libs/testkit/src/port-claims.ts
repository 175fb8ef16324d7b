import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { identityOf } from '@weft/embedded-postgres';

/**
 * Ports for test servers, [TK6]: below 32768, where Linux takes its outgoing connections' ports from. A client that reconnects to a stopped server's
 * port in that range sooner or later connects to itself, and the server cannot come back.
 */
const LOWEST = 15_000;
const HIGHEST = 31_999;
const ATTEMPTS_MAX = 200;
const FOLDER = join(tmpdir(), 'weft-testkit', 'ports');

/** A port of 127.0.0.1 that is this process's until it ends: a stopped server may come back to it. */
export async function claimPort(): Promise<number> {
  mkdirSync(FOLDER, { recursive: true });
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
    const port = LOWEST + Math.floor(Math.random() * (HIGHEST - LOWEST + 1));
    if (!claim(port)) continue;
    if (await isFree(port)) return port;
    releasePort(port);
  }
  throw new Error(`no free port found between ${LOWEST} and ${HIGHEST}`);
}

export function releasePort(port: number): void {
  rmSync(join(FOLDER, String(port)), { force: true });
}

function claim(port: number): boolean {
  const file = join(FOLDER, String(port));
  try {
    writeFileSync(file, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
    forgetDeadClaim(file);
    return false;
  }
}

/** A dead process's claim is removed and left for a later try: taking it over at once could race with another who does. */
function forgetDeadClaim(file: string): void {
  try {
    const pid = Number(readFileSync(file, 'utf8'));
    if (pid > 0 && identityOf(pid) === undefined) rmSync(file, { force: true });
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
  });
}
