import { execFile } from 'node:child_process';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { temporaryFolder } from './index.ts';

const find = `import(${JSON.stringify(new URL('nats-binary.ts', import.meta.url).href)}).then(({ findNatsBinary }) => {
  const { path, version, origin } = findNatsBinary();
  console.log(JSON.stringify({ path, version, origin }));
});`;

/** A folder with a program that says it is this nats-server. */
function server(version: string, folder = temporaryFolder('nats-binary')): string {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'nats-server'), `#!/bin/sh\necho 'nats-server: v${version}'\n`);
  chmodSync(join(folder, 'nats-server'), 0o755);
  return folder;
}

/** In a process of its own: the environment is read once. No Go is on its PATH. */
async function found(env: Readonly<Record<string, string>>): Promise<{ answer: unknown; said: string }> {
  const cache = temporaryFolder('nats-cache');
  const { stdout, stderr } = await promisify(execFile)(
    process.execPath,
    ['--conditions=weft-source', '--import', 'tsx', '--input-type=module', '-e', find],
    { env: { WEFT_TESTKIT_CACHE: cache, HOME: cache, ...env } },
  );
  return { answer: JSON.parse(stdout), said: stderr };
}

test('[TK8] the newest of PATH and the cache is taken', { timeout: 120_000 }, async () => {
  const [path, cache] = [server('2.12.0'), temporaryFolder('nats-cache')];
  expect((await found({ PATH: path })).answer).toMatchObject({ version: '2.12.0', origin: 'PATH' });
  server('2.15.2', join(cache, 'bin'));
  expect((await found({ PATH: path, WEFT_TESTKIT_CACHE: cache })).answer).toMatchObject({ version: '2.15.2', origin: 'testkit cache' });
  expect((await found({ PATH: server('2.16.1'), WEFT_TESTKIT_CACHE: cache })).answer).toMatchObject({ version: '2.16.1', origin: 'PATH' });
});

test('[TK8] an old one is refused with what to do, and taken only when that is allowed, said aloud', { timeout: 120_000 }, async () => {
  const path = server('2.9.10');
  await expect(found({ PATH: path })).rejects.toThrow(/nats-server 2\.12 or newer.*is 2\.9\.10.*Go to build it.*WEFT_NATS_ALLOW_OLD=1/);
  const { answer, said } = await found({ PATH: path, WEFT_NATS_ALLOW_OLD: '1' });
  expect(answer).toMatchObject({ version: '2.9.10' });
  expect(said).toContain('WARNING: nats-server 2.9.10 is too old to sync before it answers: durability is not tested');
});
