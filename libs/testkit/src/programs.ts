import { spawnSync } from 'node:child_process';
import { accessSync, constants, mkdirSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { config } from './config.ts';

/** Where Debian keeps servers; not on everyone's PATH. */
const SERVER_FOLDERS = ['/usr/sbin', '/usr/local/sbin'];
const INSTALL_MS = 10 * 60_000;

export function findProgram(name: string): string | undefined {
  return [...config.path.split(delimiter), ...SERVER_FOLDERS].map((folder) => join(folder, name)).find(isProgram);
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    // Not there or not ours to run: not a program for us.
    return false;
  }
}

/** Finds a program; where it is missing and we are root on Debian, installs the package. Throws one sentence when neither is possible. */
export function needProgram(name: string, debianPackage: string): string {
  const found = findProgram(name);
  if (found !== undefined) return found;
  if (process.getuid?.() === 0 && findProgram('apt-get') !== undefined) {
    installDebianPackage(name, debianPackage);
    const installed = findProgram(name);
    if (installed !== undefined) return installed;
  }
  throw new Error(
    `the program ${name} is missing: install it (Debian: apt-get install ${debianPackage}), or give a server's URL (libs/testkit/SPEC.md)`,
  );
}

/**
 * Under a lock of the machine, for test workers run side by side. `policy-rc.d` keeps Debian from starting the package's own service: we start private ones.
 */
function installDebianPackage(program: string, debianPackage: string): void {
  process.stderr.write(`testkit: installing Debian's ${debianPackage}\n`);
  const script = `
    command -v ${program} >/dev/null && exit 0
    if [ ! -e /usr/sbin/policy-rc.d ]; then
      printf '#!/bin/sh\\nexit 101\\n' > /usr/sbin/policy-rc.d && chmod +x /usr/sbin/policy-rc.d
      trap 'rm -f /usr/sbin/policy-rc.d' EXIT
    fi
    export DEBIAN_FRONTEND=noninteractive
    apt-get -qq install -y --no-install-recommends ${debianPackage} || { apt-get -qq update && apt-get -qq install -y --no-install-recommends ${debianPackage}; }`;
  const result = runLocked('apt', ['sh', '-c', script]);
  if (result.status !== 0) throw new Error(`apt-get could not install ${debianPackage}: ${result.stderr.toString().trim().slice(-500)}`);
}

/** Runs a command while holding a lock of this name; the kernel lets go of it however the holder ends. Without flock(1): unlocked. */
export function runLocked(
  lock: string,
  command: readonly string[],
  env: Readonly<Record<string, string>> = {},
): ReturnType<typeof spawnSync> {
  const folder = join(tmpdir(), 'weft-testkit');
  mkdirSync(folder, { recursive: true });
  const [program = '', ...args] = findProgram('flock') === undefined ? command : ['flock', join(folder, `${lock}.lock`), ...command];
  return spawnSync(program, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'ignore', 'pipe'], timeout: INSTALL_MS });
}
