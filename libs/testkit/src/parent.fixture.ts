// A process for leftovers.nats.test.ts: starts every server, says where, and waits to be killed.
import { startNats, startPostgres, startRedis } from './index.ts';

const servers = await Promise.all([startNats(), startPostgres({ private: true }), startRedis()]);
await servers[0].pause();
process.stdout.write(`${JSON.stringify(servers.map(({ url }) => new URL(url).port))}\n`);
setInterval(() => undefined, 1000);
