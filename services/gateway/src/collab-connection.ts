import { type Allowed, type Decision, mayEdit } from '@weft/grants';
import { CLOSE, COLLAB_PING, type CloseCode, CollabServerFrames, decodeCollabFrame, encodeAwareness, FrameError } from '@weft/protocol';
import type { ClientSocket } from './client-socket.ts';
import {
  type Address,
  type AddressedFrame,
  type AuthFrame,
  missedBy,
  type Missed,
  nothingMissed,
  type KeptFrame,
  type Open,
} from './collab-address.ts';
import { collabFrames } from './collab-frames.ts';
import { ConnectionRates, eventOf, isAbuse } from './connection-rates.ts';
import { BadFrame, Connection } from './connection.ts';
import type { ConnectionHandler, ConnectionLimits, ConnectionWorld } from './connection-world.ts';
import type { GatewayDocument } from './document.ts';
import { Member, NOTHING } from './member.ts';

/** A timer so late is no mere load: on a busy machine they come some ten milliseconds late. */
const stoodStillMs = 1_000;
/** A token that is over is good for so long: the next one may be on its way. */
const graceMs = 10_000;

/**
 * One socket in the Hocuspocus dialect: many documents, each with its own Auth (protocol.md). The order on open, per address: Authenticated, then presence, Step1 and Step2
 * once the worker has answered.
 */
export class CollabConnection implements ConnectionHandler {
  readonly connection: Connection;
  readonly #addresses = new Map<string, Address>();
  readonly #world: ConnectionWorld;
  readonly #limits: ConnectionLimits;
  readonly #rates: ConnectionRates;
  #keptBytes = 0;
  #keptFrames = 0;
  #checks = 0;
  #checksUnderWay = 0;
  /** A provider that sent its version (4.x) understands Ping. */
  #understandsPing = false;
  #authenticatedOnce = false;

  constructor(id: number, socket: ClientSocket, limits: ConnectionLimits, world: ConnectionWorld) {
    this.connection = new Connection(id, socket, limits.highWaterBytes);
    this.#limits = limits;
    this.#world = world;
    this.#rates = new ConnectionRates(limits, world.nowMs());
    this.#awaitAuth();
  }

