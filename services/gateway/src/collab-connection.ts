import { type Allowed, type Decision, mayEdit } from '@weft/grants';
import {
  CLOSE,
  COLLAB_PING,
  type CollabAddress,
  type CollabClientMessage,
  CollabServerFrames,
  decodeCollabFrame,
  encodeAwareness,
  FrameError,
} from '@weft/protocol';
import type { ClientSocket } from './client-socket.ts';
import { BadFrame, Connection } from './connection.ts';
import type { GatewayDocument } from './document.ts';
import { type DocumentFrames, Member } from './member.ts';
import type { ConnectionHandler, ConnectionLimits, ConnectionWorld } from './connection-world.ts';

/** A timer so late is no mere load: on a busy machine they come some ten milliseconds late. */
const stoodStillMs = 1_000;

/**
 * What one address (a document, as one provider of the socket calls it) is going through. `check` numbers the Auth whose answer counts: the latest.
 * - `unknown`: frames came before an Auth: kept.
 * - `checking`: auth is being asked: frames kept, CLOSE and what follows it too, so that they are handled in order.
 * - `denied`: told so; frames are dropped until another Auth comes.
 * - `open`.
 */
type Address =
  | { readonly kind: 'unknown'; readonly kept: KeptFrame[] }
  | { readonly kind: 'checking'; readonly kept: KeptFrame[]; readonly check: number }
  | { readonly kind: 'denied' }
  | { readonly kind: 'open'; readonly member: Member; readonly document: GatewayDocument; check: number };

interface KeptFrame {
  readonly frame: AddressedFrame;
  readonly bytes: number;
}

/**
 * One socket in the Hocuspocus dialect: many documents, each with its own Auth (protocol.md). The order on open, per address: Authenticated, then presence, Step1 and Step2
 * once the worker has answered.
 */
export class CollabConnection implements ConnectionHandler {
  readonly connection: Connection;
  readonly #addresses = new Map<string, Address>();
  readonly #world: ConnectionWorld;
  readonly #limits: ConnectionLimits;
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
    this.#awaitAuth();
  }

  frame(bytes: Uint8Array, isBinary: boolean): void {
    try {
      if (!isBinary) throw new BadFrame(CLOSE.unauthorized, 'a text frame: binary frames are expected');
      if (bytes.byteLength > this.#limits.frameBytesMax)
        throw new BadFrame(CLOSE.frameTooLarge, `a frame of ${bytes.byteLength} bytes: at most ${this.#limits.frameBytesMax} are taken`);
      const frame = decodeCollabFrame(bytes, { awarenessEntriesMax: this.#limits.awarenessEntriesMax });
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
    const address = this.#addresses.get(frame.address) ?? { kind: 'unknown', kept: [] };
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
    kept.push({ frame, bytes });
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
    this.#checksUnderWay += 1;
    this.#checks += 1;
    const check = this.#checks;
    if (address.kind === 'open') address.check = check;
    else this.#addresses.set(frame.address, { kind: 'checking', kept: address.kind === 'denied' ? [] : address.kept, check });
    this.#world.authorize(frame.token, frame.document).then(
      (decision) => this.#decided(frame, check, decision),
      (error: unknown) => this.#undecided(frame, error),
    );
  }

  #decided(frame: AuthFrame, check: number, decision: Decision): void {
    this.#checksUnderWay -= 1;
    const address = this.#addresses.get(frame.address);
    if (this.connection.closed || !address) return;
    // An answer to an earlier Auth of this address: the later one counts.
    if ((address.kind !== 'checking' && address.kind !== 'open') || address.check !== check) return;
    if (address.kind === 'open') return this.#refreshed(frame.address, address, decision);
    this.#forgetKept(address.kept);
    if (decision.allowed) this.#open(frame, check, decision);
    else this.#deny(frame, decision.reason);
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

  #open(frame: AuthFrame, check: number, { role, who }: Allowed): void {
    this.#authenticatedOnce = true;
    const editor = mayEdit(role);
    const document = this.#world.document(frame.document);
    const member = new Member(this.connection.socket, this.connection.outbox, framesFor(frame.address), this.connection.id, editor);
    this.#addresses.set(frame.address, { kind: 'open', member, document, check });
    this.#world.enter(document, member, this.connection, who);
    this.connection.socket.send(new CollabServerFrames(frame.address).authenticated(editor ? 'read-write' : 'readonly'));
  }

  #deny(frame: { address: string; document: string }, reason: string): void {
    this.#addresses.set(frame.address, { kind: 'denied' });
    this.#world.report('denied', { connection: this.connection.id, document: frame.document, reason });
    this.connection.socket.send(new CollabServerFrames(frame.address).permissionDenied(reason));
  }

  /** Auth on an open document: a new token, perhaps other rights. */
  #refreshed(name: string, address: Extract<Address, { kind: 'open' }>, decision: Decision): void {
    if (!decision.allowed) {
      this.#leave(name, address);
      return this.#deny({ address: name, document: address.document.name }, decision.reason);
    }
    address.member.mayEdit = mayEdit(decision.role);
    this.connection.socket.send(new CollabServerFrames(name).authenticated(address.member.mayEdit ? 'read-write' : 'readonly'));
  }

  #undecided(frame: { document: string }, error: unknown): void {
    this.#checksUnderWay -= 1;
    this.#world.report('auth-unavailable', { connection: this.connection.id, document: frame.document, error: String(error) });
    this.connection.close(CLOSE.tryAgainLater, 'rights cannot be checked at the moment: try again');
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
    if (address.kind === 'open') this.#world.leave(address.document, address.member, this.connection);
    else if (address.kind !== 'denied') this.#forgetKept(address.kept);
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
      if (this.#world.nowMs() - dueMs > stoodStillMs) return this.#awaitAuth();
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
    this.#world.report('bad-frame', { connection: this.connection.id, code: close.code, reason: error.message });
    this.connection.close(close, error.message);
  }
}

type AddressedFrame = CollabAddress & CollabClientMessage;
type AuthFrame = CollabAddress & Extract<CollabClientMessage, { type: 'auth' }>;

const noPresence = encodeAwareness([]);

function framesFor(address: string): DocumentFrames {
  const frames = new CollabServerFrames(address);
  return {
    // A session-aware provider has an address of its own, and so a topic of its own.
    topic: `c/${address}`,
    step1: (stateVector) => frames.syncStep1(stateVector),
    step2: (update) => frames.syncStep2(update),
    update: (update, into) => frames.update(update, into),
    awareness: (awareness) => frames.awareness(awareness),
    stateless: (payload) => frames.stateless(payload),
    syncStatus: (taken) => frames.syncStatus(taken),
  };
}
