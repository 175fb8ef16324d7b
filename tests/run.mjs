// `npm test`: plain Node, no dependencies. Installs what is missing, then runs every check, each as a step that says what it does.
// `npm test -- <path>…` runs only vitest on these paths. The last line is `N passed, N failed`; the exit code says the same.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const NODE_OLDEST = [20, 19];
const PNPM = 'pnpm@10.34.9';
const LOCKFILE = join(ROOT, 'pnpm-lock.yaml');
/** In node_modules, so that who removes that removes the stamp too. Another one than `npm start`'s, which installs less. */
const INSTALL_STAMP = join(ROOT, 'node_modules', '.weft-installed-for-tests');

/** Each counts as one test. Types come before knip and vitest: they build what those look at. */
const CHECKS = [
  { name: 'format', command: 'oxfmt', args: ['--check'], mend: 'npm run format' },
  { name: 'lint', command: 'oxlint', args: ['--type-aware'] },
  { name: 'types', command: 'tsc', args: ['-b'] },
  {
    name: 'types of the page',
    command: 'tsc',
    args: ['-p', 'services/web/src/page', '--noEmit'],
    needs: 'services/web/src/page/tsconfig.json',
  },
  { name: 'nothing unused', command: 'knip', args: ['--no-config-hints'] },
];

const say = (words) => process.stdout.write(`${words}\n`);
const title = (words) => say(`\n=== ${words}`);
const seconds = (sinceMs) => `${((performance.now() - sinceMs) / 1000).toFixed(1)} s`;

const children = new Set();
const scratch = mkdtempSync(join(tmpdir(), 'weft-tests-'));
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => interrupt(signal));
process.on('exit', () => rmSync(scratch, { recursive: true, force: true }));

await main();

async function main() {
  checkNode();
  const sinceMs = performance.now();
  const count = { passed: 0, failed: 0 };
  const failures = [];
  const paths = process.argv.slice(2);

  if (!(await installIfMissing())) {
    finish({ passed: 0, failed: 1 }, ['installation'], sinceMs);
    return;
  }
  for (const check of paths.length === 0 ? CHECKS : []) {
    if (check.needs !== undefined && !existsSync(join(ROOT, check.needs))) continue;
    const passed = await runCheck(check);
    count[passed ? 'passed' : 'failed'] += 1;
    if (!passed) failures.push(check.mend === undefined ? check.name : `${check.name} (mend with: ${check.mend})`);
  }
  const tests = await runVitest(paths);
  count.passed += tests.passed;
  count.failed += tests.failed;
  failures.push(...tests.failures);
  sayServers(tests.report);
  finish(count, failures, sinceMs);
}

function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  const [oldestMajor, oldestMinor] = NODE_OLDEST;
  if (major > oldestMajor || (major === oldestMajor && minor >= oldestMinor)) return;
  say(`Weft needs Node ${NODE_OLDEST.join('.')} or newer; this is ${process.versions.node}.`);
  say('0 passed, 1 failed');
  process.exit(1);
}

async function installIfMissing() {
  // Postgres, uWebSockets.js and the tools are native: another system or Node needs others of them.
  const system = `${process.platform} ${process.arch} ${process.versions.modules}`;
  const wanted = createHash('sha256').update(readFileSync(LOCKFILE)).update(system).digest('hex');
  if (existsSync(INSTALL_STAMP) && readFileSync(INSTALL_STAMP, 'utf8') === wanted) return true;
  title('Installing the workspace (pnpm, through npx)');
  const sinceMs = performance.now();
  const code = await run('npx', ['--yes', PNPM, 'install', '--frozen-lockfile', '--reporter', 'append-only'], { CI: 'true' });
  if (code !== 0) {
    say(`The installation did not succeed (npx ended with ${code}).`);
    return false;
  }
  mkdirSync(dirname(INSTALL_STAMP), { recursive: true });
  writeFileSync(INSTALL_STAMP, wanted);
  say(`Installed in ${seconds(sinceMs)}.`);
  return true;
}

async function runCheck({ name, command, args }) {
  title(`Checking ${name}: ${command} ${args.join(' ')}`);
  const sinceMs = performance.now();
  const code = await run(join(ROOT, 'node_modules', '.bin', command), args);
  say(`${name}: ${code === 0 ? 'passed' : `FAILED (${code})`} in ${seconds(sinceMs)}`);
  return code === 0;
}

async function runVitest(paths) {
  title(`Running the tests against real servers: vitest ${paths.join(' ')}`);
  const results = join(scratch, 'results.json');
  const report = join(scratch, 'servers');
  const args = ['run', '--reporter=default', '--reporter=json', `--outputFile.json=${results}`, ...paths];
  const code = await run(join(ROOT, 'node_modules', '.bin', 'vitest'), args, { WEFT_TESTKIT_REPORT: report });
  return { ...countTests(results, code), report };
}

/** A file that could not be loaded, or an error outside of any test, has no failed test of its own: it counts as one. */
function countTests(file, code) {
  if (!existsSync(file)) return { passed: 0, failed: 1, failures: [`vitest gave no results (${code})`] };
  const { numPassedTests, numFailedTests, numPendingTests, testResults } = JSON.parse(readFileSync(file, 'utf8'));
  const broken = testResults.filter((one) => one.status === 'failed' && one.assertionResults.every((test) => test.status !== 'failed'));
  const failures = [
    ...broken.map((one) => relative(one.name)),
    ...testResults.flatMap((one) =>
      one.assertionResults.filter((test) => test.status === 'failed').map((test) => `${relative(one.name)}: ${test.fullName}`),
    ),
  ];
  if (numPendingTests > 0) say(`${numPendingTests} skipped`);
  const failed = numFailedTests + broken.length;
  const outside = failed === 0 && code !== 0;
  return {
    passed: numPassedTests,
    failed: outside ? 1 : failed,
    failures: outside ? [`vitest ended with ${code}: see its output above`] : failures,
  };
}

function relative(file) {
  return file.startsWith(ROOT) ? file.slice(ROOT.length) : file;
}

function sayServers(report) {
  if (!existsSync(report)) return;
  title('Servers the tests ran against');
  for (const line of [...new Set(readFileSync(report, 'utf8').trim().split('\n'))].toSorted()) say(`  ${line}`);
}

function finish({ passed, failed }, failures, sinceMs) {
  if (failures.length > 0) title('Failed');
  for (const failure of failures) say(`  ${failure}`);
  say(`\nTook ${seconds(sinceMs)}.`);
  say(`${passed} passed, ${failed} failed`);
  process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
}

/** The exit code, or the name of the signal or error that ended it. */
function run(command, args, env = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd: ROOT, stdio: ['ignore', 'inherit', 'inherit'], env: { ...process.env, ...env } });
    children.add(child);
    child.once('error', (error) => resolve(error.message));
    child.once('close', (code, signal) => {
      children.delete(child);
      resolve(signal ?? code);
    });
  });
}

/** A terminal's Ctrl-C reaches the children by itself; a signal to us alone does not. */
function interrupt(signal) {
  for (const child of children) child.kill(signal);
  process.exitCode = 1;
}
