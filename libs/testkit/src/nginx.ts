import { spawnSync } from 'node:child_process';
import { chmodSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { ChildServer } from './child-server.ts';
import { rememberPort, temporaryFolder } from './leftovers.ts';
import { claimPort } from './port-claims.ts';
import { needProgram } from './programs.ts';
import type { Server } from './server.ts';
import { reportServer } from './servers-used.ts';

/** Where this nginx lives: what a configuration has to name. */
export interface NginxPlace {
  /** To listen on, of 127.0.0.1. */
  readonly port: number;
  /** Its prefix; relative paths start here. */
  readonly folder: string;
}

export interface NginxOptions {
  /** The whole `nginx.conf`, or an `http` block's content. */
  readonly config: (place: NginxPlace) => string;
  /** More files for its folder, by name: certificates, includes. */
  readonly files?: Readonly<Record<string, string>>;
}

export interface NginxServer extends Server, NginxPlace {
  /** Takes a new configuration as a running nginx does: new connections get it. Rejects when nginx refuses it. */
  reload(config: (place: NginxPlace) => string): Promise<void>;
}

export async function startNginx({ config, files = {} }: NginxOptions): Promise<NginxServer> {
  const command = needProgram('nginx', 'nginx');
  // `nginx version: nginx/1.22.1`, on stderr
  const version = /nginx\/(\S+)/.exec(spawnSync(command, ['-v'], { encoding: 'utf8' }).stderr)?.[1] ?? 'unknown';
  reportServer('nginx', version, command);
  const port = await claimPort();
  rememberPort(port);
  const folder = temporaryFolder('nginx');
  // Its workers run as another user when we are root.
  chmodSync(folder, 0o755);
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
  const file = join(folder, 'nginx.conf');
  const place = { port, folder };
  const args = ['-p', folder, '-e', join(folder, 'error.log'), '-c', file];
  const write = (from: (place: NginxPlace) => string): void => {
    writeFileSync(file, complete(from(place), folder));
    const check = spawnSync(command, [...args, '-t'], { encoding: 'utf8' });
    if (check.status !== 0) throw new Error(`nginx refuses its configuration: ${check.stderr.trim()}`);
  };
  write(config);
  const child = new ChildServer({
    name: 'nginx',
    command,
    args,
    folder,
    isReady: () => answers(port),
    stopSignal: 'SIGTERM',
    // Killed, its master would leave the workers behind.
    deathSignal: 'TERM',
  });
  await child.start();
  return {
    ...place,
    url: `http://127.0.0.1:${port}`,
    version,
    start: () => child.start(),
    stop: () => child.stop(),
    kill: () => child.kill(),
    pause: () => child.pause(),
    resume: () => child.resume(),
    reload: async (next) => {
      write(next);
      child.signal('SIGHUP');
    },
  };
}

/** What a private nginx in the foreground needs, where the configuration does not say it itself. */
function complete(text: string, folder: string): string {
  const scratch = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${join(folder, `${name}_temp`)};`);
  const whole = /^\s*http\s*\{/m.test(text) ? text : `events { worker_connections 4096; }\nhttp {\naccess_log off;\n${text}\n}\n`;
  const main = [has(whole, 'daemon') ? '' : 'daemon off;', has(whole, 'pid') ? '' : `pid ${join(folder, 'nginx.pid')};`];
  const withScratch = has(whole, 'client_body_temp_path')
    ? whole
    : whole.replace(/^\s*http\s*\{/m, (opening) => `${opening}\n${scratch.join('\n')}`);
  return `${main.join('\n')}\n${withScratch}`;
}

function has(text: string, directive: string): boolean {
  return new RegExp(`^\\s*${directive}\\s`, 'm').test(text);
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
