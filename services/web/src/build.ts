import { readdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

import { build } from 'vite';

const PACKAGE_FOLDER = fileURLToPath(new URL('..', import.meta.url));

export interface BuiltFile {
  readonly name: string;
  readonly bytes: number;
  readonly gzippedBytes: number;
}

/** Builds the page into `dist/site`, and says what came out. */
export async function buildWeb(): Promise<readonly BuiltFile[]> {
  await build({ root: PACKAGE_FOLDER, configFile: `${PACKAGE_FOLDER}vite.config.ts`, logLevel: 'warn' });
  const folder = `${PACKAGE_FOLDER}dist/site`;
  const names = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = names.filter((entry) => entry.isFile()).map(({ parentPath, name }) => `${parentPath}/${name}`);
  return Promise.all(
    files.toSorted().map(async (file) => {
      const content = await readFile(file);
      return { name: file.slice(folder.length + 1), bytes: content.length, gzippedBytes: gzipSync(content).length };
    }),
  );
}
