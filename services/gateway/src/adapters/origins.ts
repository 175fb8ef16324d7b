/** Whose pages may connect. A browser opens a WebSocket for any page, with this site's cookies, and tells whose page it is; programs send no Origin. */
export interface OriginPolicy {
  /** Where guests may edit on a laptop, a page of any website could. */
  readonly loopbackOnly: boolean;
  /** As browsers write them, `https://app.example.com`; empty: any. */
  readonly allowed: readonly string[];
}

/** Why a page of this origin may not connect; undefined when it may. `origin`: the request's header, empty when there was none. */
export function originProblem(origin: string, { loopbackOnly, allowed }: OriginPolicy): string | undefined {
  if (origin === '') return undefined;
  if (loopbackOnly && !isLoopbackOrigin(origin))
    return `pages of ${JSON.stringify(origin.slice(0, 100))} may not connect: guests may edit here, so only pages of this machine may`;
  if (allowed.length > 0 && !allowed.includes(origin))
    return `pages of ${JSON.stringify(origin.slice(0, 100))} may not connect: they are not among the origins allowed here`;
  return undefined;
}

/** The port does not matter: people develop their page on another one. */
export function isLoopbackOrigin(origin: string): boolean {
  if (!URL.canParse(origin)) return false;
  const { hostname } = new URL(origin);
  return hostname === 'localhost' || hostname.endsWith('.localhost') || /^127(\.\d+){3}$/.test(hostname) || hostname === '[::1]';
}
