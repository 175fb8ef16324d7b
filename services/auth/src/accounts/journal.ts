import type { Changed } from '@weft/grants';
import type { AuditEntry, IdentityStore } from '@weft/store';
import type { Logger } from '@weft/telemetry';

export interface JournalDeps {
  readonly store: Pick<IdentityStore, 'appendAudit'>;
  /** Tells everybody who keeps an allowance. */
  readonly publish: (changed: Changed) => void;
  /** Ms since the epoch. */
  readonly now: () => number;
  readonly logger: Logger;
}

export type Entry = Omit<AuditEntry, 'atMs'>;

/** Refusals that wait to be written. A flood of them must not flood the table. */
const NOTED_MAX = 1000;

/** What happened, for the audit log; and that something changed, for who keeps allowances (decision 0012). */
export class Journal {
  readonly #deps: JournalDeps;
  readonly #noted = new Map<string, { readonly entry: AuditEntry; times: number }>();
  #dropped = 0;

  constructor(deps: JournalDeps) {
    this.#deps = deps;
  }

  /** Resolves once it is written. What it tells of has happened by then: that it cannot be written is an error of the log, not of the deed. */
  async write(entry: Entry, ...changes: readonly Changed[]): Promise<void> {
    for (const changed of changes) this.#deps.publish(changed);
    await this.#append([{ ...entry, atMs: this.#deps.now() }]);
  }

  /** Written with the next `flush`, and once for many alike: a refused client asks again and again. */
  note(entry: Entry): void {
    const key = JSON.stringify([entry.event, entry.actor, entry.document, entry.address, entry.detail]);
    const noted = this.#noted.get(key);
    if (noted !== undefined) noted.times += 1;
    else if (this.#noted.size >= NOTED_MAX) this.#dropped += 1;
    else this.#noted.set(key, { entry: { ...entry, atMs: this.#deps.now() }, times: 1 });
  }

  async flush(): Promise<void> {
    const entries = [...this.#noted.values()].map(({ entry, times }) =>
      times === 1 ? entry : { ...entry, detail: `${entry.detail ?? ''} (${times} times)`.trim() },
    );
    if (this.#dropped > 0) entries.push({ atMs: this.#deps.now(), event: 'refusals-not-told', detail: `${this.#dropped} more` });
    this.#noted.clear();
    this.#dropped = 0;
    await this.#append(entries);
  }

  async #append(entries: readonly AuditEntry[]): Promise<void> {
    await this.#deps.store.appendAudit(entries).catch((err: unknown) => {
      this.#deps.logger.error({ err, events: entries.map(({ event }) => event) }, 'the audit log could not be written');
    });
  }
}
