import { readFileSync, rmSync, writeFileSync, linkSync } from 'node:fs';
import { join } from 'node:path';
import { identityOf, isAlive, type ProcessIdentity } from './process-facts.ts';

/** Someone alive has the folder. */
export class FolderInUse extends Error {
  override readonly name = 'FolderInUse';
}

const ATTEMPTS_MAX = 5;

/**
 * Makes this process the folder's one owner ([EP4]). The owner stays written down when it dies: that is how the next one knows that
 * a postmaster found running is an orphan ([EP5]). Gives back the release.
 */
export function lockFolder(folder: string): () => void {
  const file = join(folder, 'owner.json');
  const self = identityOf(process.pid);
  if (self === undefined) throw new Error('this process cannot see itself');
  for (let attempt = 1; attempt <= ATTEMPTS_MAX; attempt++) {
    if (tryCreate(file, self)) return () => rmSync(file, { force: true });
    const owner = readOwner(file);
    if (owner !== undefined && isAlive(owner)) {
      throw new FolderInUse(`the folder ${folder} is in use by process ${owner.pid}: stop that one, or choose another folder`);
    }
    rmSync(file, { force: true });
  }
  throw new FolderInUse(`the folder ${folder} is being taken by another process at this moment`);
}

/** A link appears with its content or not at all, and only where there is none. */
function tryCreate(file: string, self: ProcessIdentity): boolean {
  const draft = `${file}.${self.pid}`;
  writeFileSync(draft, JSON.stringify(self));
  try {
    linkSync(draft, file);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  } finally {
    rmSync(draft, { force: true });
  }
}

function readOwner(file: string): ProcessIdentity | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as ProcessIdentity;
  } catch (error) {
    // Gone meanwhile, or cut short by a power loss: nobody's.
    if (error instanceof SyntaxError || (error instanceof Error && 'code' in error && error.code === 'ENOENT')) return undefined;
    throw error;
  }
}
