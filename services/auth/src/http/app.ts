import fastifyCookie from '@fastify/cookie';
import fastifyCors from '@fastify/cors';
import fastifySwagger from '@fastify/swagger';
import type { Logger } from '@weft/telemetry';
import Fastify, { LogController } from 'fastify';
import type { FastifyBaseLogger, FastifyInstance, FastifyReply } from 'fastify';

import { verifyRoutes } from '../verify/verify-routes.ts';
import type { VerifyDeps } from '../verify/verify-routes.ts';
import { accountRoutes } from './account-routes.ts';
import type { AccountRoutesDeps } from './account-routes.ts';
import { adminRoutes } from './admin-routes.ts';
import type { AdminRoutesDeps } from './admin-routes.ts';
import { documentRoutes } from './document-routes.ts';
import type { DocumentRoutesDeps } from './document-routes.ts';
import { BODY_BYTES_MAX, HttpRefusal, failureOf } from './failure.ts';
import { houseRoutes } from './house-routes.ts';
import type { HouseRoutesDeps } from './house-routes.ts';
import { KnownRoutes } from './known-routes.ts';
import { refuseForeignPages } from './own-page.ts';
import { readJson } from './read-json.ts';
import { tokenRoutes } from './token-routes.ts';
import type { TokenRoutesDeps } from './token-routes.ts';

/** What `WEFT_AUTH=builtin` adds. */
export type BuiltinRoutesDeps = Omit<AccountRoutesDeps & AdminRoutesDeps & DocumentRoutesDeps & TokenRoutesDeps, 'origins'>;

export interface AuthAppDeps extends HouseRoutesDeps {
  readonly logger: Logger;
  readonly verify: VerifyDeps;
  readonly builtin?: BuiltinRoutesDeps | undefined;
  /** Beside the house's own: whose pages may call with cookies, and read the answers. */
  readonly origins: readonly string[];
  /** Addresses and networks whose `X-Forwarded-*` is believed. */
  readonly trustedProxies: readonly string[];
}

const REQUEST_TIMEOUT_MS = 10_000;
/** More than the edge lets through (deploy/nginx: four pieces of 12 kB), which would otherwise take the refusal for an auth that is broken. */
const HEADER_BYTES_MAX = 64 * 1024;
/** Characters of a part of the path: a document's name of 255 bytes, each percent-encoded. */
const PATH_PART_LENGTH_MAX = 3 * 255;

/** Everything under `/auth/` (SPEC A9, H1–H6). Listens itself (auth's own process), or is asked through `inject` (standalone). */
export function createAuthApp(deps: AuthAppDeps): FastifyInstance {
  const { origins, builtin, logger } = deps;
  const app = Fastify({
    loggerInstance: quieter(logger),
    logController: new LogController({ disableRequestLogging: true }),
    childLoggerFactory: (own) => own,
    bodyLimit: BODY_BYTES_MAX,
    requestTimeout: REQUEST_TIMEOUT_MS,
    http: { maxHeaderSize: HEADER_BYTES_MAX },
    trustProxy: deps.trustedProxies.length === 0 ? false : [...deps.trustedProxies],
    routerOptions: { maxParamLength: PATH_PART_LENGTH_MAX },
    // What is given is taken as it is, or refused: 1 is no text, and "true" no yes.
    ajv: { customOptions: { coerceTypes: false, removeAdditional: false, useDefaults: false } },
    schemaErrorFormatter: ([error], where) => {
      const allowed = error?.keyword === 'enum' ? ` (${(error.params['allowedValues'] as unknown[]).join(', ')})` : '';
      return new Error(`${where}${error?.instancePath ?? ''} ${error?.message ?? 'is not as it should be'}${allowed}`);
    },
    frameworkErrors: (error, _request, reply) => void sendFailure(reply, error, logger),
  });
  const known = new KnownRoutes();
  app.addHook('onRoute', ({ method, url }) => known.add(method, url));
  app.addHook('onRequest', async (_request, reply) => {
    reply.headers({ 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' });
  });
  app.setErrorHandler((error, _request, reply) => sendFailure(reply, error, logger));
  app.setNotFoundHandler((request, reply) => {
    const [path = ''] = request.url.split('?', 1);
    const methods = known.methodsAt(path);
    const failure =
      methods.length === 0
        ? new HttpRefusal(404, 'not-found', 'there is nothing at this path')
        : new HttpRefusal(405, 'method-not-allowed', `only ${methods.join(' and ')} is answered here`);
    return sendFailure(methods.length === 0 ? reply : reply.header('allow', methods.join(', ')), failure, logger);
  });
  // Forms, and plain text that any page may send unasked, have no parser (SPEC A9).
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, readJson);

  void app.register(fastifyCookie);
  app.addHook('preParsing', async (request) => refuseForeignPages(request, origins));
  if (origins.length > 0) {
    const methods = ['GET', 'POST', 'PUT', 'DELETE'];
    void app.register(fastifyCors, { origin: [...origins], credentials: true, methods, maxAge: 600, strictPreflight: false });
  }
  void app.register(fastifySwagger, {
    openapi: {
      info: { title: 'Weft: who may', version: '1', description: 'Errors are `{error: {code, message}}`.' },
      components: {
        securitySchemes: {
          bearer: { type: 'http', scheme: 'bearer', description: 'An access token, or a personal token.' },
          cookie: { type: 'apiKey', in: 'cookie', name: 'weft_access', description: 'With Origin for whatever writes.' },
        },
      },
    },
  });
  void app.register(houseRoutes(deps));
  void app.register(verifyRoutes(deps.verify));
  if (builtin !== undefined) {
    void app.register(accountRoutes({ ...builtin, origins }));
    void app.register(tokenRoutes(builtin));
    void app.register(documentRoutes(builtin));
    void app.register(adminRoutes(builtin));
  }
  void app.register(async (scope) => {
    scope.get('/auth/openapi.json', { schema: { hide: true } }, () => app.swagger());
  });
  return app;
}

/** Fastify's own words only where something is wrong: what happens here is told by this house. */
function quieter(logger: Logger): FastifyBaseLogger {
  return logger.isLevelEnabled('warn') ? logger.child({}, { level: 'warn' }) : logger;
}

function sendFailure(reply: FastifyReply, error: unknown, logger: Logger): FastifyReply {
  const { status, code, message, retryAfterS, ours } = failureOf(error);
  if (ours === true) logger.error({ err: error }, 'a request could not be answered');
  if (retryAfterS !== undefined) reply.header('retry-after', retryAfterS);
  return reply.code(status).type('application/json; charset=utf-8').send({ error: { code, message } });
}
