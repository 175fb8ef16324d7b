/** Where the browser keeps it for other tabs and the next page; `localStorage`, or something of its shape. */
export type Storage = Pick<globalThis.Storage, 'getItem' | 'setItem' | 'removeItem'>;

/** After so long WebSocket is tried first again. */
export const rememberedMs = 10 * 60_000;
/** A WebSocket that ends abnormally before is taken for one that something in between cuts off. */
const youngMs = 10_000;
/** Who lost a connection comes back spread over so long: the providers themselves all come after the same wait. */
const spreadMs = 500;
const originsMax = 100;
const storageKey = 'weft.fallback ';

interface Remembered {
  /** Of a WebSocket; Infinity where none did since one lived. */
  youngDeathMs: number;
  fallbackUntilMs: number;
  leaveAloneUntilMs: number;
  isComingBack: boolean;
}

/** What is known of each origin: whether WebSockets get there, and whether it wants to be left alone. In memory, and the first also in the browser's storage. */
export class OriginMemory {
  readonly #byOrigin = new Map<string, Remembered>();
  readonly #storage: () => Storage | undefined;

  /** `storage` may throw, and so may what it gives: browsers forbid it to some pages. */
  constructor(storage: () => Storage | undefined) {
    this.#storage = storage;
  }

  beginsWithFallback(origin: string, nowMs: number): boolean {
    const untilMs = this.#stored(origin) ?? this.#of(origin).fallbackUntilMs;
    // Also where the clock was set back since.
    return untilMs > nowMs && untilMs <= nowMs + rememberedMs;
  }

  /** How long a connection waits before it is tried. */
  waitMs(origin: string, nowMs: number, random: number): number {
    const known = this.#of(origin);
    const waitMs = Math.max(0, known.leaveAloneUntilMs - nowMs);
    const spread = known.isComingBack || waitMs > 0 ? random * (spreadMs + waitMs / 4) : 0;
    known.isComingBack = false;
    return waitMs + spread;
  }

  /** For `rememberedMs` from now. What is remembered already keeps its end: WebSocket is tried again however well the fallback works. */
  preferFallback(origin: string, nowMs: number): void {
    if (this.beginsWithFallback(origin, nowMs)) return;
    const known = this.#of(origin);
    known.fallbackUntilMs = nowMs + rememberedMs;
    known.youngDeathMs = Infinity;
    this.#guarded((storage) => storage.setItem(storageKey + origin, String(known.fallbackUntilMs)));
  }

  forgetFallback(origin: string): void {
    this.#of(origin).fallbackUntilMs = 0;
    this.#guarded((storage) => storage.removeItem(storageKey + origin));
  }

  webSocketEnded(origin: string, nowMs: number, { openedMs, isAbnormal, hasDelivered }: WebSocketLife): void {
    const known = this.#of(origin);
    if (!isAbnormal || nowMs - openedMs > youngMs) known.youngDeathMs = Infinity;
    // Two that were open at once may have died of the same blow, a gateway's end: in a row is one after the other.
    else if (!hasDelivered || openedMs >= known.youngDeathMs) this.preferFallback(origin, nowMs);
    else known.youngDeathMs = Math.min(known.youngDeathMs, nowMs);
  }

  leaveAlone(origin: string, untilMs: number): void {
    this.#of(origin).leaveAloneUntilMs = untilMs;
  }

  connectionLost(origin: string): void {
    this.#of(origin).isComingBack = true;
  }

  #of(origin: string): Remembered {
    let known = this.#byOrigin.get(origin);
    if (known) return known;
    known = { youngDeathMs: Infinity, fallbackUntilMs: 0, leaveAloneUntilMs: 0, isComingBack: false };
    for (const oldest of this.#byOrigin.keys()) if (this.#byOrigin.size >= originsMax) this.#byOrigin.delete(oldest);
    this.#byOrigin.set(origin, known);
    return known;
  }

  #stored(origin: string): number | undefined {
    return Number(this.#guarded((storage) => storage.getItem(storageKey + origin))) || undefined;
  }

  #guarded<T>(use: (storage: Storage) => T): T | undefined {
    try {
      const storage = this.#storage();
      return storage && use(storage);
    } catch {
      // What cannot be kept is remembered by this page alone.
      return undefined;
    }
  }
}

export interface WebSocketLife {
  readonly openedMs: number;
  readonly isAbnormal: boolean;
  readonly hasDelivered: boolean;
}
