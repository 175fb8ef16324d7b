import { connect } from '@nats-io/transport-node';

const subject = 'bench.echo';
const pauseMs = 5;

/** Round trips through core NATS between two connections that nothing else uses, one at a time, ms: what any way through it takes at least. */
export async function natsRoundTrip(
  url: string,
  trips: number,
): Promise<{ nats_round_trip_p50_ms: number; nats_round_trip_p99_ms: number }> {
  const [asking, answering] = await Promise.all([connect({ servers: url.split(',') }), connect({ servers: url.split(',') })]);
  try {
    answering.subscribe(subject, { callback: (_, message) => void message.respond(message.data) });
    await answering.flush();
    const tookMs: number[] = [];
    for (let i = 0; i < trips; i++) {
      const startedMs = performance.now();
      await asking.request(subject, new Uint8Array(64), { timeout: 2000 });
      tookMs.push(performance.now() - startedMs);
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
    tookMs.sort((a, b) => a - b);
    return { nats_round_trip_p50_ms: tookMs[Math.floor(trips / 2)]!, nats_round_trip_p99_ms: tookMs[Math.floor(trips * 0.99)]! };
  } finally {
    await Promise.all([asking.close(), answering.close()]);
  }
}
