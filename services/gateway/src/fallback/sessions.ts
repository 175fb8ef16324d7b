import { CLOSE } from '@weft/protocol';
import type { ConnectionHandler } from '../connection-world.ts';
import type { OpenEvent } from './event-stream.ts';
import { checkPushBody } from './push-body.ts';
import { type Answer, badRequest, comeAgain, type Refusal, UNKNOWN_SESSION } from './refusal.ts';
import { type BeginStream, type EventStream, type Push, Session, type SessionLimits, type StreamEvents } from './session.ts';
import type { Topics } from './topics.ts';

/** Of sessions that are over: for a while their clients are told why. The oldest goes first. */
const overMax = 10_000;

/** The sessions of this gateway, by id: bounded in number, ended when nobody comes back for them. */
export class Sessions {
  readonly #limits: SessionsLimits;
  readonly #world: SessionsWorld;
  readonly #open = new Map<string, Session>();
  /** In the order they ended. */
  readonly #over = new Map<string, Session>();
  readonly #left = new Map<Session, Opening['left']>();
  #changed = new Set<Session>();

  constructor(limits: SessionsLimits, world: SessionsWorld) {
    this.#limits = limits;
    this.#world = world;
  }

  get size(): number {
    return this.#open.size;
  }

  /** Why there is no room for another. */
  full(): Refusal | undefined {
    const { sessionsMax } = this.#limits;
    if (this.#open.size < sessionsMax) return undefined;
    return comeAgain(`this gateway has ${sessionsMax} sessions without WebSocket, as many as it may`, 5);
  }

  /** `connect` makes it a connection of the core; `left` is called when it is none any more. */
  open({ begin, connect, left, abused }: Opening): Session {
    const { limits, id } = { limits: this.#limits, id: this.#world.newId() };
    const session = new Session(
      id,
      limits,
      {
        topics: this.#world.topics,
        nowMs: () => this.#world.nowMs(),
        changed: (which) => this.#schedule(which),
        publishFrom: (which, topic, frame) => {
          this.#world.publishToSockets(topic, frame);
          this.#world.topics.publish(topic, frame, which);
        },
        ended: (which) => this.#ended(which),
        failed: (error, which) => this.#world.failed(error, which),
      },
      abused,
    );
    this.#open.set(id, session);
    this.#left.set(session, left);
    const { resumeMs, keepAliveMs, pushBytesMax } = limits;
    session.begin((events) => begin({ session: id, resumeMs, keepAliveMs, pushBytesMax }, events));
    session.serve(connect(session));
    return session;
  }

  push(id: string, push: Push): Answer {
    const session = this.#find(id);
    if (!session) return UNKNOWN_SESSION;
    const checked = checkPushBody(push.body);
    if ('problem' in checked) return badRequest(`${checked.problem}; nothing of the body was taken`);
    return session.push(push);
  }

  /** Whether a push would be looked at: before a body is read for it. */
  knows(id: string): boolean {
    return this.#find(id) !== undefined;
  }

  /** The stream begins when nothing stands against it. */
  resume(id: string, after: number, begin: BeginStream): Answer {
    const session = this.#find(id);
    if (!session) return UNKNOWN_SESSION;
    const refused = session.mayResume(after);
    if (!refused) session.resume(after, begin);
    return refused;
  }

  /** Called once a second. */
  tick(): void {
    const nowMs = this.#world.nowMs();
    for (const session of this.#open.values())
      if (session.isAbandoned(nowMs)) {
        session.close(CLOSE.goingAway.code, 'no stream for too long');
        this.#forget(session);
      }
    for (const session of this.#over.values()) {
      if (nowMs - session.over!.atMs <= this.#limits.resumeMs) return;
      this.#forget(session);
    }
  }

  #find(id: string): Session | undefined {
    return this.#open.get(id) ?? this.#over.get(id);
  }

  #ended(session: Session): void {
    this.#open.delete(session.id);
    this.#over.set(session.id, session);
    this.#left.get(session)?.(session.handler);
    this.#left.delete(session);
    if (this.#over.size > overMax) for (const oldest of this.#over.values()) return this.#forget(oldest);
  }

  #forget(session: Session): void {
    this.#over.delete(session.id);
    session.forget();
  }

  #schedule(session: Session): void {
    const isFirst = this.#changed.size === 0;
    this.#changed.add(session);
    if (!isFirst) return;
    this.#world.soon(() => {
      const changed = this.#changed;
      this.#changed = new Set();
      for (const each of changed) each.flush();
    });
  }
}

export interface Opening {
  readonly begin: (open: OpenEvent, events: StreamEvents) => EventStream | undefined;
  readonly connect: (session: Session) => ConnectionHandler;
  readonly left: (handler: ConnectionHandler | undefined) => void;
  readonly abused: () => void;
}

export interface SessionsLimits extends SessionLimits {
  readonly sessionsMax: number;
  readonly pushBytesMax: number;
  readonly keepAliveMs: number;
}

export interface SessionsWorld {
  readonly topics: Topics;
  nowMs(): number;
  /** At the end of the tick. */
  soon(run: () => void): void;
  newId(): string;
  publishToSockets(topic: string, frame: Uint8Array): void;
  failed(error: unknown, session: Session): void;
}
