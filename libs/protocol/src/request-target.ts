import { documentNameProblem } from './document-name.ts';

/**
 * What the target of a request asks for, read from the bytes of the request line and from nothing that somebody made of them. The edge's question to auth and the gateway read it with this
 * one function: were there two, a path that they understand differently would be checked for one document and opened for another (SPEC RT).
 */

/** The path of the Hocuspocus dialect: its documents are named inside the socket. */
export const COLLAB_PATH = '/collab';
/** What stands before the document in the y-websocket dialect. */
export const YJS_PREFIX = '/yjs/';

/** Request line, percent-encoding included: a name of 255 bytes takes 765, a token 8 KiB, and a page's own parameters have room beside them (SPEC RT6). */
export const TARGET_BYTES_MAX = 16 * 1024;

export type DocumentInTarget = { readonly name: string } | { readonly problem: string };

/** The document of a `/yjs/…` target: what follows the prefix up to the first `?`, percent-decoded once. */
export function documentInTarget(target: string): DocumentInTarget {
  const path = pathOf(target);
  if ('problem' in path) return path;
  if (!path.path.startsWith(YJS_PREFIX))
    return { problem: `the path ${quoted(path.path)} names no document; ${YJS_PREFIX}<document> does` };
  const name = decoded(path.path.slice(YJS_PREFIX.length));
  if (name === undefined)
    return { problem: `the document's name ${quoted(path.path.slice(YJS_PREFIX.length))} is not percent-encoded UTF-8` };
  const problem = documentNameProblem(name);
  if (problem !== undefined) return { problem };
  if (hasDotSegment(name))
    return { problem: 'the document name has a part "." or "..": in a URL that means another folder, so it cannot be opened through one' };
  return { name };
}

/** `/collab` and nothing else: not `/collab/`, not `/%63ollab`. */
export function isCollabTarget(target: string): boolean {
  const path = pathOf(target);
  return 'path' in path && path.path === COLLAB_PATH;
}

/** The first `token` of the query; empty when there is none. */
export function tokenInTarget(target: string): string {
  const queryAt = target.indexOf('?');
  return queryAt < 0 ? '' : (new URLSearchParams(target.slice(queryAt + 1)).get('token') ?? '');
}

/** Refuses what different programs read differently: absolute-form, fragments, backslashes, bytes that a URL has only percent-encoded. */
function pathOf(target: string): { readonly path: string } | { readonly problem: string } {
  if (target.length > TARGET_BYTES_MAX)
    return { problem: `the request target has ${target.length} bytes; at most ${TARGET_BYTES_MAX} are allowed` };
  if (!target.startsWith('/')) return { problem: 'the request target does not begin with "/"' };
  const queryAt = target.indexOf('?');
  const path = queryAt < 0 ? target : target.slice(0, queryAt);
  if (!/^[!-~]*$/.test(path) || /[#\\]/.test(path))
    return { problem: 'the path has a character that a URL has only percent-encoded ("#", "\\", white space, or beyond ASCII)' };
  return { path };
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    // A lone `%`, or bytes that are not UTF-8 (overlong forms too): no name.
    return undefined;
  }
}

/** Proxies resolve dot segments, percent-encoded ones and those behind a percent-encoded slash too. */
function hasDotSegment(name: string): boolean {
  return name.split('/').some((segment) => segment === '.' || segment === '..');
}

function quoted(text: string): string {
  return JSON.stringify(text.slice(0, 100));
}
