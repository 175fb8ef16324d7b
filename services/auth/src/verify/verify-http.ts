import fastify from 'fastify';

import type { HttpRequest, HttpResponse } from '../http.ts';
import { verifyRoutes } from './verify-routes.ts';
import type { VerifyDeps } from './verify-routes.ts';

/** `/auth/verify` for a server that is not Fastify. */
export function verifyOverHttp(deps: VerifyDeps): (request: HttpRequest) => Promise<HttpResponse> {
  const app = fastify();
  void app.register(verifyRoutes(deps));
  return async ({ method, path, headers }) => {
    const answer = await app.inject({ method: method as 'GET', url: path, headers: { ...headers } });
    const given = Object.entries(answer.headers).filter(([name]) => name !== 'content-length' && name !== 'connection');
    return {
      status: answer.statusCode,
      headers: Object.fromEntries(given.map(([name, value]) => [name, String(value)])),
      body: answer.rawPayload,
    };
  };
}
