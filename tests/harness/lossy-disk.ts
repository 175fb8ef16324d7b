import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));
/** Outside of the repository: `lossy-disk on|off FOLDER`, and "cut keep=P seed=N" written into FOLDER/.power. */
const tool = resolve(root, process.env['WEFT_TEST_LOSSY_DISK'] ?? '../shared/tools/lossy-disk');
/** The first time it is built. */
const mountMsMax = 300_000;

/** Why there can be no such disk here, in a sentence; undefined where there can. */
export function lossyDiskMissing(): string | undefined {
  if (!isUsable(tool, constants.X_OK)) return `there is no ${tool} (WEFT_TEST_LOSSY_DISK says where it is)`;
  if (process.getuid?.() !== 0) return 'only root may mount one';
  if (!isUsable('/dev/fuse', constants.R_OK | constants.W_OK)) return 'there is no /dev/fuse';
  const built = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'lossy-disk', 'lossy');
  if (!existsSync(built) && spawnSync('go', ['version']).status !== 0) return 'it has to be built, and Go is missing';
  return undefined;
}

function isUsable(path: string, mode: number): boolean {
  try {
    accessSync(path, mode);
    return true;
  } catch {
    // Not there, or not for us: what the question was.
    return false;
  }
}

export interface DiskCounters {
  readonly syncs: number;
  readonly cuts: number;
  readonly bytesLost: number;
  readonly bytesKept: number;
}

/** A folder that forgets, when its power is cut, whatever was not synced. Gone with this process at the latest. */
export class LossyDisk {
  readonly folder: string;
  /** An ordinary folder beside it, removed with it. */
  readonly beside: string;
  readonly #forget: () => void;

  private constructor(parent: string) {
    this.beside = parent;
    this.folder = join(parent, 'disk');
    const onExit = (): void => this.#remove();
    process.on('exit', onExit);
    this.#forget = () => process.off('exit', onExit);
  }

  static mount(): LossyDisk {
    const disk = new LossyDisk(mkdtempSync(join(tmpdir(), 'weft-power-')));
    const { status, stderr } = spawnSync(tool, ['on', disk.folder], { encoding: 'utf8', timeout: mountMsMax });
    if (status !== 0) throw new Error(`the lossy disk did not mount (${status}): ${stderr}`);
    return disk;
  }

  get counters(): DiskCounters {
    return JSON.parse(readFileSync(join(this.folder, '.power'), 'utf8')) as DiskCounters;
  }

  /** The power goes. Each 4 KiB page that nobody synced survives with chance `keep`. */
  cut({ keep, seed }: { readonly keep: number; readonly seed: number }): void {
    writeFileSync(join(this.folder, '.power'), `cut keep=${keep} seed=${seed}`);
  }

  /** Once nothing runs on it any more. */
  unmount(): void {
    this.#forget();
    this.#remove();
  }

  #remove(): void {
    const { status } = spawnSync(tool, ['off', this.folder]);
    // Something still has a file open there: the name goes now, the rest with the last of them.
    if (status !== 0) spawnSync('umount', ['--lazy', this.folder]);
    rmSync(this.beside, { recursive: true, force: true });
  }
}
