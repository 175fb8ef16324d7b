import type { Bus } from '@weft/bus';
import { type EnvelopeError, type Peer, peerKey } from '@weft/protocol';
import type { Publish } from '../client-socket.ts';
import { BetweenGateways } from './between-gateways.ts';
import { type Answer, comeAgain, type Refusal, UNKNOWN_SESSION } from './refusal.ts';
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
  readonly #between: BetweenGateways;
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
    this.#between = new BetweenGateways(self, this.sessions, limits.pushBytesMax, { ...world, ownerOf });
  }

  run(): void {
    this.#between.run();
  }

  stop(): void {
    this.#between.stop();
  }

  hearGateway(gateway: Peer): void {
    this.#between.hearGateway(gateway);
  }

  /** Nobody new; who is here is served until the end. */
  stopAccepting(): void {
    this.isDraining = true;
    this.#between.letGo();
  }

  /** Why no stream may begin here. */
  refusal(): Refusal | undefined {
    return this.isDraining ? comeAgain('this gateway restarts: another will serve', 1) : this.sessions.full();
  }

  open(opening: Opening): Session {
    return this.sessions.open(opening);
  }

  async resume(session: string, after: number, begin: BeginStream): Promise<Answer> {
    const owner = this.#otherOwner(session);
    if (!owner) return this.sessions.resume(session, after, begin);
    return this.#between.hasGone(owner) ? UNKNOWN_SESSION : this.#between.resume(owner, session, after, begin);
  }

  async push(session: string, push: Push): Promise<Answer> {
    const owner = this.#otherOwner(session);
    return owner ? this.#between.push(owner, session, push) : this.sessions.push(session, push);
  }

  /** Whether a body is worth reading. */
  mayKnow(session: string): boolean {
    const owner = this.#otherOwner(session);
    return owner ? !this.#between.hasGone(owner) : this.sessions.knows(session);
  }

  #otherOwner(session: string): Peer | undefined {
    const owner = ownerOf(session);
    return owner && peerKey(owner) !== peerKey(this.#self) ? owner : undefined;
  }

  /** Called once a second. */
  tick(): void {
    this.sessions.tick();
    this.#between.tick();
  }
}

export interface FallbackWorld {
  readonly bus: Bus;
  nowMs(): number;
  /** At the end of the tick. */
  soon(run: () => void): void;
  after(ms: number, run: () => void): void;
  /** A message of another gateway. */
  unreadable(error: EnvelopeError): void;
  /** 128 bits that nobody can guess, in base64url. */
  newSecret(): string;
  failed(error: unknown, connection: number | undefined): void;
}
