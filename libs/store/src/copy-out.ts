import type { Connection, Submittable } from 'pg';
import { copyRows, type CopyField } from './binary.ts';

/**
 * `COPY (…) TO STDOUT (FORMAT binary)` as a pg query: the one way to get a bytea from pg (8.x) as bytes. Its ordinary results turn every
 * field into a UTF-8 string first, the `binary` option included, so bytes arrive as hex or broken. Rows are handed on as they
 * arrive; nothing is collected here.
 */
export class CopyOut implements Submittable {
  /** Called by pg when it is over; pg also replaces it to add its time-out. */
  callback: (error: Error | null) => void;
  readonly #sql: string;
  readonly #onRow: (fields: readonly CopyField[]) => void;
  #failure: Error | undefined;

  constructor(sql: string, onRow: (fields: readonly CopyField[]) => void, done: (error: Error | null) => void) {
    this.#sql = sql;
    this.#onRow = onRow;
    this.callback = done;
  }

  submit(connection: Connection): null {
    connection.query(this.#sql);
    return null;
  }

  handleCopyData(message: { readonly chunk: Buffer }): void {
    if (this.#failure !== undefined) return;
    try {
      for (const fields of copyRows(message.chunk)) this.#onRow(fields);
    } catch (error) {
      // Kept until the server is done: throwing here would tear pg's parser out of its buffer.
      this.#failure = error instanceof Error ? error : new Error(String(error));
    }
  }

  handleError(error: Error): void {
    this.#failure ??= error;
    this.callback(this.#failure);
  }

  handleCommandComplete(): void {}

  handleReadyForQuery(): void {
    this.callback(this.#failure ?? null);
  }
}
