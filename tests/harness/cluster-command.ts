import { startCluster } from './cluster.ts';

/** `npm run cluster`: two gateways, two workers, one persistence, one auth, until Ctrl-C. */
const sameSignalMs = 500;
const say = (line: string): void => void process.stdout.write(`${line}\n`);

say('starting NATS, PostgreSQL, Redis and six services …');
const cluster = await startCluster({ gateways: 2, workers: 2, env: { WEFT_AUTH_DEV_SIGN_IN: 'true' } });
const stopped = new Promise<void>((resolve) => {
  let askedMs: number | undefined;
  const stop = (): void => {
    // One Ctrl-C may arrive twice: from the terminal, and passed on by npm.
    if (askedMs !== undefined && performance.now() - askedMs < sameSignalMs) return;
    if (askedMs !== undefined) process.exit(1);
    askedMs = performance.now();
    say('\nstopping (again to stop at once) …');
    cluster.stop().then(resolve, (error: unknown) => {
      process.stderr.write(`${String(error)}\n`);
      process.exit(1);
    });
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, stop);
});

say('');
for (const gateway of cluster.gateways) {
  say(
    `${gateway.id}   @hocuspocus/provider: ws://127.0.0.1:${gateway.port}/collab   y-websocket: ws://127.0.0.1:${gateway.port}/yjs/<document>`,
  );
}
say(`auth-1      http://127.0.0.1:${cluster.auth[0]?.port}/auth/dev/sign-in   POST {"name":"Ada"} gives a token`);
say('');
for (const service of cluster.services)
  say(`${service.id.padEnd(14)} pid ${String(service.pid).padEnd(8)} http://127.0.0.1:${service.opsPort}/readyz`);
say(`NATS           ${cluster.nats.url}`);
say(`PostgreSQL     ${cluster.postgresUrl}`);
say(`Redis          ${cluster.redis.url}`);
say(`logs           ${cluster.folder}`);
say(`\na token, an hour for every document:\n${await cluster.token()}`);
say('\nCtrl-C stops everything.');
await stopped;
say('stopped');
process.exit(0);
