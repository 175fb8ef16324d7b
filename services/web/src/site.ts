import { readFile, readdir } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface SiteFile {
  readonly body: Uint8Array;
  readonly contentType: string;
  readonly cacheControl: string;
}

/** The page is not built: the message says how to. */
export class SiteNotBuilt extends Error {
  override readonly name = 'SiteNotBuilt';
}

const SITE_FOLDER = fileURLToPath(new URL('../dist/site', import.meta.url));
const CONTENT_TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
};

/** The built page as URL path -> file: `/` and `/assets/…`. Names under `/assets/` bear a hash of what is in them. */
export async function readSite(folder: string = SITE_FOLDER): Promise<ReadonlyMap<string, SiteFile>> {
  const site = new Map<string, SiteFile>();
  for (const name of await listFiles(folder)) {
    const path = name === 'index.html' ? '/' : `/${name}`;
    site.set(path, {
      body: await readFile(join(folder, name)),
      contentType: CONTENT_TYPES[extname(name)] ?? 'application/octet-stream',
      cacheControl: path.startsWith('/assets/') ? 'public, max-age=31536000, immutable' : 'no-cache',
    });
  }
  if (!site.has('/')) throw new SiteNotBuilt('the page is not built: npm --prefix services/web run build');
  return site;
}

async function listFiles(folder: string): Promise<string[]> {
  try {
    const entries = await readdir(folder, { recursive: true, withFileTypes: true });
    const files = entries.filter((entry) => entry.isFile());
    return files.map(({ parentPath, name }) =>
      join(parentPath, name)
        .slice(folder.length + 1)
        .replaceAll('\\', '/'),
    );
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  }
}
