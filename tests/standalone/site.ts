import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const web = fileURLToPath(new URL('../../services/web/', import.meta.url));
const buildMsMax = 120_000;

/** Standalone does not start without its page. Test files run side by side: one builds it, under a lock, the others find it. */
export async function ensureSite(): Promise<void> {
  if (isBuilt()) return;
  const locks = join(tmpdir(), 'weft-testkit');
  mkdirSync(locks, { recursive: true });
  const build = `[ -e "${web}dist/site/index.html" ] || exec "${process.execPath}" --conditions=weft-source --import tsx src/build-command.ts`;
  const { status, stderr } = spawnSync('flock', [join(locks, 'site.lock'), 'sh', '-c', build], {
    cwd: web,
    encoding: 'utf8',
    timeout: buildMsMax,
  });
  if (!isBuilt()) throw new Error(`the page could not be built (${status}): ${stderr}`);
}

function isBuilt(): boolean {
  return existsSync(join(web, 'dist/site/index.html'));
}
