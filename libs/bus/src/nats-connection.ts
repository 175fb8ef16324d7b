import { readFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { connect, credsAuthenticator, type NatsConnection, type NodeConnectionOptions } from '@nats-io/transport-node';

const connectTimeoutMs = 5_000;
/** Two pings without an answer: the peer is gone though the socket looks open (a lost machine, a cut cable). So within about 9 s. */
const pingIntervalMs = 3_000;
const pingsUnansweredMax = 2;
/** Between attempts, plus up to as much again at random: a server that comes back is not met by everybody at once. */
const reconnectWaitMs = 200;

export interface NatsOptions {
  /** One or several, separated by commas: `nats://host:4222`, `tls://host:4222`; `user:password@` before the host is honoured. */
  readonly url: string;
  /** Shown in the server's monitoring. */
  readonly name: string;
  readonly user?: string;
  readonly password?: string;
  readonly token?: string;
  /** What a `.creds` file holds. */
  readonly credentials?: string;
  /** A file of certificates (PEM) to trust. */
  readonly tlsCaFile?: string;
}

/** The first connection failed; later ones are made again for ever, unseen. The message says where and why. */
export class NatsUnreachable extends Error {
  override readonly name = 'NatsUnreachable';
}

/** Connects once; a connection that breaks later is made anew, with jitter, for as long as it takes. Rejects with NatsUnreachable. */
export async function connectNats(options: NatsOptions): Promise<NatsConnection> {
  const places = parseUrls(options.url);
  try {
    return await connect({
      servers: places.servers,
      name: options.name,
      timeout: connectTimeoutMs,
      pingInterval: pingIntervalMs,
      maxPingOut: pingsUnansweredMax,
      maxReconnectAttempts: -1,
      reconnectTimeWait: reconnectWaitMs,
      reconnectJitter: reconnectWaitMs,
      reconnectJitterTLS: reconnectWaitMs,
      // Credentials may be refused for a moment while they are rotated: that is no reason to give up.
      ignoreAuthErrorAbort: true,
      noAsyncTraces: true,
      ...authentication(options, places),
      ...(await tls(options, places)),
    });
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new NatsUnreachable(`cannot connect to NATS at ${places.servers.join(', ')}: ${why}`, { cause: error });
  }
}

interface Places {
  readonly servers: string[];
  readonly encrypted: boolean;
  readonly user: string | undefined;
  readonly password: string | undefined;
}

function parseUrls(list: string): Places {
  const urls = list.split(',').map((text) => {
    const given = text.trim();
    return new URL(given.includes('://') ? given : `nats://${given}`);
  });
  const named = urls.find(({ username }) => username !== '');
  return {
    servers: urls.map(({ hostname, port }) => `${hostname}:${port === '' ? 4222 : port}`),
    encrypted: urls.some(({ protocol }) => protocol === 'tls:'),
    user: named && decodeURIComponent(named.username),
    password: named && decodeURIComponent(named.password),
  };
}

function authentication(options: NatsOptions, places: Places): NodeConnectionOptions {
  if (options.credentials !== undefined) return { authenticator: credsAuthenticator(new TextEncoder().encode(options.credentials)) };
  if (options.token !== undefined) return { token: options.token };
  const user = options.user ?? places.user;
  const pass = options.password ?? places.password;
  return user === undefined ? {} : { user, ...(pass === undefined ? {} : { pass }) };
}

/**
 * The file is read once, here, so that a missing one is an error of the start and not of a later reconnect. `host`: for a server given by its address the
 * library names none to Node, which then expects a certificate for "localhost".
 */
async function tls({ tlsCaFile }: NatsOptions, { servers, encrypted }: Places): Promise<NodeConnectionOptions> {
  if (tlsCaFile === undefined && !encrypted) return {};
  const address = servers.map((server) => server.slice(0, server.lastIndexOf(':'))).find((host) => isIP(host) !== 0);
  return {
    tls: {
      ...(tlsCaFile === undefined ? {} : { ca: await readFile(tlsCaFile, 'utf8') }),
      ...(address === undefined ? {} : { host: address }),
    },
  };
}
