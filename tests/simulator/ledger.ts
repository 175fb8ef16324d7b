import * as Y from 'yjs';

/** One edit somebody made, and what became of it as far as they were told. */
export interface Edit {
  readonly number: number;
  readonly by: string;
  readonly document: string;
  readonly update: Uint8Array;
  readonly parts: EditParts;
  ackedAtMs: number | undefined;
  /** The life of the gateway that acknowledged it. */
  ackedBy: string | undefined;
}

interface EditParts {
  /** By client: the clock after its last struct. */
  readonly ends: ReadonlyMap<number, number>;
  readonly deletes: readonly { readonly client: number; readonly clock: number; readonly length: number }[];
}

export class Ledger {
  readonly edits: Edit[] = [];

  made(by: string, document: string, update: Uint8Array): Edit {
    const edit: Edit = {
      number: this.edits.length,
      by,
      document,
      update,
      parts: partsOf(update),
      ackedAtMs: undefined,
      ackedBy: undefined,
    };
    this.edits.push(edit);
    return edit;
  }

  /** The edit that made this struct. */
  of(client: number, clock: number): Edit | undefined {
    return this.edits.find(({ parts }) => {
      const end = parts.ends.get(client);
      return end !== undefined && end > clock;
    });
  }

  acknowledged(edit: Edit, nowMs: number, gateway: string): void {
    edit.ackedAtMs ??= nowMs;
    edit.ackedBy ??= gateway;
  }

  get acked(): Edit[] {
    return this.edits.filter(({ ackedAtMs }) => ackedAtMs !== undefined);
  }

  ackedIn(document: string): Edit[] {
    return this.acked.filter((edit) => edit.document === document);
  }
}

function partsOf(update: Uint8Array): EditParts {
  const { structs, ds } = Y.decodeUpdate(update);
  const ends = new Map<number, number>();
  for (const { id, length } of structs) ends.set(id.client, Math.max(ends.get(id.client) ?? 0, id.clock + length));
  const deletes = [...ds.clients].flatMap(([client, items]) => items.map(({ clock, len }) => ({ client, clock, length: len })));
  return { ends, deletes };
}

/** Whether all of the edit is in effect in the document. */
export function holds(doc: Y.Doc, { parts }: Edit): boolean {
  for (const [client, end] of parts.ends) if (Y.getState(doc.store, client) < end) return false;
  for (const { client, clock, length } of parts.deletes)
    for (let at = clock; at < clock + length;) {
      if (Y.getState(doc.store, client) <= at) return false;
      const item = Y.getItem(doc.store, Y.createID(client, at)) as Y.Item | Y.GC;
      if (!item.deleted) return false;
      at = item.id.clock + item.length;
    }
  return true;
}

/** Equal for documents that hold the same. */
export function fingerprint(doc: Y.Doc): string {
  return Buffer.from(Y.encodeSnapshot(Y.snapshot(doc))).toString('base64');
}

/** Structs that are not there and that something in the document waits for: the first missing one of each client. What is there itself, and waits, is not missing. */
export function missingFrom(doc: Y.Doc): { readonly client: number; readonly clock: number }[] {
  const { pendingStructs, pendingDs } = doc.store;
  const missing = [...(pendingStructs?.missing ?? [])].map(([client, clock]) => ({ client, clock }));
  const waiting = pendingStructs ? Y.decodeUpdateV2(pendingStructs.update).structs.filter((struct) => !(struct instanceof Y.Skip)) : [];
  const waits = (client: number, clock: number): boolean =>
    waiting.some(({ id, length }) => id.client === client && id.clock <= clock && clock < id.clock + length);
  if (pendingDs)
    for (const [client, items] of Y.decodeUpdateV2(pendingDs).ds.clients)
      for (const { clock, len } of items)
        for (let at = Math.max(clock, Y.getState(doc.store, client)); at < clock + len; at++)
          if (!waits(client, at)) {
            missing.push({ client, clock: at });
            break;
          }
  return missing;
}

export function docOf(updates: readonly Uint8Array[]): Y.Doc {
  const doc = new Y.Doc();
  doc.clientID = 1;
  doc.transact(() => {
    for (const update of updates) Y.applyUpdate(doc, update);
  });
  return doc;
}
