import { documentNameProblem } from '@weft/protocol';
import { ownerOf } from '../fallback/session-id.ts';

/** What the query of `/sse` and `/push` asks for. Read here only, so that nothing is understood in two ways. */

export type StreamRequest =
  | { readonly is: 'collab' }
  | { readonly is: 'yjs'; readonly document: string }
  | { readonly is: 'resume'; readonly session: string; readonly after: number }
  | { readonly is: 'bad'; readonly problem: string };

export type PushRequest =
  | {
      readonly is: 'push';
      readonly session: string;
      readonly n: number;
      readonly seen: number | undefined;
      readonly close: number | undefined;
    }
  | { readonly is: 'bad'; readonly problem: string };

export function readStreamRequest(query: string, lastEventId: string): StreamRequest {
  const values = new Query(query);
  if (values.problem !== undefined) return bad(values.problem);
  const session = values.get('session');
  if (session !== undefined) {
    if (!ownerOf(session)) return bad(notASession);
    const after = wholeNumber(lastEventId || values.get('after') || '0', 0);
    return after === undefined
      ? bad('Last-Event-ID, or `after`, is not the number of an event: 0 or more is expected')
      : { is: 'resume', session, after };
  }
  const dialect = values.get('dialect');
  if (dialect === 'collab') return { is: 'collab' };
  if (dialect !== 'yjs') return bad(`dialect=${quoted(dialect)}: "collab" or "yjs" is expected, or session=<id> to go on with a session`);
  const document = values.get('document');
  if (document === undefined) return bad('no document: dialect=yjs needs document=<name>');
  const problem = documentNameProblem(document);
  return problem === undefined ? { is: 'yjs', document } : bad(problem);
}

export function readPushRequest(query: string): PushRequest {
  const values = new Query(query);
  if (values.problem !== undefined) return bad(values.problem);
  const session = values.get('session');
  if (session === undefined || !ownerOf(session)) return bad(session === undefined ? 'no session: session=<id> is expected' : notASession);
  const n = wholeNumber(values.get('n') ?? '', 1);
  if (n === undefined) return bad(`n=${quoted(values.get('n'))}: pushes of a session are numbered 1, 2, …`);
  const [seen, close] = [values.get('seen'), values.get('close')];
  const seenEvent = seen === undefined ? undefined : wholeNumber(seen, 0);
  if (seen !== undefined && seenEvent === undefined) return bad(`seen=${quoted(seen)}: the number of the last event received is expected`);
  const code = close === undefined ? undefined : wholeNumber(close, 1000);
  if (close !== undefined && (code === undefined || code > 4999))
    return bad(`close=${quoted(close)}: a close code, 1000 to 4999, is expected`);
  return { is: 'push', session, n, seen: seenEvent, close: code };
}

/** A session's id is a secret: what is not one may have been meant to be. */
const notASession = 'what stands after session= is no id of a session';

function bad(problem: string): { readonly is: 'bad'; readonly problem: string } {
  return { is: 'bad', problem };
}

/** Not URLSearchParams: that makes replacement characters of what is not UTF-8, and so another document's name. The first of several counts. */
class Query {
  readonly #values = new Map<string, string>();
  readonly problem: string | undefined;

  constructor(query: string) {
    for (const part of query.split('&')) {
      const [key = '', ...rest] = part.split('=');
      const value = decoded(rest.join('='));
      if (value === undefined) this.problem ??= `the value of ${quoted(key)} is not percent-encoded UTF-8`;
      else if (!this.#values.has(key)) this.#values.set(key, value);
    }
  }

  get(key: string): string | undefined {
    return this.#values.get(key);
  }
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return undefined;
  }
}

function wholeNumber(text: string, min: number): number | undefined {
  const number = /^\d{1,15}$/.test(text) ? Number(text) : undefined;
  return number === undefined || number < min ? undefined : number;
}

function quoted(text: string | undefined): string {
  return text === undefined ? '(absent)' : JSON.stringify(text.slice(0, 100));
}
