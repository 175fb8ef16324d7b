/**
 * A record: one gateway's tick for one slice. Encodings are lib0's (varUint, varString, varUint8Array).
 *
 *   byte 1 (format version)
 *   varString origin            the gateway's id and incarnation: `<gateway id>/<incarnation>`
 *   varUint sequence            grows by one a record of this origin and slice; the same bytes resent bear the same number
 *   varUint entries
 *   entries x { varUint partition, varUint bytes }     the index: a reader skips what it does not want without decoding it
 *   entries x body
 *
 * body:  varString document, varUint kind,
 *        kind 0 (update): the rest of the body is one Yjs update (V1)
 *        kind 1 (piece):  varUint piece id (unique for the origin), varUint index, varUint count, then the piece's bytes.
 *                         The pieces 0..count-1 of one id, joined, are one Yjs update. Each travels in a record of its own or together
 *                         with others, in order.
 */
export interface RecordEntry {
  readonly partition: number;
  readonly document: string;
  readonly payload: EntryPayload;
}

export type EntryPayload =
  | { readonly kind: 'update'; readonly update: Uint8Array }
  | { readonly kind: 'piece'; readonly pieceId: number; readonly index: number; readonly count: number; readonly bytes: Uint8Array };

export interface WalRecord {
  readonly origin: string;
  readonly sequence: number;
  readonly entries: readonly RecordEntry[];
}
