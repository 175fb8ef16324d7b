export type { HttpAnswer, HttpRequest, HttpRoute, StaticFile } from './adapters/http-routes.ts';
export { type GatewayConfig, gatewaySettings } from './config.ts';
export { createGateway, type Gateway, type GatewayParts } from './service.ts';
