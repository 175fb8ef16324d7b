// `npm start`: plain Node, no dependencies. Installs what is missing, builds the page if its sources changed, starts Weft, passes signals on.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const NODE_OLDEST = [20, 19];
const PNPM = 'pnpm@10.34.9';
const WEB = join(ROOT, 'services/web');
const LOCKFILE = join(ROOT, 'pnpm-lock.yaml');
/** In node_modules, so that who removes that removes the stamp too. */
const INSTALL_STAMP = join(ROOT, 'node_modules/.weft-installed');
const BUILD_STAMP = join(WEB, 'dist/site.stamp');
/** npm passes Ctrl-C on although the terminal sent it to us already: what follows so soon is the same one. */
const SAME_CTRL_C_MS = 500;
const DOT_MS = 2000;

const say = (words) => process.stdout.write(`${words}\n`);
const seconds = (sinceMs) => `${((performance.now() - sinceMs) / 1000).toFixed(1)} s`;

class Refusal extends Error {}

async function main() {
  checkNode();
  await installIfMissing();
  await buildIfChanged();
  return startWeft();
}

function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  const [oldestMajor, oldestMinor] = NODE_OLDEST;
  if (major > oldestMajor || (major === oldestMajor && minor >= oldestMinor)) return;
  throw new Refusal(`Weft needs Node ${NODE_OLDEST.join('.')} or newer; this is ${process.versions.node}.`);
}

async function installIfMissing() {
  // Postgres and uWebSockets.js are native: another system or Node needs others of them.
  const wanted = hashOf([readFileSync(LOCKFILE), `${process.platform} ${process.arch} ${process.versions.modules}`]);
  if (readStamp(INSTALL_STAMP) === wanted) return;
  say('Installing what Weft needs (the first time only, about a minute)…');
  const sinceMs = performance.now();
  // Only the workspace's parts that standalone is made of, but those whole: after `--prod` a later full install would have to start over.
  await run('npx', ['--yes', PNPM, 'install', '--frozen-lockfile', '--filter-prod', '@weft/standalone...', '--reporter', 'append-only'], {
    failed: 'The installation did not succeed',
    // Without a question: nobody may be there to answer it.
    env: { CI: 'true' },
  });
  writeStamp(INSTALL_STAMP, wanted);
  say(`Installed in ${seconds(sinceMs)}.`);
}

async function buildIfChanged() {
  const sources = ['index.html', 'package.json', 'vite.config.ts', ...filesBelow(join(WEB, 'src'), 'src')];
  const wanted = hashOf([readFileSync(LOCKFILE), ...sources.flatMap((file) => [file, readFileSync(join(WEB, file))])]);
  if (readStamp(BUILD_STAMP) === wanted) return;
  say('Building the page…');
  const sinceMs = performance.now();
  rmSync(BUILD_STAMP, { force: true });
  await run(process.execPath, [...typeScript(), join(WEB, 'src/build-command.ts')], { failed: 'The page could not be built' });
  writeStamp(BUILD_STAMP, wanted);
  say(`Built in ${seconds(sinceMs)}.`);
}

/** Resolves with the exit code. */
function startWeft() {
  say('Starting Weft…');
  const child = spawn(process.execPath, [...typeScript(), join(ROOT, 'services/standalone/src/main.ts')], {
    // A process group of its own: the terminal's Ctrl-C comes to us alone, and reaches it once, through us.
    detached: true,
    // The allocator's settings: docs/decisions/0008.
    env: { MALLOC_MMAP_THRESHOLD_: '65536', MALLOC_ARENA_MAX: '2', ...process.env },
    // The channel tells it if we are killed.
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  passSignalsTo(child);
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      if (signal !== null) say(`Weft was ended by ${signal}.`);
      resolve(code ?? 1);
    });
  });
}

function passSignalsTo(child) {
  let lastMs = -Infinity;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => {
      const sinceLastMs = performance.now() - lastMs;
      lastMs = performance.now();
      if (sinceLastMs > SAME_CTRL_C_MS) child.kill(signal === 'SIGHUP' ? 'SIGTERM' : signal);
    });
  }
}

/** How Node runs the workspace from its TypeScript sources. */
function typeScript() {
  const loader = join(ROOT, 'services/standalone/node_modules/tsx/dist/loader.mjs');
  return ['--conditions=weft-source', '--import', pathToFileURL(loader).href];
}

/** What it prints is shown only if it fails; a dot now and then says that it goes on. */
async function run(command, args, { failed, env = {} }) {
  const child = spawn(command, args, {
    cwd: ROOT,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    // npx is a .cmd there.
    shell: process.platform === 'win32',
  });
  const printed = [];
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => printed.push(chunk));
  let dots = '';
  const goesOn = setInterval(() => {
    process.stdout.write('.');
    dots = '\n';
  }, DOT_MS);
  const end = await new Promise((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('close', (code, signal) => resolve(code === 0 ? undefined : (signal ?? `code ${code}`)));
  });
  clearInterval(goesOn);
  process.stdout.write(dots);
  if (end === undefined) return;
  process.stderr.write(Buffer.concat(printed));
  throw new Refusal(`${failed} (${command} ended with ${end}).`);
}

function filesBelow(folder, name) {
  return readdirSync(folder, { withFileTypes: true })
    .flatMap((entry) => (entry.isDirectory() ? filesBelow(join(folder, entry.name), `${name}/${entry.name}`) : [`${name}/${entry.name}`]))
    .toSorted((a, b) => (a < b ? -1 : 1));
}

function hashOf(parts) {
  const hash = createHash('sha256');
  // The length keeps two different lists from running together into one text.
  for (const part of parts) hash.update(`${part.length}:`).update(part);
  return hash.digest('hex');
}

function readStamp(file) {
  return existsSync(file) ? readFileSync(file, 'utf8') : undefined;
}

function writeStamp(file, content) {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, content);
}

try {
  process.exitCode = await main();
} catch (error) {
  if (!(error instanceof Refusal)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
