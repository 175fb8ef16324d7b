import { closeSync, fsyncSync, openSync } from 'node:fs';
import { dirname } from 'node:path';

/** A new name in a folder survives a power cut only once the folder itself is synced: without this the whole database could be gone, with all it acknowledged. */
export function syncFolder(folder: string): void {
  const handle = openSync(folder, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

/** From `folder` up to `top`, both included. */
export function syncFoldersUp(folder: string, top: string): void {
  for (let one = folder; ; one = dirname(one)) {
    syncFolder(one);
    if (one === top || one === dirname(one)) return;
  }
}
