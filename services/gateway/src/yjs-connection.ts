import { CLOSE, decodeYFrame, encodeAwareness, FrameError, yCloseCode, type YClientFrame, yServerFrames } from '@weft/protocol';
import type { ClientSocket } from './client-socket.ts';
import { ConnectionRates, eventOf, isAbuse } from './connection-rates.ts';
import { BadFrame, Connection } from './connection.ts';
import type { ConnectionHandler, ConnectionLimits, ConnectionWorld } from './connection-world.ts';
import type { GatewayDocument } from './document.ts';
import { type DocumentFrames, Member } from './member.ts';
import { mayEdit } from '@weft/grants';
import type { Brought, Right } from './right.ts';

/** One socket in the y-websocket dialect: one document, authenticated at the upgrade. There are no acknowledgements in it. */
export class YjsConnection implements ConnectionHandler {
  readonly connection: Connection;
  readonly #document: GatewayDocument;
  readonly #member: Member;
  readonly #right: Right;
  readonly #world: ConnectionWorld;
  readonly #limits: ConnectionLimits;
  readonly #rates: ConnectionRates;

  constructor(id: number, socket: ClientSocket, document: string, brought: Brought, limits: ConnectionLimits, world: ConnectionWorld) {
    this.connection = new Connection(id, socket, limits.highWaterBytes, yCloseCode);
    this.#rates = new ConnectionRates(limits, world.nowMs());
    this.#world = world;
    this.#limits = limits;
    const { role } = brought.allowed;
    this.#document = world.document(document);
    const member = new Member(
      socket,
      this.connection.outbox,
      this.#document.framesOf(topicOf(document)) ?? framesFor(document),
      id,
      mayEdit(role),
    );
    this.#member = member;
    // The dialect has no way to bring another token, and none to say what may be done.
    this.#right = world.rights.hold(document, brought, {
      graceMs: 0,
      decided: (decision) => {
        if (decision.allowed) this.#document.regrade(member, mayEdit(decision.role));
        else this.connection.close(CLOSE.forbidden, decision.reason);
      },
      ending: () => {},
      ended: () => this.connection.close(CLOSE.unauthorized, 'token expired'),
    });
    world.enter(this.#document, member, this.connection, brought);
  }

  frame(bytes: Uint8Array, isBinary: boolean): void {
    try {
      this.#rates.frame(bytes.byteLength, this.#world.nowMs());
      if (!isBinary) throw new BadFrame(CLOSE.badFrame, 'a text frame: binary frames are expected');
      if (bytes.byteLength > this.#limits.frameBytesMax)
        throw new BadFrame(CLOSE.frameTooLarge, `a frame of ${bytes.byteLength} bytes: at most ${this.#limits.frameBytesMax} are taken`);
      this.#handle(decodeYFrame(bytes, this.#limits));
    } catch (error) {
      if (!(error instanceof BadFrame) && !(error instanceof FrameError)) throw error;
      const close = error instanceof BadFrame ? error.close : CLOSE.badFrame;
      this.#world.report(eventOf(close), {
        connection: this.connection.id,
        document: this.#document.name,
        code: yCloseCode(close).code,
        reason: error.message,
      });
      if (isAbuse(error)) this.connection.socket.abused?.();
      this.connection.close(close, error.message);
    }
  }

  drained(): void {
    this.connection.drained();
  }

  closed(): void {
    this.connection.closed = true;
    this.connection.outbox.clear();
    this.#world.rights.drop(this.#right);
    this.#world.leave(this.#document, this.#member, this.connection);
  }

  /** Providers reconnect after 30 s of silence (protocol.md): an empty awareness says nothing and counts. */
  keepAlive(): void {
    this.connection.socket.send(yServerFrames.awareness(noPresence));
  }

  #handle(frame: YClientFrame): void {
    const { editing } = this.#world;
    switch (frame.type) {
      case 'sync-step1':
        return editing.step1(this.#document, this.#member, frame.stateVector);
      case 'sync-step2':
        return editing.step2(this.#document, this.#member, frame.update);
      case 'update':
        return editing.update(this.#document, this.#member, frame.update);
      case 'awareness':
        return editing.presence(this.#document, this.#member, frame.entries, this.connection.members);
      case 'query-awareness':
        return editing.queryPresence(this.#document, this.#member);
    }
  }
}

const noPresence = encodeAwareness([]).slice();

const topicOf = (document: string): string => `y/${document}`;

function framesFor(document: string): DocumentFrames {
  return {
    topic: topicOf(document),
    step1: yServerFrames.syncStep1,
    step2: yServerFrames.syncStep2,
    update: yServerFrames.update,
    awareness: yServerFrames.awareness,
    stateless: () => undefined,
    syncStatus: () => undefined,
  };
}
