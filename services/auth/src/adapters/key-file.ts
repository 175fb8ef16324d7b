import { chmod, mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';

import { generateSigningKeyPem } from '../signing-key.ts';

/**
 * The PEM text in `file`, made there if there is none (SPEC A8). Two processes must not do this to one folder at a time:
 * standalone holds the folder's lock.
 */
export async function readOrMakeKeyFile(file: string): Promise<string> {
  const existing = await readIfThere(file);
  if (existing !== undefined) {
    await chmod(file, 0o600);
    return existing;
  }
  const pem = await generateSigningKeyPem();
  await writeWhole(file, pem);
  return pem;
}

async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Fsynced under another name, then renamed: after a power cut there is the whole key or none. */
async function writeWhole(file: string, text: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  const unfinished = `${file}.unfinished`;
  await rm(unfinished, { force: true });
  const handle = await open(unfinished, 'wx', 0o600);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(unfinished, file);
  await syncFolder(dirname(file));
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
