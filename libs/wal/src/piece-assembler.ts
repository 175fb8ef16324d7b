import type { EntryPayload } from './record.ts';

type Piece = Extract<EntryPayload, { kind: 'piece' }>;

export interface PieceLimits {
  /** Bytes of unfinished updates kept, over all origins. */
  readonly bytesMax: number;
  /** Bytes of one unfinished update. */
  readonly updateBytesMax: number;
  /** Origins with an unfinished update; each has at most one (rule P2). */
  readonly originsMax: number;
  /** An unfinished run whose last piece is older than this, by the log's clock, is given up (rule P6). */
  readonly silenceMsMax: number;
}

export const pieceLimitsDefault: PieceLimits = {
  bytesMax: 512 * 1024 * 1024,
  updateBytesMax: 128 * 1024 * 1024,
  originsMax: 1_024,
  silenceMsMax: 600_000,
};

/**
 * - `beginning-missing`: it began before reading did. The writer's update was given up below the floor, or reading began too late.
 * - `superseded`: the same origin began another one: it starts its update again (rule P5), or never will.
 * - `silent`: the origin died; nobody was told that this update is safe.
 * - `over-bound`: `PieceLimits` did not suffice. The only reason that can lose an acknowledged edit for this reader: alarm, raise the limit, read again.
 */
export type DropReason = 'beginning-missing' | 'superseded' | 'silent' | 'over-bound';

export interface DroppedPieces {
  readonly reason: DropReason;
  readonly origin: string;
  readonly document: string;
  readonly pieceId: number;
  /** Position of the first piece seen of it. */
  readonly position: number;
  readonly bytes: number;
}

export interface PieceSource {
  readonly origin: string;
  readonly document: string;
  readonly position: number;
  /** When the log took the record, ms. */
  readonly atMs: number;
}

interface Run {
  readonly document: string;
  readonly pieceId: number;
  readonly count: number;
  readonly firstPosition: number;
  readonly parts: Uint8Array[];
  bytes: number;
  lastAtMs: number;
}

/** Ids at or below `done` are finished or given up: their pieces, resent, say nothing new. */
interface Origin {
  done: number;
  lastAtMs: number;
  run: Run | undefined;
}

/** Origins remembered for their `done`. The ones silent for longest are forgotten; a resend of theirs is then reported, harmlessly, as `beginning-missing`. */
const originsRememberedMax = 4_096;

/**
 * Puts pieces of one slice together again, as they come from the log in order. Bears records that were resent, and reading that begins in the
 * middle. The caller owns the floor: it must stay below `oldestIncompletePosition`, or a restart would lose that update's beginning.
 */
export class PieceAssembler {
  readonly #limits: PieceLimits;
  readonly #onDropped: (dropped: DroppedPieces) => void;
  readonly #origins = new Map<string, Origin>();
  #runs = 0;
  #bytes = 0;

  constructor(onDropped: (dropped: DroppedPieces) => void, limits: Partial<PieceLimits> = {}) {
    this.#limits = { ...pieceLimitsDefault, ...limits };
    this.#onDropped = onDropped;
  }

