import { WebSocket as WsWebSocket } from 'ws';
import { OriginMemory, type Storage } from './origin-memory.ts';
import { FallingBackWebSocket } from './weft-web-socket.ts';
import type { World } from './world.ts';

export interface TestWorld extends World {
  /** What was waited for, in order of asking. */
  readonly waits: number[];
}

/** A world of a test: real time that may run faster, a real network, nothing remembered between tests. */
export function testWorld(
  over: Partial<World> & { readonly timesFaster?: number; readonly storage?: () => Storage | undefined } = {},
): TestWorld {
  const { timesFaster = 1, storage = () => undefined, ...rest } = over;
  const startMs = Date.now();
  const waits: number[] = [];
  return {
    waits,
    WebSocket: WsWebSocket as unknown as typeof WebSocket,
    fetch: (...args) => fetch(...args),
    credentials: 'same-origin',
    memory: new OriginMemory(storage),
    nowMs: () => startMs + (Date.now() - startMs) * timesFaster,
    random: () => 0.5,
    after: (ms, run) => {
      waits.push(ms);
      const timer = setTimeout(run, ms / timesFaster);
      return () => clearTimeout(timer);
    },
    ...rest,
  };
}

export interface Heard {
  readonly socket: FallingBackWebSocket;
  /** `open`, `message 1,2`, `error`, `close 1006 unclean why`, in order. */
  readonly events: string[];
  /** Resolves when an event that begins so has come, or so many of them. */
  until(event: string, times?: number): Promise<void>;
}

export function listen(world: World, url: string | URL, protocols?: string | string[]): Heard {
  const socket = new FallingBackWebSocket(world, url, protocols);
  socket.binaryType = 'arraybuffer';
  const events: string[] = [];
  const waiting = new Set<() => void>();
  const heard = (event: string): void => {
    events.push(event);
    for (const look of waiting) look();
  };
  socket.addEventListener('open', () => heard('open'));
  socket.addEventListener('message', ({ data }) => heard(`message ${new Uint8Array(data as ArrayBuffer).slice(0, 20).join(',')}`));
  socket.addEventListener('error', () => heard('error'));
  socket.addEventListener('close', ({ code, reason, wasClean }) => heard(`close ${code} ${wasClean ? 'clean' : 'unclean'} ${reason}`));
  const until = (event: string, times = 1): Promise<void> =>
    new Promise((resolve) => {
      const look = (): void => {
        if (events.filter((one) => one.startsWith(event)).length < times) return;
        waiting.delete(look);
        resolve();
      };
      waiting.add(look);
      look();
    });
  return { socket, events, until };
}

export const bytes = (...values: number[]): Uint8Array<ArrayBuffer> => new Uint8Array(values);
