import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { giveTo, type RunAs } from './run-as.ts';

const PREFIX = 'weft-pg-';
/** A socket's whole path holds at most 107 bytes (macOS: 103): a long TMPDIR is passed over. */
const PARENT_LENGTH_MAX = 60;

/** A new folder for a socket, of which a path in it is short enough. Whoever asks for it removes it. */
export function newSocketFolder(): string {
  return mkdtempSync(join(parentOfNew(), PREFIX));
}

/** The folder a socket folder will be made in, as far as it exists yet: Postgres' user has to pass it. */
export function wayToSocketFolder(given: string | undefined): string {
  let way = given === undefined ? parentOfNew() : dirname(given);
  while (!existsSync(way)) way = dirname(way);
  return way;
}

function parentOfNew(): string {
  return tmpdir().length <= PARENT_LENGTH_MAX ? tmpdir() : '/tmp';
}

/**
 * A folder of mode 0700 for the socket ([EP2]): the one given, or a new one outside of `folder`, whose path may be too long. It is written down in
 * `folder`, so that the next start removes what a killed owner left.
 */
export function makeSocketFolder(folder: string, given: string | undefined, runAs: RunAs | undefined): string {
  const note = join(folder, 'socket-folder');
  removeLeft(note);
  if (given !== undefined) mkdirSync(given, { recursive: true, mode: 0o700 });
  const made = given ?? newSocketFolder();
  chmodSync(made, 0o700);
  giveTo(made, runAs);
  writeFileSync(note, made);
  return made;
}

function removeLeft(note: string): void {
  if (!existsSync(note)) return;
  const left = readFileSync(note, 'utf8');
  // Only what we made ourselves: a cut-short or edited note must not cost anybody a folder.
  if (basename(left).startsWith(PREFIX)) rmSync(left, { recursive: true, force: true });
}
