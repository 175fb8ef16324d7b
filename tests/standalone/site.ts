import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const web = fileURLToPath(new URL('../../services/web/', import.meta.url));
const built = join(web, 'dist/site/index.html');
const buildMsMax = 120_000;

/**
 * Standalone does not start without its page, and a test of the page must not see an old one. Test files run side by side: one builds it, under a lock, and
 * the others find it.
 */
export async function ensureSite(): Promise<void> {
  if (isFresh()) return;
  const locks = join(tmpdir(), 'weft-testkit');
  mkdirSync(locks, { recursive: true });
  // Somebody else may have built it while we waited for the lock.
  const build = `[ "${built}" -nt "${newestSource()}" ] || exec "${process.execPath}" --conditions=weft-source --import tsx src/build-command.ts`;
  const { status, stderr } = spawnSync('flock', [join(locks, 'site.lock'), 'sh', '-c', build], {
    cwd: web,
    encoding: 'utf8',
    timeout: buildMsMax,
  });
  if (!isFresh()) throw new Error(`the page could not be built (${status}): ${stderr}`);
}

function isFresh(): boolean {
  return existsSync(built) && modifiedMs(built) > modifiedMs(newestSource());
}

function newestSource(): string {
  const sources = readdirSync(join(web, 'src'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name));
  const all = [join(web, 'index.html'), join(web, 'vite.config.ts'), join(web, '../../pnpm-lock.yaml'), ...sources];
  return all.reduce((newest, file) => (modifiedMs(file) > modifiedMs(newest) ? file : newest));
}

function modifiedMs(file: string): number {
  return statSync(file).mtimeMs;
}
