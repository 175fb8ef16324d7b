import { CLOSE } from '@weft/protocol';
import { EMPTY_UPDATE } from '@weft/updates';
import { AppendPace } from './append-pace.ts';
import { ackBytes, AppendQueue, type Batch } from './append-queue.ts';
import type { ClientSocket } from './client-socket.ts';
import type { GatewayDocument } from './document.ts';
import { acknowledge } from './editing.ts';
import { FloorGate, type Opened } from './floor-gate.ts';
import type { LogPosition } from './log-position.ts';
import type { Member } from './member.ts';

/** So much makes a record worth its while: it does not wait for more. */
const fullBytes = 128 * 1024;
/** Timers count in milliseconds: what is less is now. */
const shortestPauseMs = 0.75;

/**
 * One slice's edits from here to their acknowledgement: `append-queue.ts` (what waits for the log, and what is in flight) -> the log -> with `ackAfter: database` `floor-gate.ts` (what waits for Postgres) ->
 * SyncStatus. Together they are bounded.
 */
export class AppendLane {
  readonly #queue = new AppendQueue<Member>();
  readonly #gate = new FloorGate<Member>();
  readonly #limits: AppendLimits;
  readonly #world: AppendWorld;
  #position: LogPosition = { logIdentity: '', position: 0 };
  readonly #pace = new AppendPace();
  #scheduled = false;

  constructor(limits: AppendLimits, world: AppendWorld) {
    this.#limits = limits;
    this.#world = world;
  }

  /** Of this gateway's last append; position 0 and identity '' before the first. */
  get position(): LogPosition {
    return this.#position;
  }

  /** Edits taken and not acknowledged. */
  get unacknowledgedBytes(): number {
    return this.#queue.unacknowledgedBytes + this.#gate.bytes;
  }

  /** True when every edit taken is in the log (and, with `ackAfter: database`, acknowledged). */
  get isSettled(): boolean {
    return this.#queue.isIdle && this.#gate.isEmpty;
  }

  hasRoom(bytes: number): boolean {
    const { unacknowledgedBytes } = this;
    // One update alone always has: else one larger than the bound could never be taken.
    return unacknowledgedBytes === 0 || unacknowledgedBytes + bytes + ackBytes <= this.#limits.unacknowledgedBytesMax;
  }

  /** What of a document the log has not confirmed yet. */
  unacknowledged(document: string): Uint8Array[] {
    return this.#queue.unacknowledged(document);
  }

  /** Takes the bytes over. `member` is told `acks` times when they are safe. */
  append(document: GatewayDocument, update: Uint8Array, member: Member, acks: number): void {
    // A dialect without acknowledgements has nothing to be told.
    const told = member.frames.syncStatus(true) ? acks : 0;
    this.#queue.add(document.name, document.partition, update, member, told);
    this.#scheduleFlush();
  }

  /**
   * What the member sent is in the log already, and so durable. With `ackAfter: database` it is not yet known to be in Postgres: an empty update goes behind it
   * through the log, and when that is committed, so is everything before it. So it does with earlier Updates of the member that may still be on their way (`acks` > 1).
   */
  acknowledgeKnown(document: GatewayDocument, member: Member, acks: number): void {
    if (this.#limits.ackAfter === 'log' && acks === 1) acknowledge(member, true);
    else if (member.frames.syncStatus(true)) this.append(document, EMPTY_UPDATE, member, acks);
  }

  /** The batch in flight is in the log, up to this position: acknowledge, and send the next. */
  appended(logIdentity: string, position: number): void {
    this.#position = { logIdentity, position };
    this.#pace.answered(this.#world.nowMs());
    const bytes = this.#queue.inFlightBytes;
    const acks = this.#queue.appended();
    if (this.#limits.ackAfter === 'database') this.#opened(this.#gate.add({ identity: logIdentity, position }, acks, bytes));
    else acknowledgeAll(acks);
    this.#flushInTurn();
  }

  /** Everything whole up to here is committed in Postgres. */
  floor(identity: string, position: number): void {
    this.#opened(this.#gate.floor({ identity, position }));
  }

  /** What arrives in one tick is one record. */
  #scheduleFlush(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#world.atEndOfTick(() => {
      this.#scheduled = false;
      this.#flushInTurn();
    });
  }

  /** Now, or when its turn has come. */
  #flushInTurn(): void {
    if (this.#scheduled || this.#queue.waitingBytes === 0 || this.#queue.isAppending) return;
    const pauseMs = this.#queue.waitingBytes >= fullBytes ? 0 : this.#pace.pauseMs(this.#world.nowMs());
    if (pauseMs < shortestPauseMs) return this.#flush();
    this.#scheduled = true;
    this.#world.after(pauseMs, () => {
      this.#scheduled = false;
      this.#flush();
    });
  }

  #flush(): void {
    const batch = this.#queue.next();
    if (!batch) return;
    this.#pace.left(this.#world.nowMs());
    this.#world.append(batch);
  }

  #opened({ released, lost }: Opened<Member>): void {
    acknowledgeAll(released);
    for (const member of lost)
      if (!member.gone) member.socket.close(CLOSE.tryAgainLater.code, 'the log was lost before the edit was saved: keep it, connect again');
  }
}

export interface AppendLimits {
  readonly ackAfter: 'log' | 'database';
  /** What may wait for one slice of the log, and with `ackAfter: database` for Postgres; beyond it clients are refused with 1013 and keep their edits. */
  readonly unacknowledgedBytesMax: number;
}

export interface AppendWorld {
  nowMs(): number;
  /** After the frames that arrived together have been handled. */
  atEndOfTick(run: () => void): void;
  after(ms: number, run: () => void): void;
  /** Append the batch, for as long as it takes, then call `appended`. One at a time. */
  append(batch: Batch<unknown>): void;
}

/** In one write a socket. */
function acknowledgeAll(members: readonly Member[]): void {
  for (const [socket, acked] of bySocket(members))
    if (acked.length === 1) acknowledge(acked[0]!, true);
    else
      socket.cork(() => {
        for (const member of acked) acknowledge(member, true);
      });
}

function bySocket(members: readonly Member[]): Map<ClientSocket, Member[]> {
  const sockets = new Map<ClientSocket, Member[]>();
  for (const member of members) {
    const known = sockets.get(member.socket);
    if (known) known.push(member);
    else sockets.set(member.socket, [member]);
  }
  return sockets;
}
