import type { StoredDocument } from '@weft/store';
import type { UpdateScan } from '@weft/updates';
import { OpenDocument } from './document.ts';
import { PresenceTable } from './presence-table.ts';
import { Tail } from './tail.ts';

/**
 * What a worker holds for one document name of its partitions. `tail`: only what the log brought. `loading`: somebody asked, the store is being read.
 * `open`: answers come from memory. `failed`: the store did not give it; nobody takes that for an empty document.
 */
export type HeldState =
  | { readonly kind: 'tail' }
  | { readonly kind: 'loading' }
  | { readonly kind: 'open'; readonly document: OpenDocument }
  | { readonly kind: 'failed'; readonly detail: string; readonly retryAtMs: number };

export class HeldDocument {
  readonly name: string;
  readonly partition: number;
  readonly tail = new Tail();
  readonly presence = new PresenceTable();
  /** Gateways that have the document open. */
  readonly gateways = new Set<string>();
  state: HeldState = { kind: 'tail' };
  usedAtMs = 0;
  /** Loads that failed in a row. */
  attempts = 0;
  /** When the store was last asked whether it has a newer snapshot. */
  refreshedAtMs = 0;
  refreshing = false;
  findingDeletes = false;

  constructor(name: string, partition: number) {
    this.name = name;
    this.partition = partition;
  }

  push(position: number, update: Uint8Array, scan: UpdateScan): void {
    if (this.state.kind === 'open') this.state.document.push(position, update, scan);
    else this.tail.push(position, update);
  }

  /** The store's answer. The tail reaches back to the store's floor or further, so together they are the document (see `mayTrim`). */
  loaded(stored: StoredDocument, log: { readonly identity: string; readonly base: number }, nowMs: number): void {
    this.state = { kind: 'open', document: new OpenDocument(stored, this.tail, log) };
    this.refreshedAtMs = nowMs;
    this.refreshing = false;
    this.attempts = 0;
  }

  /** Back to the tail alone: nobody uses the document. */
  forgetOpen(): void {
    this.state = { kind: 'tail' };
  }

  /** Positions <= `position` are in the store, and nobody asks for them any more. While the store is being read the tail stays: what comes may be older. */
  trim(position: number): void {
    if (this.state.kind === 'loading') return;
    if (this.state.kind === 'open') this.state.document.trim(position);
    else this.tail.dropThrough(position);
  }

  /** The position after which the tail has everything; `base` is what holds for documents of the partition that are not open. */
  reachesBackTo(base: number): number {
    return this.state.kind === 'open' ? this.state.document.base : base;
  }

  get isUsed(): boolean {
    return this.gateways.size > 0 || this.state.kind === 'loading';
  }
}
