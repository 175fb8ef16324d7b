import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { platform } from 'node:process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

// Where the kernel does not end children with their parent, the next start sweeps them: not to be seen here.
test.runIf(platform === 'linux').each(['SIGKILL', 'SIGTERM'] as const)(
  '[TK5] a test process ended by %s leaves no server, not even a paused one',
  async (signal) => {
    const fixture = fileURLToPath(new URL('./parent.fixture.ts', import.meta.url));
    const child = spawn(process.execPath, ['--conditions=weft-source', '--import', 'tsx', fixture], {
      stdio: ['ignore', 'pipe', 'inherit'],
      // Containers do not end with us: those a killed process left are swept by the next start.
      env: { ...process.env, WEFT_TEST_NO_DOCKER: 'true' },
    });
    const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
    const ports = (JSON.parse(line) as string[]).map(Number);
    expect(await Promise.all(ports.map(accepts))).toEqual([true, true, true]);
    child.kill(signal);
    await once(child, 'exit');
    await expect.poll(() => Promise.all(ports.map(accepts)), { timeout: 10_000 }).toEqual([false, false, false]);
  },
  60_000,
);

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
