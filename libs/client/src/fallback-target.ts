/** Where a WebSocket URL's fallback is. */
export interface FallbackTarget {
  /** `GET` opens a session. */
  readonly open: string;
  /** `…/sse` and `…/push`, without a query. */
  readonly sse: string;
  readonly push: string;
}

const dialects = /^(.*?)\/(?:yjs\/(.+)|collab)$/;

/**
 * `wss://host/collab` and `wss://host/yjs/<document>`, below any path; undefined for another URL, which is a WebSocket's alone. The page's own parameters, `token` among them, go along (decision 0015).
 */
export function fallbackTarget({ href }: URL): FallbackTarget | undefined {
  const url = new URL(href.replace(/^ws/, 'http'));
  const [, prefix, encodedName] = dialects.exec(url.pathname) ?? [];
  if (prefix === undefined) return undefined;
  const base = url.origin + prefix;
  const query = url.search.slice(1);
  // The path has the name percent-encoded already, but `&`, `+` and `=` mean something in a query.
  const name = encodedName?.replace(/[&+=]/g, encodeURIComponent);
  const asked = name === undefined ? 'dialect=collab' : `dialect=yjs&document=${name}`;
  return { open: `${base}/sse?${asked}${query && `&${query}`}`, sse: `${base}/sse`, push: `${base}/push` };
}
