import type { Peer } from '@weft/protocol';
import type { Publish } from '../client-socket.ts';
import { type Answer, comeAgain, type Refusal } from './refusal.ts';
import type { BeginStream, Push, Session } from './session.ts';
import { ownerOf, sessionId } from './session-id.ts';
import { type Opening, Sessions, type SessionsLimits } from './sessions.ts';
import { Topics } from './topics.ts';

/** Clients without WebSocket, as the HTTP in front knows them: whichever gateway a session is of. */
export class Fallback {
  readonly topics = new Topics();
  readonly sessions: Sessions;
  /** Whoever serves sockets says how. */
  publishToSockets: Publish = () => {};
  readonly #self: Peer;
  isDraining = false;

  constructor(self: Peer, limits: SessionsLimits, world: FallbackWorld) {
    this.#self = self;
    this.sessions = new Sessions(limits, {
      topics: this.topics,
      nowMs: () => world.nowMs(),
      soon: (run) => world.soon(run),
      newId: () => sessionId(self, world.newSecret()),
      publishToSockets: (topic, frame) => this.publishToSockets(topic, frame),
      failed: (error, session) => world.failed(error, session.handler?.connection.id),
    });
  }

  /** Nobody new; who is here is served until the end. */
  stopAccepting(): void {
    this.isDraining = true;
  }

  /** Why no stream may begin here. */
  refusal(): Refusal | undefined {
    return this.isDraining ? comeAgain('this gateway restarts: another will serve', 1) : this.sessions.full();
  }

  open(opening: Opening): Session {
    return this.sessions.open(opening);
  }

  resume(session: string, after: number, begin: BeginStream): Promise<Answer> {
    return Promise.resolve(this.sessions.resume(session, after, begin));
  }

  push(session: string, push: Push): Promise<Answer> {
    return Promise.resolve(this.sessions.push(session, push));
  }

  /** Whether a body is worth reading. */
  mayKnow(session: string): boolean {
    const owner = ownerOf(session);
    return owner !== undefined && (owner.incarnation !== this.#self.incarnation || this.sessions.knows(session));
  }

  /** Called once a second. */
  tick(): void {
    this.sessions.tick();
  }
}

export interface FallbackWorld {
  nowMs(): number;
  /** At the end of the tick. */
  soon(run: () => void): void;
  /** 128 bits that nobody can guess, in base64url. */
  newSecret(): string;
  failed(error: unknown, connection: number | undefined): void;
}
