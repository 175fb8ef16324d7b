import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { config } from './config.ts';
import { findProgram, needProgram, runLocked } from './programs.ts';

export interface NatsBinary {
  readonly path: string;
  readonly version: string;
  readonly origin: string;
}

/** architecture.md, section 7: older ones refuse `sync_interval` and ignore headers they do not know. */
const OLDEST = [2, 12] as const;
const MODULE = 'github.com/nats-io/nats-server/v2@latest';

/** The newest of PATH and our cache that is new enough; else one built with Go; an old one only when allowed ([TK8]). */
export function findNatsBinary(): NatsBinary {
  const cached = join(config.cacheFolder, 'bin', 'nats-server');
  const found = [look(findProgram('nats-server'), 'PATH'), look(existsSync(cached) ? cached : undefined, 'testkit cache')].filter(
    (one) => one !== undefined,
  );
  const newest = found.toSorted((a, b) => compareVersions(b.version, a.version))[0];
  if (newest !== undefined && isNewEnough(newest.version)) return newest;
  return buildWithGo(cached) ?? oldOne(newest);
}

function look(path: string | undefined, origin: string): NatsBinary | undefined {
  if (path === undefined) return undefined;
  // `nats-server: v2.15.2`
  const version = /v(\d+\.\d+\.\d+\S*)/.exec(execFileSync(path, ['--version'], { encoding: 'utf8' }))?.[1];
  return version === undefined ? undefined : { path, version, origin };
}

function buildWithGo(target: string): NatsBinary | undefined {
  const go = findProgram('go');
  if (go === undefined) return undefined;
  process.stderr.write('testkit: building nats-server from the Go registry, once\n');
  const folder = join(config.cacheFolder, 'bin');
  mkdirSync(folder, { recursive: true });
  const build = runLocked('go-nats', ['sh', '-c', 'test -x "$1" || GOBIN="$2" "$3" install "$4"', 'sh', target, folder, go, MODULE]);
  if (build.status !== 0) process.stderr.write(`testkit: that failed: ${build.stderr.toString().trim().slice(-500)}\n`);
  return build.status === 0 ? look(target, 'built from the Go registry') : undefined;
}

function oldOne(found: NatsBinary | undefined): NatsBinary {
  if (!config.natsAllowOld) {
    const have = found === undefined ? 'none was found' : `${found.path} is ${found.version}`;
    throw new Error(
      `tests need nats-server ${OLDEST.join('.')} or newer on PATH (${have}), or Go to build it, or WEFT_TEST_NATS_URL; WEFT_NATS_ALLOW_OLD=1 takes an old one`,
    );
  }
  const old = found ?? look(needProgram('nats-server', 'nats-server'), 'Debian');
  if (old === undefined) throw new Error('nats-server does not say its version');
  process.stderr.write(`testkit: WARNING: nats-server ${old.version} is too old to sync before it answers: durability is not tested\n`);
  return old;
}

export function isNewEnough(version: string): boolean {
  return compareVersions(version, OLDEST.join('.')) >= 0;
}

function compareVersions(a: string, b: string): number {
  const [left, right] = [a, b].map((text) => text.split(/[.-]/).map((part) => Number.parseInt(part, 10) || 0));
  for (let i = 0; i < 3; i++) {
    const difference = (left?.[i] ?? 0) - (right?.[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
