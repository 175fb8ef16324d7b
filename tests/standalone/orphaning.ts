import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { needProgram, temporaryFolder } from '@weft/testkit';

/** Before the real one in PATH, it gets all that was asked for, but for the signal at the parent's death. */
const script = (setpriv: string): string => `#!/bin/sh
left=$#
while [ $left -gt 0 ]; do
  if [ "$1" = --pdeathsig ]; then
    shift 2
    left=$((left - 2))
  else
    set -- "$@" "$1"
    shift
    left=$((left - 1))
  fi
done
exec ${setpriv} "$@"
`;

/**
 * The environment of a standalone that cannot have its Postgres told of its death, as on macOS: killed, it leaves an orphan that
 * lives on, and that the next start has to end.
 */
export function orphaningEnvironment(): Readonly<Record<string, string>> {
  const folder = temporaryFolder('orphaning');
  writeFileSync(join(folder, 'setpriv'), script(needProgram('setpriv', 'util-linux')), { mode: 0o755 });
  return { PATH: `${folder}:${process.env['PATH'] ?? ''}` };
}
