import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { expect, test } from 'vitest';

const folder = fileURLToPath(new URL('.', import.meta.url));
const bytesMax = 6000;

test('[CL50] under 6,000 bytes minified and gzipped', async () => {
  const { outputFiles } = await build({
    entryPoints: [join(folder, 'index.ts')],
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    write: false,
  });
  const { contents } = outputFiles[0]!;
  const { byteLength } = gzipSync(contents, { level: 9 });
  console.log(`@weft/client: ${contents.byteLength} bytes minified, ${byteLength} gzipped (at most ${bytesMax})`);
  expect(byteLength).toBeLessThan(bytesMax);
});

test('[CL50] no dependencies, and nothing of Node', () => {
  const { dependencies } = JSON.parse(readFileSync(join(folder, '../package.json'), 'utf8')) as { dependencies?: object };
  expect(dependencies).toBeUndefined();
  const sources = readdirSync(folder).filter((name) => !/\.(test|test-data)\.ts$/.test(name));
  const imported = sources.flatMap((name) =>
    [...readFileSync(join(folder, name), 'utf8').matchAll(/from '([^']+)'/g)].map(([, from]) => from!),
  );
  expect(imported.filter((from) => !from.startsWith('./'))).toEqual([]);
});
