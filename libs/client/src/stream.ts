import { EventParser, type StreamEvent } from './event-parser.ts';
import { refusalOf } from './refusal.ts';
import { type End, lost } from './transport.ts';
import type { World } from './world.ts';

export interface StreamHooks {
  /** It is about a session that there is already. */
  readonly hasSession: boolean;
  /** Silent for so long, it is taken for broken; asked again after each piece. */
  silenceMsMax(): number;
  /** Something came. */
  alive(): void;
  readonly event: (event: StreamEvent) => void;
}

/** One `GET` of server-sent events. Resolves with why it is over: without `refused` where it only broke. `control` ends it. */
export async function readStream(world: World, url: string, control: AbortController, hooks: StreamHooks): Promise<End> {
  const watch = (): (() => void) => world.after(hooks.silenceMsMax(), () => control.abort());
  let cancel = watch();
  try {
    const { credentials } = world;
    const headers = { accept: 'text/event-stream' };
    const response = await world.fetch(url, { signal: control.signal, cache: 'no-store', credentials, headers });
    if (!response.ok) return await refusalOf(response, world.nowMs(), hooks.hasSession);
    if (!response.body || !response.headers.get('content-type')?.startsWith('text/event-stream'))
      return lost('the answer is no event stream');
    const parser = new EventParser(hooks.event);
    const reader = response.body.getReader();
    const decoder = new TextDecoder();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return lost('the stream ended');
      cancel();
      hooks.alive();
      parser.add(decoder.decode(value, { stream: true }));
      // Only now is it known how long a stream may be silent.
      cancel = watch();
    }
  } catch (error) {
    // Too large an event would be as large the next time.
    return error instanceof RangeError ? { ...lost(error.message), code: 1009, refused: 'for-good' } : lost('the stream broke');
  } finally {
    cancel();
    control.abort();
  }
}
