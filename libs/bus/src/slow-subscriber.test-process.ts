import { createLogger } from '@weft/telemetry';
import { NatsBus } from './nats.ts';

// A subscriber that stands still for a while when told to: nats.nats.test.ts runs it.
const [url = '', blockMs] = process.argv.slice(2);
const tell = (what: string): void => void process.send?.(what);
const bus = await NatsBus.connect({ url, name: 'slow', logger: createLogger({ service: 'slow', level: 'silent' }) });
bus.onConnection((connected) => tell(connected ? 'back' : 'away'));
bus.subscribe('slow', ({ data }) => {
  if (data.byteLength > 100) return;
  const said = new TextDecoder().decode(data);
  if (said === 'block') Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, Number(blockMs));
  else tell(`heard ${said}`);
});
await bus.flush();
tell('subscribed');