  /** Bytes held. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The first position an unfinished update needs; the floor must stay below it. */
  get oldestIncompletePosition(): number | undefined {
    let oldest: number | undefined;
    for (const { run } of this.#origins.values())
      if (run && (oldest === undefined || run.firstPosition < oldest)) oldest = run.firstPosition;
    return oldest;
  }

  /** Gives the whole update when `piece` was its last one. It copies: the records may go. */
  add(source: PieceSource, piece: Piece): Uint8Array | undefined {
    const origin = this.#originOf(source);
    if (piece.pieceId <= origin.done) return undefined;
    const current = this.#currentRun(origin, source, piece);
    if (!current || piece.index < current.parts.length) return undefined;
    if (piece.index > current.parts.length || piece.count !== current.count || source.document !== current.document) {
      this.#drop(source.origin, origin, 'beginning-missing');
      return undefined;
    }
    return this.#append(source, origin, current, piece);
  }

  /** Call it with each record's time: gives up runs whose origin fell silent. */
  expire(atMs: number): void {
    if (this.#runs === 0) return;
    for (const [name, origin] of this.#origins) {
      if (origin.run && atMs - origin.run.lastAtMs > this.#limits.silenceMsMax) this.#drop(name, origin, 'silent');
    }
  }

  /** The run this piece belongs to, begun here if it is a first piece; undefined when there is nothing to add it to. */
  #currentRun(origin: Origin, source: PieceSource, piece: Piece): Run | undefined {
    const { run } = origin;
    if (run?.pieceId === piece.pieceId) return run;
    // Ids of an origin grow and its runs follow one another: an older one comes from a record that was resent.
    if (run && piece.pieceId < run.pieceId) return undefined;
    if (run) this.#drop(source.origin, origin, 'superseded');
    if (piece.index !== 0) {
      origin.done = piece.pieceId;
      this.#report(source.origin, 'beginning-missing', source.document, piece.pieceId, source.position, piece.bytes.byteLength);
      return undefined;
    }
    if (this.#runs >= this.#limits.originsMax) this.#dropOldest();
    this.#runs += 1;
    origin.run = {
      document: source.document,
      pieceId: piece.pieceId,
      count: piece.count,
      firstPosition: source.position,
      parts: [],
      bytes: 0,
      lastAtMs: source.atMs,
    };
    return origin.run;
  }

  #append(source: PieceSource, origin: Origin, run: Run, piece: Piece): Uint8Array | undefined {
    run.lastAtMs = source.atMs;
    if (run.bytes + piece.bytes.byteLength > this.#limits.updateBytesMax) {
      this.#drop(source.origin, origin, 'over-bound');
      return undefined;
    }
    run.parts.push(piece.bytes.slice());
    run.bytes += piece.bytes.byteLength;
    this.#bytes += piece.bytes.byteLength;
    if (run.parts.length === run.count) {
      this.#end(origin);
      return joined(run);
    }
    while (this.#bytes > this.#limits.bytesMax) this.#dropOldest();
    return undefined;
  }

  #originOf({ origin: name, atMs }: PieceSource): Origin {
    let origin = this.#origins.get(name);
    if (!origin) {
      if (this.#origins.size >= originsRememberedMax) this.#forgetAnOrigin();
      origin = { done: 0, lastAtMs: atMs, run: undefined };
      this.#origins.set(name, origin);
    }
    origin.lastAtMs = atMs;
    return origin;
  }

  #forgetAnOrigin(): void {
    let oldest: [string, Origin] | undefined;
    for (const entry of this.#origins) if (!entry[1].run && (!oldest || entry[1].lastAtMs < oldest[1].lastAtMs)) oldest = entry;
    if (oldest) this.#origins.delete(oldest[0]);
  }

  #dropOldest(): void {
    let oldest: [string, Origin, Run] | undefined;
    for (const [name, origin] of this.#origins) {
      if (origin.run && (!oldest || origin.run.firstPosition < oldest[2].firstPosition)) oldest = [name, origin, origin.run];
    }
    if (oldest) this.#drop(oldest[0], oldest[1], 'over-bound');
  }

  #drop(name: string, origin: Origin, reason: DropReason): void {
    const { run } = origin;
    if (!run) return;
    this.#end(origin);
    this.#report(name, reason, run.document, run.pieceId, run.firstPosition, run.bytes);
  }

  #end(origin: Origin): void {
    const { run } = origin;
    if (!run) return;
    origin.done = run.pieceId;
    origin.run = undefined;
    this.#runs -= 1;
    this.#bytes -= run.bytes;
  }

  #report(origin: string, reason: DropReason, document: string, pieceId: number, position: number, bytes: number): void {
    this.#onDropped({ reason, origin, document, pieceId, position, bytes });
  }
}

function joined(run: Run): Uint8Array {
  const update = new Uint8Array(run.bytes);
  let at = 0;
  for (const part of run.parts) {
    update.set(part, at);
    at += part.byteLength;
  }
  return update;
}
