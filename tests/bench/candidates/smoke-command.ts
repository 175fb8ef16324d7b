import { User, type UserKind } from '../../harness/users.ts';
import { until } from '../../harness/until.ts';
import type { Candidate, Running } from './candidate.ts';
import { candidateNamed, candidates } from './candidates.ts';
import { allowedCpus, threadsOf } from './one-core.ts';
import { isThere, treeOf } from './process-tree.ts';

/** `npm run bench:smoke [name…]`: each candidate starts, carries edits between two genuine clients, is on one core, restarts, joins again, and leaves nothing behind. */
const core = 0;
const editsEach = 20;
const kindOf: Record<Running['dialect'], UserKind> = { collab: 'hocuspocus-4', yjs: 'y-websocket' };

const say = (line: string): void => void process.stdout.write(`${line}\n`);
const names = process.argv.slice(2).filter((name) => name !== '--');
for (const candidate of names.length === 0 ? candidates : names.map(candidateNamed)) await tryOut(candidate);
process.exit(0);

async function tryOut(candidate: Candidate): Promise<void> {
  const before = new Set(ownPids());
  const beganMs = performance.now();
  const running = await candidate.start({ core });
  try {
    say(`${candidate.name}: up after ${Math.round(performance.now() - beganMs)} ms; ${running.dialect} on ${running.urls.join(' ')}`);
    checkPinned(running);
    const written = await typeTogether(running);
    checkPinned(running);
    await running.restart();
    await joinAgain(running, written);
    say(`  ${checkPinned(running)}`);
  } finally {
    await running.stop();
  }
  const left = ownPids().filter((pid) => !before.has(pid));
  if (left.length > 0) throw new Error(`${candidate.name} leaves processes behind: ${left.join(', ')}`);
  say('  edits passed, content after a restart is as expected, nothing is left behind');
}

/** Gives what both have in the end. */
async function typeTogether(running: Running): Promise<string> {
  const people = join(running);
  await Promise.all(people.map((person) => person.untilSynced()));
  for (let i = 0; i < editsEach; i++) for (const { doc, name } of people) doc.getText('text').insert(0, name);
  await Promise.all(people.map((person) => untilText(person, (text) => text.length === editsEach * people.length)));
  const texts = people.map(textOf);
  if (new Set(texts).size !== 1) throw new Error(`they do not have the same: ${texts.join(' | ')}`);
  for (const person of people) person.leave();
  return texts[0]!;
}

async function joinAgain(running: Running, written: string): Promise<void> {
  const people = join(running);
  await Promise.all(people.map((person) => person.untilSynced()));
  const expected = running.stores ? written : '';
  for (const person of people) {
    await untilText(person, (text) => text === expected);
    person.leave();
  }
}

function join(running: Running): User[] {
  const { urls, token, dialect } = running;
  return [urls[0]!, urls.at(-1)!].map(
    (url, index) => new User({ kind: kindOf[dialect], name: 'AB'[index]!, url, document: 'smoke', token }),
  );
}

function textOf(person: User): string {
  return person.doc.getText('text').toString();
}

function untilText(person: User, isRight: (text: string) => boolean): Promise<void> {
  return until(
    () => `${person.name} has what was written, and not ${JSON.stringify(textOf(person))}`,
    () => isRight(textOf(person)),
    (wake) => person.onNews(wake),
  );
}

/** Each thread of each process. Gives a line of them all. */
function checkPinned(running: Running): string {
  const processes = running.processes();
  for (const { name, pid } of processes)
    for (const thread of threadsOf(pid)) {
      const cpus = allowedCpus(pid, thread);
      if (cpus !== String(core)) throw new Error(`thread ${thread} of ${name} (${pid}) may run on ${cpus}, not on ${core} alone`);
    }
  return `on CPU ${core} alone: ${processes.map(({ name, pid }) => `${name} ${pid}`).join(', ')}`;
}

function ownPids(): number[] {
  return treeOf({ name: 'bench', pid: process.pid })
    .map(({ pid }) => pid)
    .filter(isThere);
}
