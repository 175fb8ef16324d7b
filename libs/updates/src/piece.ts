import { ByteWriter } from './byte-writer.ts';
import type { DeleteSet } from './delete-set.ts';

/** What a piece takes of one client: an encoded first struct (a cut one's part), then bytes of the original as they are. */
interface Share {
  readonly client: number;
  readonly clock: number;
  structs: number;
  readonly first: Uint8Array | undefined;
  readonly from: number;
  to: number;
}

/** Count, client and clock at most: what a share costs beside its structs. */
const SHARE_HEAD_BYTES = 20;
const NO_DELETES = new Uint8Array([0]);

/** One update in the making: shares of clients, each a run of consecutive structs of the original's section. */
export class Piece {
  private readonly source: Uint8Array;
  private shares = new Map<number, Share>();
  private last: Share | undefined;
  bytes = 0;

  constructor(source: Uint8Array) {
    this.source = source;
  }

  get isEmpty(): boolean {
    return this.bytes === 0;
  }

  has(client: number): boolean {
    return this.shares.has(client);
  }

  /** Adds the struct at `source[from, to)`. It must follow what the piece holds of the client. */
  add(client: number, clock: number, from: number, to: number): void {
    const share = this.last?.client === client ? this.last : this.shares.get(client);
    this.bytes += to - from;
    if (share === undefined) {
      this.open({ client, clock, structs: 1, first: undefined, from, to });
    } else {
      share.structs += 1;
      share.to = to;
      this.last = share;
    }
  }

  /** Adds part of a cut struct, whose end in the source is `to`. Only a piece that has nothing of the client takes it. */
  addPart(client: number, clock: number, bytes: Uint8Array, to: number): void {
    this.bytes += bytes.length;
    this.open({ client, clock, structs: 1, first: bytes, from: to, to });
  }

  private open(share: Share): void {
    this.bytes += SHARE_HEAD_BYTES;
    this.shares.set(share.client, share);
    this.last = share;
  }

  /** The piece as an update, with `deletes` (a set, or its encoding) or none. The piece is empty afterwards. */
  seal(deletes: DeleteSet | Uint8Array = NO_DELETES): Uint8Array {
    const writer = new ByteWriter(this.bytes + SHARE_HEAD_BYTES + (deletes instanceof Uint8Array ? deletes.length : 0));
    writer.varUint(this.shares.size);
    for (const share of [...this.shares.values()].sort((a, b) => b.client - a.client)) {
      writer.varUint(share.structs);
      writer.varUint(share.client);
      writer.varUint(share.clock);
      if (share.first !== undefined) writer.copy(share.first);
      writer.copy(this.source, share.from, share.to);
    }
    if (deletes instanceof Uint8Array) writer.copy(deletes);
    else deletes.write(writer);
    this.shares = new Map();
    this.last = undefined;
    this.bytes = 0;
    return writer.take();
  }
}
