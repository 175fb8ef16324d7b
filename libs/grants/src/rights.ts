import type { Role } from './role.ts';

/** Pattern -> role. A pattern is an exact document name or a prefix ending in `*` (SPEC G2). */
export type Rights = Readonly<Record<string, Role>>;

/** The role for `document`: the exact name decides, else the longest matching prefix (SPEC G3); `undefined` if nothing matches. */
export function roleFor(rights: Rights, document: string): Role | undefined {
  // Own properties only: a document called `constructor` must not find Object's.
  if (Object.hasOwn(rights, document) && !document.endsWith('*')) return rights[document];
  let best: string | undefined;
  for (const pattern of Object.keys(rights)) {
    if (!pattern.endsWith('*') || !document.startsWith(pattern.slice(0, -1))) continue;
    if (best === undefined || pattern.length > best.length) best = pattern;
  }
  return best === undefined ? undefined : rights[best];
}
