export type { HttpAnswer, HttpRequest, HttpRoute, StaticFile } from './adapters/http-routes.ts';
export { type GatewayConfig, gatewaySettings } from './config.ts';
export type { ClientEdge } from './client-edge.ts';
export type { ClientSocket } from './client-socket.ts';
export type { ConnectionHandler } from './connection-world.ts';
export type { GatewayCore } from './gateway-core.ts';
export { createGateway, type Gateway, type GatewayParts } from './service.ts';
