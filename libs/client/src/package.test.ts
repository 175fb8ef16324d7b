import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';

const ownFolder = fileURLToPath(new URL('..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'weft-client-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const run = (command: string, ...args: string[]): string => execFileSync(command, args, { cwd: folder, encoding: 'utf8' });

test('[CL52] what is published works where it is installed, and has no tests in it', { timeout: 120_000 }, () => {
  // Runs `prepack`.
  execFileSync('npm', ['pack', '--silent', '--pack-destination', folder], { cwd: ownFolder, stdio: 'ignore' });
  const [tarball] = readdirSync(folder);
  const packed = run('tar', '-tzf', tarball!).trim().split('\n');
  expect(packed).toEqual(expect.arrayContaining(['package/README.md', 'package/dist/index.js', 'package/dist/index.d.ts']));
  expect(packed.filter((name) => /\.test|tsbuildinfo|package\/src/.test(name))).toEqual([]);
  run('npm', 'init', '--yes');
  run('npm', 'install', '--offline', '--no-audit', '--no-fund', `./${tarball}`);
  const program = `
    import { weftWebSocket, WeftWebSocket } from '@weft/client';
    const socket = new (weftWebSocket({ WebSocket: null, fetch: () => Promise.reject(new TypeError('nobody there')) }))('ws://localhost:1/collab');
    socket.onclose = ({ code }) => console.log(typeof WeftWebSocket, socket.readyState, code);
  `;
  expect(run(process.execPath, '--input-type=module', '--eval', program).trim()).toBe('function 3 1006');
});
