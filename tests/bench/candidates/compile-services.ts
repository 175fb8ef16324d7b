import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../../', import.meta.url));
let done = false;

/** Brings what the services run compiled up to date with the sources, once a process: an older build measured would be a lie. */
export function compileServices(): void {
  if (done) return;
  const projects = ['gateway', 'sync-worker', 'persistence', 'auth'].map((service) => `services/${service}`);
  const { status, error, stdout } = spawnSync('npx', ['tsc', '-b', ...projects], { cwd: root, encoding: 'utf8' });
  if (status !== 0) throw new Error(`the services do not compile: ${error?.message ?? stdout.trim().slice(0, 2000)}`);
  done = true;
}
