export { startNats, type NatsOptions, type NatsServer } from './nats.ts';
export { startPostgres, type PostgresOptions, type PostgresServer } from './postgres.ts';
export { startRedis, type RedisOptions } from './redis.ts';
export { ChildServer, type ChildServerOptions } from './child-server.ts';
export type { Server } from './server.ts';
export { rememberPort, rememberProcess, temporaryFolder } from './leftovers.ts';
export { claimPort } from './port-claims.ts';
export { startNginx, type NginxOptions, type NginxPlace, type NginxServer } from './nginx.ts';
export { needProgram } from './programs.ts';
