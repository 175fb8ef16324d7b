/** Counts this tab's edits and how long the last one took to be safe. Pure: the time comes in, in ms. */
export interface SaveCounts {
  readonly sent: number;
  readonly saved: number;
  /** From the last edit to the acknowledgement of everything, ms; `undefined` before the first. */
  readonly lastTookMs: number | undefined;
}

export class SaveMeter {
  #sent = 0;
  #saved = 0;
  #lastEditMs = 0;
  #lastTookMs: number | undefined;

  edited(nowMs: number): void {
    this.#sent += 1;
    this.#lastEditMs = nowMs;
  }

  /** @param unsynced edits that no acknowledgement has come for */
  acknowledged(unsynced: number, nowMs: number): void {
    // Joining counts one handshake as unsynced too: never claim fewer than were safe before.
    this.#saved = Math.max(this.#saved, this.#sent - unsynced);
    if (unsynced === 0 && this.#lastEditMs > 0) {
      this.#lastTookMs = nowMs - this.#lastEditMs;
      this.#lastEditMs = 0;
    }
  }

  get counts(): SaveCounts {
    return { sent: this.#sent, saved: this.#saved, lastTookMs: this.#lastTookMs };
  }
}

/** `0.4 ms` is not honest where the clock is coarse: whole milliseconds, then seconds. */
export function formatTook(ms: number | undefined): string {
  if (ms === undefined) return '–';
  return ms < 1000 ? `${Math.max(1, Math.round(ms))} ms` : `${(ms / 1000).toFixed(1)} s`;
}
