import type { HttpRequest, HttpResponse } from '@rjweb/uws';
import type { Refusal } from '../fallback/refusal.ts';

export type HeaderList = readonly (readonly [name: string, value: string])[];

/** A body in answer to HEAD would be taken for the head of the next answer on that connection; uWebSockets.js sends what it is given. */
export function isHead(req: HttpRequest): boolean {
  return req.getMethod() === 'head';
}

/** In one write. */
export function respond(res: HttpResponse, status: string, headers: HeaderList, body?: string): void {
  res.cork(() => {
    res.writeStatus(status);
    for (const [name, value] of headers) res.writeHeader(name, value);
    if (body === undefined) res.endWithoutBody();
    else res.end(body);
  });
}

export function refuse(res: HttpResponse, { status, code, message, close, retryAfterS }: Refusal, headers: HeaderList): void {
  const more: HeaderList = retryAfterS === undefined ? [] : [['retry-after', String(retryAfterS)]];
  const body = JSON.stringify({ error: { code, message, ...(close ? { close } : {}) } });
  respond(res, `${status} ${statusText[status]}`, [...headers, ...more, ['content-type', 'application/json']], body);
}

const statusText: Readonly<Record<Refusal['status'], string>> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  409: 'Conflict',
  410: 'Gone',
  413: 'Content Too Large',
  429: 'Too Many Requests',
  503: 'Service Unavailable',
};
