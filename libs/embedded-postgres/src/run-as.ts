import { spawn, spawnSync, type ChildProcess, type SpawnOptions } from 'node:child_process';
import { chownSync, existsSync, readFileSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { platform } from 'node:process';

/** Postgres refuses to run as root, so there it runs as someone else. */
export interface RunAs {
  readonly uid: number;
  readonly gid: number;
  readonly name: string;
}

const NAMES = ['postgres', 'nobody'];

/** undefined: we are not root, and Postgres runs as ourselves. A folder somebody already owns keeps its owner. */
export function chooseRunAs(dataFolder: string): RunAs | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const users = readUsers();
  if (existsSync(dataFolder)) {
    const { uid, gid } = statSync(dataFolder);
    if (uid !== 0) return { uid, gid, name: users.find((user) => user.uid === uid)?.name ?? String(uid) };
  }
  const chosen = NAMES.map((name) => users.find((user) => user.name === name)).find((user) => user !== undefined);
  if (chosen === undefined)
    throw new Error(`Postgres does not run as root, and this system has no user ${NAMES.join(' or ')}: start Weft as another user`);
  return chosen;
}

function readUsers(): RunAs[] {
  return readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'))
    .filter((fields) => fields.length >= 4)
    .map(([name = '', , uid, gid]) => ({ name, uid: Number(uid), gid: Number(gid) }));
}

export function giveTo(path: string, runAs: RunAs | undefined): void {
  if (runAs !== undefined) chownSync(path, runAs.uid, runAs.gid);
}

/** The first folder on the way to `path` (itself included) that `runAs` may not pass or read; undefined when the way is open. */
export function closedOnTheWay(path: string, runAs: RunAs): string | undefined {
  for (let folder = path; ; folder = dirname(folder)) {
    if (!mayEnter(folder, runAs)) return folder;
    if (folder === dirname(folder)) return undefined;
  }
}

function mayEnter(folder: string, runAs: RunAs): boolean {
  const { mode, uid, gid } = statSync(folder);
  const bit = uid === runAs.uid ? 0o100 : gid === runAs.gid ? 0o010 : 0o001;
  return (mode & bit) !== 0;
}

/** How commands for Postgres are started. */
export interface Launcher {
  /** The command as given, as the other user. `signalOnParentDeath`, where the system can: sent to it when we die. */
  launch(command: string, args: readonly string[], options: SpawnOptions & { signalOnParentDeath?: string }): ChildProcess;
}

/**
 * Throws one sentence when the user cannot reach `paths` and the system cannot grant it.
 *
 * util-linux's `setpriv` changes the user, asks the kernel for a signal at the parent's death, and, only where a folder on the way is closed to
 * that user (a checkout in /root is), leaves it one capability: to pass folders. Without setpriv, Node changes the user, and a closed folder is refused.
 */
export function makeLauncher(runAs: RunAs | undefined, paths: readonly string[]): Launcher {
  const setpriv = platform === 'linux' ? findSetpriv() : undefined;
  const capability = runAs === undefined ? undefined : capabilityNeeded(runAs, paths, setpriv);
  return {
    launch: (command, args, { signalOnParentDeath, ...options }) => {
      if (setpriv === undefined)
        return spawn(command, args, { ...options, ...(runAs === undefined ? {} : { uid: runAs.uid, gid: runAs.gid }) });
      const flags = [
        ...(runAs === undefined ? [] : userFlags(runAs)),
        ...(capability === undefined ? [] : capabilityFlags(capability)),
        ...(signalOnParentDeath === undefined ? [] : ['--pdeathsig', signalOnParentDeath]),
      ];
      if (flags.length === 0) return spawn(command, args, options);
      return spawn(setpriv, [...flags, '--', command, ...args], options);
    },
  };
}

function capabilityNeeded(runAs: RunAs, paths: readonly string[], setpriv: string | undefined): string | undefined {
  const closed = paths.map((path) => closedOnTheWay(path, runAs)).find((folder) => folder !== undefined);
  if (closed === undefined) return undefined;
  const capability =
    setpriv !== undefined
      ? ['dac_read_search', 'dac_override'].find((name) => canSetpriv(setpriv, [...userFlags(runAs), ...capabilityFlags(name)]))
      : undefined;
  if (capability !== undefined) return capability;
  throw new Error(
    `Postgres does not run as root, and the user ${runAs.name} may not enter ${closed}: use a folder outside of it (WEFT_DATA), or start Weft as another user`,
  );
}

function userFlags(runAs: RunAs): string[] {
  return ['--reuid', String(runAs.uid), '--regid', String(runAs.gid), '--clear-groups'];
}

function capabilityFlags(name: string): string[] {
  return [`--inh-caps=-all,+${name}`, `--ambient-caps=-all,+${name}`];
}

/** Its whole path: children get an environment of their own, without a PATH to look in. undefined: there is none that does what we need. */
function findSetpriv(): string | undefined {
  const { stdout } = spawnSync('sh', ['-c', 'command -v setpriv'], { encoding: 'utf8' });
  const path = stdout?.trim() ?? '';
  return path !== '' && canSetpriv(path, []) ? path : undefined;
}

/** Busybox has a smaller setpriv: what it can is tried, not guessed. */
function canSetpriv(setpriv: string, flags: readonly string[]): boolean {
  return spawnSync(setpriv, [...flags, '--pdeathsig', 'KILL', '--', 'true'], { stdio: 'ignore' }).status === 0;
}
