import { JetStreamApiError, type JetStreamManager } from '@nats-io/jetstream';
import { expect, test } from 'vitest';
import { ensureStream } from './jetstream-stream.ts';
import { WalUnavailable } from './wal.ts';

const refusal = (code: number, err_code: number, description: string): JetStreamApiError =>
  new JetStreamApiError({ code, err_code, description });

/** As a cluster answers in the moment in which somebody else is making the stream: its name is taken, and it is not found. Seen with three servers of 2.15. */
test('[L1] a log that somebody else is just making is not there yet, and no reason to give up', async () => {
  const streams = {
    info: () => Promise.reject(refusal(404, 10_059, 'stream not found')),
    add: () => Promise.reject(refusal(400, 10_058, 'stream name already in use with a different configuration')),
  };
  const manager = { streams } as unknown as JetStreamManager;
  await expect(ensureStream(manager, { name: 'LOG', replicas: 3, bytesMax: 1 }, 0)).rejects.toBeInstanceOf(WalUnavailable);
});
