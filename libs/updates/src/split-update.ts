import { DeleteSet } from './delete-set.ts';
import { Piece } from './piece.ts';
import { checkSectionOrder } from './scan-update.ts';
import { cutStruct, isCuttable } from './struct-part.ts';
import { SKIP, UpdateReader } from './update-reader.ts';

/**
 * Cuts a complete update (V1, a whole document) into updates of about `bytesTarget` bytes. Applied in this order to an empty document
 * they never leave a struct or a delete waiting, as long as the whole does not, and make the same document.
 *
 * Procedure "emit in causal order": each client's structs are a queue. The next struct of the highest client is emitted as soon as
 * the structs it names (origin, right origin, parent) are; if one is not, its client's queue goes first, up to it. This is Yjs' own
 * order of integration (utils/encoding.js `integrateStructs`), on bytes: every struct is a slice of the original, so what is kept in memory is a few numbers a client.
 * A piece is a stretch of that order. Structs that wait for what the update does not have come after it, deletes last.
 *
 * Text and value lists larger than a piece are cut too; a binary, an embed or a subdocument cannot be, its piece is larger.
 * Throws `MalformedUpdate`.
 *
 * `continues`: the update is a part of a document whose reader has all that came before it: what it names and does not bring counts as there.
 */
export function splitUpdate(update: Uint8Array, bytesTarget: number, { continues = false }: { continues?: boolean } = {}): Uint8Array[] {
  const reader = new UpdateReader(update);
  const queues = readQueues(reader, continues);
  const deletes = new DeleteSet();
  deletes.read(reader);
  reader.end();
  const splitter = new Splitter(update, queues, bytesTarget, continues);
  splitter.emitAll();
  return splitter.finish(deletes);
}

/** One client's structs not yet emitted: the next one's place and clock (so `clock` is also how far the client is emitted). */
interface Queue {
  readonly client: number;
  pos: number;
  clock: number;
  structs: number;
  /** Its next struct waits for something the update does not have. */
  waiting: boolean;
  /** Emitted on behalf of others: up to this clock (inclusive) before they can go on. -1: not on the stack. */
  neededClock: number;
}

function readQueues(reader: UpdateReader, continues: boolean): Queue[] {
  const queues: Queue[] = [];
  const sections = reader.varUint();
  let lastClient = Infinity;
  for (let i = 0; i < sections; i++) {
    const at = reader.pos;
    const structs = reader.sectionHead();
    const { client, clock } = reader;
    checkSectionOrder(client, lastClient, at);
    lastClient = client;
    queues.push({ client, pos: reader.pos, clock, structs, waiting: clock > 0 && !continues, neededClock: -1 });
    for (let j = 0; j < structs; j++) {
      reader.struct();
      reader.clock += reader.length;
    }
  }
  return queues;
}

class Splitter {
  private readonly queues: readonly Queue[];
  private readonly byClient: ReadonlyMap<number, Queue>;
  private readonly bytesTarget: number;
  private readonly continues: boolean;
  private readonly reader: UpdateReader;
  private readonly piece: Piece;
  private readonly pieces: Uint8Array[] = [];

  constructor(update: Uint8Array, queues: readonly Queue[], bytesTarget: number, continues: boolean) {
    this.continues = continues;
    this.queues = queues;
    this.byClient = new Map(queues.map((queue) => [queue.client, queue]));
    this.bytesTarget = bytesTarget;
    this.reader = new UpdateReader(update);
    this.piece = new Piece(update);
  }

  /** Queues come in descending order of client, which is the order Yjs takes them in. */
  emitAll(): void {
    for (const queue of this.queues) this.emitQueue(queue);
    for (const queue of this.queues) this.emitWaiting(queue);
  }

  finish(deletes: DeleteSet): Uint8Array[] {
    const { pieces, piece } = this;
    const updates = deletes.toUpdates(this.bytesTarget);
    const only = updates.length === 1 ? updates[0]! : undefined;
    if (only !== undefined && !piece.isEmpty && piece.bytes + only.length <= this.bytesTarget) {
      pieces.push(piece.seal(deletes));
      return pieces;
    }
    if (!piece.isEmpty) pieces.push(piece.seal());
    pieces.push(...updates);
    return pieces;
  }

  private emitQueue(first: Queue): void {
    first.neededClock = Infinity;
    const stack: Queue[] = [first];
    while (stack.length > 0) {
      const queue = stack[stack.length - 1]!;
      if (queue.structs === 0 || queue.clock > queue.neededClock) {
        queue.neededClock = -1;
        stack.pop();
        continue;
      }
      const missing = queue.waiting ? 'never' : this.readNext(queue);
      if (missing === undefined) {
        this.emitNext(queue);
      } else if (missing === 'never') {
        for (const blocked of stack) {
          blocked.waiting = true;
          blocked.neededClock = -1;
        }
        return;
      } else {
        stack.push(missing);
      }
    }
  }

  /** Reads the head of the queue's next struct. Gives the queue that must go first, if any; 'never': nothing here can help. */
  private readNext(queue: Queue): Queue | 'never' | undefined {
    const { reader } = this;
    reader.pos = queue.pos;
    reader.client = queue.client;
    reader.clock = queue.clock;
    reader.structHead();
    if (reader.info === SKIP) return 'never';
    return (
      this.missing(queue, reader.originClient, reader.originClock) ??
      this.missing(queue, reader.rightClient, reader.rightClock) ??
      this.missing(queue, reader.parentClient, reader.parentClock)
    );
  }

  private missing(queue: Queue, client: number, clock: number): Queue | 'never' | undefined {
    if (client === -1 || client === queue.client) return undefined;
    const needed = this.byClient.get(client);
    if (needed === undefined) return this.continues ? undefined : 'never';
    if (needed.clock > clock) return undefined;
    // On the stack already: structs that wait for one another, which no editing makes.
    if (needed.waiting || needed.structs === 0 || needed.neededClock >= 0) return 'never';
    needed.neededClock = clock;
    return needed;
  }

  /** Emits the struct whose head was just read. */
  private emitNext(queue: Queue): void {
    const { reader, piece } = this;
    reader.structContent();
    const bytes = reader.pos - reader.start;
    if (bytes > this.bytesTarget && isCuttable(reader)) {
      this.emitCut(queue);
    } else {
      piece.add(queue.client, queue.clock, reader.start, reader.pos);
    }
    this.advance(queue);
    this.sealFull();
  }

  private emitCut(queue: Queue): void {
    const { reader, piece } = this;
    for (const part of cutStruct(reader, this.bytesTarget)) {
      if (!piece.isEmpty) this.pieces.push(piece.seal());
      piece.addPart(queue.client, part.clock, part.bytes, reader.pos);
    }
  }

  /** What is left of a queue, as it is. A Skip is left out where a piece starts after it anyway. */
  private emitWaiting(queue: Queue): void {
    const { reader, piece } = this;
    while (queue.structs > 0) {
      reader.pos = queue.pos;
      reader.client = queue.client;
      reader.clock = queue.clock;
      reader.struct();
      if (reader.info !== SKIP || piece.has(queue.client)) piece.add(queue.client, queue.clock, reader.start, reader.pos);
      this.advance(queue);
      this.sealFull();
    }
  }

  private advance(queue: Queue): void {
    queue.pos = this.reader.pos;
    queue.clock = this.reader.clock + this.reader.length;
    queue.structs -= 1;
  }

  private sealFull(): void {
    if (this.piece.bytes >= this.bytesTarget) this.pieces.push(this.piece.seal());
  }
}
