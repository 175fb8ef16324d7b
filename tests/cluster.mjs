// npm run cluster: the whole house as separate processes on this machine, to play with. Ctrl-C ends it.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../', import.meta.url));
if (!existsSync(new URL('./node_modules', import.meta.url))) {
  process.stderr.write('The workspace is not installed yet: run `npx pnpm@10 install` first.\n');
  process.exit(1);
}
const child = spawn(process.execPath, ['--conditions=weft-source', '--import', 'tsx', 'tests/harness/play.ts', ...process.argv.slice(2)], {
  cwd: root,
  stdio: 'inherit',
});
// The terminal sends Ctrl-C to both; the child stops the cluster, this waits for it.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => signal !== 'SIGINT' && child.kill(signal));
child.on('exit', (code, signal) => process.exit(code ?? (signal ? 1 : 0)));
