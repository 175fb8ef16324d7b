import { createLogger } from '@weft/telemetry';
import { NatsBus } from './nats.ts';

// A subscriber that nats.nats.test.ts freezes for a while.
const [url = ''] = process.argv.slice(2);
const tell = (what: string): void => void process.send?.(what);
const bus = await NatsBus.connect({ url, name: 'slow', logger: createLogger({ service: 'slow', level: 'silent' }) });
bus.onConnection((connected) => tell(connected ? 'back' : 'away'));
bus.subscribe('slow', ({ data }) => {
  if (data.byteLength > 100) return;
  tell(`heard ${new TextDecoder().decode(data)}`);
});
await bus.flush();
tell('subscribed');
