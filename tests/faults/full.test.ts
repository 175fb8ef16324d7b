import { afterEach, expect, onTestFailed, test } from 'vitest';
import { untilEqual } from '../harness/gathering.ts';
import { until } from '../limits/until.ts';
import { NatsHouse } from './nats-house.ts';

let house: NatsHouse;

afterEach(() => house.stop());

const mib = 1024 * 1024;

/** The gateway's part alone, whatever the log's reason: tests/limits/log-away.test.ts. Here the stream is really full, and becomes free as persistence gets on. */
test(
  '[L6] the stream is full and persistence is away: edits wait up to the gateway’s bound, then 1013; nothing is lost, and all goes on when there is room',
  { timeout: 90_000 },
  async () => {
    // Persistence trims every 5 s what is in Postgres, and here at once.
    house = await NatsHouse.start({ logBytesMax: 2 * mib, env: { WEFT_UNACKNOWLEDGED_BYTES_MAX: '1MiB', WEFT_LOG_KEEP_MS: '0ms' } });
    onTestFailed(() => console.error(house.report()));
    const ada = await house.writer('ada', 'hocuspocus-4', 0, 'full');
    const eve = await house.writer('eve', 'hocuspocus-3', 1, 'full');
    const page = 'p'.repeat(100 * 1024);
    let pages = 0;
    const untilFull = async (): Promise<void> => {
      while (house.logged('maximum bytes') === 0) {
        ada.user.doc.getText('pages').insert(0, page);
        pages += 1;
        await ada.user.untilAcknowledged(1_000).catch(() => undefined);
      }
    };
    await untilFull();
    const { last, identity } = await house.wal.state(0);
    expect(pages).toBeGreaterThan(15);
    expect(ada.user.isAcknowledged).toBe(false);
    // Small ones are taken by the gateway, and wait; who goes on and on is sent away, and keeps what it has.
    eve.type();
    const sockets = ada.user.tally!.sockets;
    for (let i = 0; i < 12; i++) ada.user.doc.getText('pages').insert(0, page);
    await until(() => !ada.user.isSynced || ada.user.tally!.sockets > sockets, 'the gateway’s bound is reached');
    // Small records still find room now and then; no page does.
    const full = await house.wal.state(0);
    expect(full.identity).toBe(identity);
    expect(full.last - last).toBeLessThan(6);

    await house.startPersistence();
    ada.type();
    await Promise.all([ada, eve].map(({ user }) => user.untilAcknowledged(60_000)));
    await untilEqual([ada.user.doc, eve.user.doc], 15_000);
    const { doc } = await house.newcomer(1, 'full');
    await untilEqual([ada.user.doc, doc]);
    expect(doc.getText('pages').length).toBe((pages + 12) * page.length);
    for (const writer of [ada, eve]) expect(writer.missingIn(doc)).toEqual([]);
  },
);
