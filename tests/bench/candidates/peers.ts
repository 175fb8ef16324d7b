import { startPostgres, startRedis } from '@weft/testkit';
import type { Candidate } from './candidate.ts';
import { node22 } from './install-peers.ts';
import { type Backing, peer } from './peer.ts';

export const peers: readonly Candidate[] = [
  peer({ name: 'hocuspocus', dialect: 'collab', program: 'hocuspocus', node: node22 }),
  peer({ name: 'hocuspocus-x2', dialect: 'collab', program: 'hocuspocus', node: node22, instances: 2, backing: redisAndPostgres }),
  peer({ name: 'y-websocket', dialect: 'yjs', program: 'y-websocket' }),
  peer({ name: 'raw', dialect: 'yjs', program: 'raw' }),
];

async function redisAndPostgres(): Promise<Backing> {
  const redis = await startRedis();
  const postgres = await startPostgres({ private: true });
  return {
    servers: [
      { name: 'redis', server: redis },
      { name: 'postgres', server: postgres },
    ],
    env: { REDIS_URL: redis.url, POSTGRES_URL: await postgres.newDatabase() },
  };
}
