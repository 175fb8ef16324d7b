import type { Logger } from '@weft/telemetry';
import pg from 'pg';
import { floorNotice, readFloorNotice } from './floor-notice.ts';
import type { AnnouncedFloor } from './wal.ts';

export const logChannel = 'weft_log';
export const floorChannel = 'weft_floor';

const reconnectMsMin = 100;
const reconnectMsMax = 5_000;

export interface NoticeListener {
  /** Something was appended to `slice`; undefined: perhaps to any of them (we were not listening for a while). */
  appended(slice: number | undefined): void;
  floor(slice: number, floor: AnnouncedFloor): void;
}

/** NOTIFY's payload for a floor. */
export const sliceFloorNotice = (slice: number, floor: AnnouncedFloor): string => `${slice} ${floorNotice(floor)}`;

/** One connection that listens, made anew whenever it breaks, until `close`. */
export class SqlNotices {
  readonly #url: string;
  readonly #logger: Logger;
  readonly #listener: NoticeListener;
  #client: pg.Client | undefined;
  #timer: NodeJS.Timeout | undefined;
  #delayMs = reconnectMsMin;
  #closed = false;

  constructor(url: string, logger: Logger, listener: NoticeListener) {
    this.#url = url;
    this.#logger = logger;
    this.#listener = listener;
    void this.#connect();
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    const client = this.#client;
    this.#client = undefined;
    // A server that is away never confirms the end.
    await client?.end().catch((error: unknown) => this.#logger.debug({ err: error }, 'log: ending the listening connection'));
  }

  async #connect(): Promise<void> {
    const client = new pg.Client({
      connectionString: this.#url,
      application_name: 'weft-log-listener',
      connectionTimeoutMillis: 5_000,
      keepAlive: true,
    });
    this.#client = client;
    client.on('error', () => this.#again(client));
    client.on('end', () => this.#again(client));
    client.on('notification', ({ channel, payload }) => this.#notice(channel, payload ?? ''));
    try {
      await client.connect();
      await client.query(`LISTEN ${logChannel}; LISTEN ${floorChannel}`);
    } catch (error) {
      this.#logger.debug({ err: error }, 'log: could not listen; trying again');
      this.#again(client);
      return;
    }
    this.#delayMs = reconnectMsMin;
    this.#listener.appended(undefined);
  }

  #again(client: pg.Client): void {
    if (this.#closed || this.#client !== client) return;
    this.#client = undefined;
    client.removeAllListeners('end');
    client.end().catch((error: unknown) => this.#logger.debug({ err: error }, 'log: ending a broken connection'));
    this.#timer = setTimeout(() => void this.#connect(), this.#delayMs * (0.5 + Math.random() / 2));
    this.#delayMs = Math.min(this.#delayMs * 2, reconnectMsMax);
  }

  #notice(channel: string, payload: string): void {
    const [slice = '', ...rest] = payload.split(' ');
    if (channel === logChannel) return this.#listener.appended(Number(slice));
    const floor = readFloorNotice(rest.join(' '));
    if (floor) this.#listener.floor(Number(slice), floor);
  }
}
