import { JetStreamApiError } from '@nats-io/jetstream';
import { errors } from '@nats-io/transport-node';
import { WalFull, WalRecordTooLarge, WalUnavailable, WalUnusable } from './wal.ts';

/**
 * The answer to an append (JetStream's PubAck), and what its errors mean. Codes: nats-server/server/errors.json.
 */
interface PubAck {
  readonly seq?: number;
  readonly error?: { readonly err_code?: number; readonly description?: string };
}

const messageTooLarge = 10_054;
/** JSStreamStoreFailedF: the store's own words follow. Of these only the two limits say for sure that nothing was stored. */
const storeFailed = 10_077;
const limitReached = /maximum (bytes|messages)/i;
/** Account's limits, no storage left, insufficient resources: refused before storing. */
const noRoom = new Set([10_002, 10_023, 10_047]);

/** Gives the position, or throws what the refusal means. */
export function positionOf(answer: Uint8Array, subject: string): number {
  const ack = parse(answer);
  if (ack.seq !== undefined && !ack.error) return ack.seq;
  const code = ack.error?.err_code ?? 0;
  const says = `${subject}: NATS refuses the append: ${ack.error?.description ?? 'without a reason'} (${code})`;
  if (code === messageTooLarge) throw new WalRecordTooLarge(says);
  if (code === storeFailed && limitReached.test(ack.error?.description ?? ''))
    throw new WalFull(`${says}: the slice has reached WEFT_LOG_BYTES_MAX; it is emptied as persistence gets on`);
  if (noRoom.has(code))
    throw new WalFull(
      `${says}: NATS has no room, although WEFT_LOG_BYTES_MAX is not reached: give its JetStream more, or look what else it holds`,
    );
  throw new WalUnavailable(says);
}

const decoder = new TextDecoder();

function parse(answer: Uint8Array): PubAck {
  try {
    return JSON.parse(decoder.decode(answer)) as PubAck;
  } catch (error) {
    throw new WalUnavailable('an append was answered with something that is no JSON', { cause: error });
  }
}

export const isNoResponders = (error: unknown): boolean =>
  error instanceof errors.NoRespondersError || (error instanceof errors.RequestError && error.isNoResponders());

/**
 * Answers of a server that works and will not have our settings: name or subjects taken (10058, 10065), no storage for `max_bytes` (10047, 10023), limits of
 * the account (10002, 10026), more replicas than servers (10074), not enabled for this account (10039), bad configuration (10052).
 */
const settingsRefused = new Set([10_002, 10_023, 10_026, 10_039, 10_047, 10_052, 10_058, 10_065, 10_074]);

/** What to change, where NATS's own words do not tell. */
const remedies = new Map<number, string>(
  [10_002, 10_005, 10_023, 10_047].map((code) => [
    code,
    'NATS sets WEFT_LOG_BYTES_MAX aside for every slice, on each server that has a replica: lower it (it has to be the same for every service), or give JetStream more ' +
      '(max_file_store, the limits of the account)',
  ]),
).set(10_074, 'WEFT_LOG_REPLICAS asks for more copies than there are servers');

function withRemedy(message: string, code: number): string {
  const remedy = remedies.get(code);
  return `${message} (${code})${remedy === undefined ? '' : `. ${remedy}`}`;
}

export function unavailable(what: string, error: unknown): WalUnavailable | WalUnusable {
  if (error instanceof WalUnusable || error instanceof WalUnavailable) return error;
  // The library's JetStreamNotEnabled wraps the answer.
  const api = error instanceof Error && error.cause instanceof JetStreamApiError ? error.cause : error;
  const message = error instanceof Error ? error.message : String(error);
  if (api instanceof JetStreamApiError && settingsRefused.has(api.code)) {
    return new WalUnusable(`${what}: NATS refuses the log's settings: ${withRemedy(api.message, api.code)}`, { cause: error });
  }
  if (api instanceof JetStreamApiError)
    return new WalUnavailable(`${what}: NATS refuses for now: ${withRemedy(api.message, api.code)}`, { cause: error });
  return new WalUnavailable(`${what}: NATS did not answer (${message})`, { cause: error });
}
