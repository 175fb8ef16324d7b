import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const peersFolder = fileURLToPath(new URL('../peers/', import.meta.url));
const stamp = join(peersFolder, 'node_modules', '.installed');
const installMsMax = 10 * 60_000;

/** `npm ci` in tests/bench/peers, unless what its lockfile says is there. */
export function installPeers(): void {
  const wanted = createHash('sha256')
    .update(readFileSync(join(peersFolder, 'package-lock.json')))
    .digest('hex');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return;
  process.stderr.write('bench: installing the peers (npm ci in tests/bench/peers), once\n');
  const { status, error, stderr } = spawnSync('npm', ['ci'], { cwd: peersFolder, encoding: 'utf8', timeout: installMsMax });
  if (status !== 0) throw new Error(`npm ci in tests/bench/peers failed: ${error?.message ?? stderr.trim().slice(-1000)}`);
  writeFileSync(stamp, wanted);
}

/** Hocuspocus 4 needs Node 22; this one is the registry's, for it alone. */
export function node22(): string {
  const path = join(peersFolder, 'node_modules', `node-linux-${process.arch}`, 'bin', 'node');
  if (!existsSync(path))
    throw new Error(`the registry's Node 22 is not there: ${path}; this machine is ${process.platform} ${process.arch}`);
  return path;
}
