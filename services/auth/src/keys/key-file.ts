import { randomUUID } from 'node:crypto';
import { chmod, mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { formatKeyFile, parseKeyFile } from './key-file-text.ts';
import type { KeyStore, StoredKey } from './stored-key.ts';

/** How often the lock is tried. */
const LOCK_POLL_MS = 20;
/** Longer than any change takes: whoever made a lock of that age is gone. */
const LOCK_STALE_MS = 10_000;
const LOCK_WAIT_MS_MAX = 20_000;

/** Keys in one file of mode 0600, which is replaced whole or not at all (SPEC A8). For the processes of one machine. */
export class KeyFile implements KeyStore {
  readonly #file: string;

  constructor(file: string) {
    this.#file = file;
  }

  async read(): Promise<readonly StoredKey[]> {
    const text = await readIfThere(this.#file);
    if (text === undefined) return [];
    await chmod(this.#file, 0o600);
    return parseKeyFile(text);
  }

  async change(next: (keys: readonly StoredKey[]) => Promise<readonly StoredKey[]>): Promise<readonly StoredKey[]> {
    await mkdir(dirname(this.#file), { recursive: true, mode: 0o700 });
    const unlock = await lock(`${this.#file}.lock`);
    try {
      const before = await this.read();
      const after = await next(before);
      if (after !== before) await replaceWhole(this.#file, formatKeyFile(after));
      return after;
    } finally {
      await unlock();
    }
  }
}

async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}

/** Fsynced under another name, then renamed: after a power cut there are the old keys or the new ones. */
async function replaceWhole(file: string, text: string): Promise<void> {
  const unfinished = `${file}.${randomUUID()}.unfinished`;
  try {
    await writeSynced(unfinished, text);
    await rename(unfinished, file);
  } finally {
    await rm(unfinished, { force: true });
  }
  await syncFolder(dirname(file));
}

/** A file that only one can make. Gives what takes it away. */
async function lock(file: string): Promise<() => Promise<void>> {
  for (const giveUpMs = performance.now() + LOCK_WAIT_MS_MAX; ; await sleep(LOCK_POLL_MS)) {
    try {
      await (await open(file, 'wx', 0o600)).close();
      return () => rm(file, { force: true });
    } catch (error) {
      if (!hasCode(error, 'EEXIST')) throw error;
      if (performance.now() > giveUpMs)
        throw new Error(`${file} is held by another process; expected it to be gone within ${LOCK_WAIT_MS_MAX / 1000} s`);
      if (await isStale(file)) await rm(file, { force: true });
    }
  }
}

async function isStale(file: string): Promise<boolean> {
  try {
    return Date.now() - (await stat(file)).mtimeMs > LOCK_STALE_MS;
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return false;
    throw error;
  }
}

async function writeSynced(file: string, text: string): Promise<void> {
  const handle = await open(file, 'wx', 0o600);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
