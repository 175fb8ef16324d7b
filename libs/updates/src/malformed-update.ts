/** Bytes that are not a Yjs update (V1) a Yjs client could apply. `reason` says what is wrong, `offset` at which byte of the update. */
export class MalformedUpdate extends Error {
  override readonly name = 'MalformedUpdate';
  readonly reason: string;
  readonly offset: number;
  constructor(reason: string, offset: number) {
    super(`not a Yjs update (V1): ${reason}, at byte ${offset}`);
    this.reason = reason;
    this.offset = offset;
  }
}
