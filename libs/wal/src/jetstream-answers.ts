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
  if (noRoom.has(code) || (code === storeFailed && limitReached.test(ack.error?.description ?? ''))) throw new WalFull(says);
  throw new WalUnavailable(says);
}

function parse(answer: Uint8Array): PubAck {
  try {
    return JSON.parse(new TextDecoder().decode(answer)) as PubAck;
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

export function unavailable(what: string, error: unknown): WalUnavailable | WalUnusable {
  if (error instanceof WalUnusable || error instanceof WalUnavailable) return error;
  // The library's JetStreamNotEnabled wraps the answer.
  const api = error instanceof Error && error.cause instanceof JetStreamApiError ? error.cause : error;
  const message = error instanceof Error ? error.message : String(error);
  if (api instanceof JetStreamApiError && settingsRefused.has(api.code)) {
    return new WalUnusable(`${what}: NATS refuses the log's settings: ${api.message} (${api.code})`, { cause: error });
  }
  return new WalUnavailable(`${what}: NATS did not answer (${message})`, { cause: error });
}