  frame(bytes: Uint8Array, isBinary: boolean): void {
    try {
      this.#rates.frame(bytes.byteLength, this.#world.nowMs());
      if (!isBinary) throw new BadFrame(CLOSE.unauthorized, 'a text frame: binary frames are expected');
      if (bytes.byteLength > this.#limits.frameBytesMax)
        throw new BadFrame(CLOSE.frameTooLarge, `a frame of ${bytes.byteLength} bytes: at most ${this.#limits.frameBytesMax} are taken`);
      const frame = decodeCollabFrame(bytes, this.#limits);
      if (frame.type !== 'pong') this.#addressed(frame, bytes.byteLength);
    } catch (error) {
      this.#refuse(error);
    }
  }

  drained(): void {
    this.connection.drained();
  }

  closed(): void {
    this.connection.closed = true;
    this.connection.outbox.clear();
    for (const [name, address] of this.#addresses) this.#leave(name, address);
  }

  /** Providers reconnect after 30 s of silence (protocol.md). */
  keepAlive(): void {
    if (this.#understandsPing) return this.connection.socket.send(COLLAB_PING);
    for (const address of this.#addresses.values())
      if (address.kind === 'open') return this.connection.socket.send(address.member.frames.awareness(noPresence));
  }

  #addressed(frame: AddressedFrame, bytes: number): void {
    const address: Address = this.#addresses.get(frame.address) ?? { kind: 'unknown', kept: [] };
    if (frame.type === 'auth') return this.#auth(frame, bytes, address);
    switch (address.kind) {
      case 'unknown':
        if (frame.type === 'close') return this.#leave(frame.address, address);
        // Its Auth was refused for want of room, or will be; the documents that are open go on.
        if (this.#isFullFor(frame.address) && this.#authenticatedOnce) return;
        this.#addresses.set(frame.address, address);
        return this.#keep(address.kept, frame, bytes);
      case 'checking':
        return this.#keep(address.kept, frame, bytes);
      case 'denied':
        if (frame.type === 'close') this.#leave(frame.address, address);
        // With its Step1 a provider counts anew, from 1: that is the Step2 it will send.
        else if (frame.type === 'sync-step1') address.missed = { asked: true, counted: 1 };
        else if (frame.type === 'update') address.missed = { ...address.missed, counted: address.missed.counted + 1 };
        return;
      case 'open':
        return this.#handle(frame, address.member, address.document);
    }
  }

  #keep(kept: KeptFrame[], frame: AddressedFrame, bytes: number): void {
    this.#keptBytes += bytes;
    this.#keptFrames += 1;
    const { preAuthBytesMax, preAuthFramesMax, documentsMax } = this.#limits;
    if (this.#keptBytes > preAuthBytesMax || this.#keptFrames > preAuthFramesMax || this.#addresses.size > documentsMax)
      throw new BadFrame(
        CLOSE.preAuthLimits,
        `too much before authentication: at most ${preAuthFramesMax} frames, ${preAuthBytesMax} bytes, ${documentsMax} documents`,
      );
    kept.push({ frame: owned(frame), bytes });
  }

  #isFullFor(address: string): boolean {
    return !this.#addresses.has(address) && this.#addresses.size >= this.#limits.documentsMax;
  }

  #auth(frame: AuthFrame, bytes: number, address: Address): void {
    if (frame.version !== undefined) this.#understandsPing = true;
    if (this.#isFullFor(frame.address)) {
      this.connection.socket.send(
        new CollabServerFrames(frame.address).permissionDenied(
          `at most ${this.#limits.documentsMax} documents may be open on one connection`,
        ),
      );
      return;
    }
    // A page that opens, closes and opens again before auth has answered: the second opening has its own turn.
    if (address.kind === 'checking' && address.kept.some((kept) => kept.frame.type === 'close'))
      return this.#keep(address.kept, frame, bytes);
    this.#check(frame, address);
  }

  #check(frame: AuthFrame, address: Address): void {
    // Each document once, and each once more for a page that opens it again: what is above is no page.
    if (this.#checksUnderWay >= 2 * this.#limits.documentsMax)
      throw new BadFrame(CLOSE.rateLimited, `more than ${2 * this.#limits.documentsMax} Auths that wait for an answer`);
    this.#rates.document(this.#world.nowMs());
    this.#checksUnderWay += 1;
    this.#checks += 1;
    const check = this.#checks;
    if (address.kind === 'open') address.check = check;
    else if (address.kind === 'denied') this.#addresses.set(frame.address, { kind: 'checking', kept: [], check, missed: address.missed });
    else this.#addresses.set(frame.address, { ...address, kind: 'checking', check, missed: nothingMissed });
    this.#world.authorize(frame.token, frame.document).then(
      (decision) => this.#decided(frame, check, decision),
      (error: unknown) => this.#undecided(frame, check, error),
    );
  }

  #decided(frame: AuthFrame, check: number, decision: Decision): void {
    this.#checksUnderWay -= 1;
    const address = this.#addresses.get(frame.address);
    if (this.connection.closed || !address) return;
    if (address.kind === 'open') return this.#refreshed(frame, address, check, decision);
    // An answer to an earlier Auth of this address: the later one counts.
    if (address.kind !== 'checking' || address.check !== check) return;
    this.#forgetKept(address.kept);
    if (decision.allowed) {
      const { member, document } = this.#open(frame, check, decision);
      const { asked, counted } = address.missed;
      if (asked && !address.kept.some((kept) => kept.frame.type === 'sync-step1')) {
        member.comesBack(counted);
        document.join(member, NOTHING);
      }
    } else this.#deny(frame, decision.reason, address.missed);
    try {
      for (const kept of address.kept) {
        // One of them may have ended the connection: nothing of the rest may be taken for somebody who is gone.
        if (this.connection.closed) return;
        this.#addressed(kept.frame, kept.bytes);
      }
    } catch (error) {
      this.#refuse(error);
    }
  }

  #open(frame: AuthFrame, check: number, allowed: Allowed): Open {
    this.#authenticatedOnce = true;
    const { address: name, token } = frame;
    const document = this.#world.document(frame.document);
    const editor = mayEdit(allowed.role);
    const member = new Member(this.connection.socket, this.connection.outbox, collabFrames(document, name), this.connection.id, editor);
    const right = this.#world.rights.hold(
      frame.document,
      { token, allowed },
      {
        graceMs,
        decided: (decision) =>
          decision.allowed ? this.#regrade(name, open, decision) : this.#withdraw(name, open, decision.reason, CLOSE.forbidden),
        ending: () => this.connection.socket.send(new CollabServerFrames(name).askForToken()),
        ended: () => this.#withdraw(name, open, 'token expired', CLOSE.unauthorized),
      },
    );
    const open: Open = { kind: 'open', member, document, right, check, decided: check, ends: undefined };
    this.#addresses.set(name, open);
    this.#world.enter(document, member, this.connection, { token, allowed });
    this.connection.socket.send(new CollabServerFrames(name).authenticated(scopeOf(member)));
    return open;
  }

  /** What was taken of its edits stays; what comes from now on is taken or refused by what it may now. */
  #regrade(name: string, { member, document }: Open, { role }: Allowed): void {
    if (member.mayEdit === mayEdit(role)) return;
    document.regrade(member, mayEdit(role));
    this.connection.socket.send(new CollabServerFrames(name).authenticated(scopeOf(member)));
  }

  /** The right to the document is gone. Who has nothing else open here has no business on the socket. */
  #withdraw(name: string, address: Open, reason: string, close: CloseCode): void {
    if (address.check !== address.decided) {
      address.ends ??= { check: address.check, reason, close };
      return;
    }
    const missed = missedBy(address);
    this.#leave(name, address);
    this.#deny({ address: name, document: address.document.name }, reason, missed);
    for (const { kind } of this.#addresses.values()) if (kind !== 'denied') return;
    this.connection.close(close, reason);
  }

  #deny(frame: { address: string; document: string }, reason: string, missed: Missed): void {
    this.#addresses.set(frame.address, { kind: 'denied', missed });
    this.#world.report('denied', { connection: this.connection.id, document: frame.document, reason });
    this.connection.socket.send(new CollabServerFrames(frame.address).permissionDenied(reason));
  }

  /** Auth on an open document: a new token, perhaps other rights. The latest counts; or, where the right was gone meanwhile, the latest of then. */
  #refreshed(frame: AuthFrame, address: Open, check: number, decision: Decision): void {
    if (address.check !== check && address.ends?.check !== check) return;
    address.decided = check;
    address.ends = undefined;
    if (!decision.allowed) {
      const missed = missedBy(address);
      this.#leave(frame.address, address);
      return this.#deny(frame, decision.reason, missed);
    }
    this.#world.rights.renew(address.right, { token: frame.token, allowed: decision });
    address.document.regrade(address.member, mayEdit(decision.role));
    this.connection.socket.send(new CollabServerFrames(frame.address).authenticated(scopeOf(address.member)));
  }

  /** Nobody could be asked. Who has the document open keeps it for now. */
  #undecided(frame: AuthFrame, check: number, error: unknown): void {
    this.#checksUnderWay -= 1;
    this.#world.report('auth-unavailable', { connection: this.connection.id, document: frame.document, error: String(error) });
    const address = this.#addresses.get(frame.address);
    if (address?.kind !== 'open') return this.connection.close(CLOSE.tryAgainLater, 'rights cannot be checked at the moment: try again');
    const { ends } = address;
    if (address.check === check) {
      address.decided = check;
      this.#world.rights.renewLater(address.right, frame.token);
    }
    if (ends?.check !== check) return;
    address.decided = address.check;
    this.#withdraw(frame.address, address, ends.reason, ends.close);
  }

  #handle(frame: AddressedFrame, member: Member, document: GatewayDocument): void {
    const { editing } = this.#world;
    switch (frame.type) {
      case 'sync-step1':
        return editing.step1(document, member, frame.stateVector);
      case 'sync-step2':
        return editing.step2(document, member, frame.update);
      case 'update':
        return editing.update(document, member, frame.update);
      case 'awareness':
        return editing.presence(document, member, frame.entries, this.connection.members);
      case 'query-awareness':
        return editing.queryPresence(document, member);
      case 'stateless':
        return editing.stateless(document, member, frame.payload);
      case 'close': {
        const address = this.#addresses.get(frame.address);
        if (address) this.#leave(frame.address, address);
        return;
      }
      case 'broadcast-stateless': {
        // Server to server only: a client that sends it is refused, and the document closed (protocol.md).
        const address = this.#addresses.get(frame.address);
        if (address) this.#leave(frame.address, address);
        return this.connection.socket.send(new CollabServerFrames(frame.address).close('BroadcastStateless is not for clients'));
      }
      case 'auth':
        return;
    }
  }

  #leave(name: string, address: Address): void {
    this.#addresses.delete(name);
    if (address.kind === 'open') {
      this.#world.rights.drop(address.right);
      this.#world.leave(address.document, address.member, this.connection);
    } else if (address.kind !== 'denied') this.#forgetKept(address.kept);
  }

  #forgetKept(kept: readonly KeptFrame[]): void {
    this.#keptFrames -= kept.length;
    for (const { bytes } of kept) this.#keptBytes -= bytes;
  }

  /** A timer that comes late tells that this process stood still, or its machine: an Auth may have come meanwhile that nobody has read yet. Its time begins anew. */
  #awaitAuth(): void {
    const { authDeadlineMs } = this.#limits;
    const dueMs = this.#world.nowMs() + authDeadlineMs;
    this.#world.after(authDeadlineMs, () => {
      if (this.connection.closed || this.#authenticatedOnce) return;
      // Nor is who brought one sent away because we take long to be told what it is worth.
      if (this.#checksUnderWay > 0 || this.#world.nowMs() - dueMs > stoodStillMs) return this.#awaitAuth();
      this.connection.close(CLOSE.timeout, `no valid Auth within ${authDeadlineMs} ms`);
    });
  }

  #refuse(error: unknown): void {
    if (error instanceof FrameError && error.code === 'bad-name' && error.address !== undefined) {
      this.#world.report('denied', { connection: this.connection.id, reason: error.message });
      return this.connection.socket.send(new CollabServerFrames(error.address).permissionDenied(error.detail));
    }
    if (!(error instanceof BadFrame) && !(error instanceof FrameError)) throw error;
    // The dialect prescribes 4401 for what cannot be read (protocol.md).
    const close = error instanceof BadFrame ? error.close : CLOSE.unauthorized;
    this.#world.report(eventOf(close), { connection: this.connection.id, code: close.code, reason: error.message });
    if (isAbuse(error)) this.connection.socket.abused?.();
    this.connection.close(close, error.message);
  }
}

const noPresence = encodeAwareness([]).slice();

/** What it bears was the socket's. */
function owned(frame: AddressedFrame): AddressedFrame {
  if (frame.type === 'sync-step1') return { ...frame, stateVector: frame.stateVector.slice() };
  if (frame.type === 'sync-step2' || frame.type === 'update') return { ...frame, update: frame.update.slice() };
  return frame;
}

function scopeOf({ mayEdit: editor }: Member): 'read-write' | 'readonly' {
  return editor ? 'read-write' : 'readonly';
}
