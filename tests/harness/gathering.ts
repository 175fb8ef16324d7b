import type * as Y from 'yjs';
import { contentOf, stateVectorOf } from './random-edits.ts';
import { until } from './until.ts';
import type { User } from './users.ts';

/** Everybody has the same, to the last struct: contents and state vectors. */
export async function untilEqual(docs: readonly Y.Doc[], withinMs?: number): Promise<void> {
  await until(
    () =>
      `all ${docs.length} are equal: ${new Set(docs.map(stateVectorOf)).size} different state vectors, ${distinct(docs)} different contents`,
    () => new Set(docs.map(stateVectorOf)).size === 1 && distinct(docs) === 1,
    (wake) => {
      for (const doc of docs) doc.on('update', wake);
      return () => {
        for (const doc of docs) doc.off('update', wake);
      };
    },
    withinMs,
  );
}

function distinct(docs: readonly Y.Doc[]): number {
  return new Set(docs.map((doc) => JSON.stringify(sorted(contentOf(doc))))).size;
}

/** Map keys come in the order they arrived: of no meaning. */
function sorted(content: ReturnType<typeof contentOf>): unknown {
  return { ...content, map: Object.entries(content.map as object).toSorted(([a], [b]) => (a < b ? -1 : 1)) };
}

/** Each of them sees exactly these people, by name. */
export async function untilPresent(users: readonly User[], names: readonly string[], withinMs?: number): Promise<void> {
  const expected = new Set(names);
  const wrong = (): string[] =>
    users.flatMap(({ name, kind, present }) => {
      const missing = names.filter((other) => !present.includes(other));
      const ghosts = present.filter((other) => !expected.has(other));
      const twice = present.length - new Set(present).size;
      if (missing.length + ghosts.length + twice === 0) return [];
      return [`${name} (${kind}) misses [${missing.join(' ')}], sees ghosts [${ghosts.join(' ')}], ${twice} twice`];
    });
  await until(
    () => `everybody sees who is there: ${wrong().join('; ')}`,
    () => wrong().length === 0,
    (wake) => {
      for (const user of users) user.awareness.on('change', wake);
      return () => {
        for (const user of users) user.awareness.off('change', wake);
      };
    },
    withinMs,
  );
}
