import { type Bus, BusNoResponders, type BusSubscription, BusTimeout } from '@weft/bus';
import { EnvelopeError, type Peer, peerKey } from '@weft/protocol';
import { GatewayPeers } from './gateway-peers.ts';
import { HeldStream } from './held-stream.ts';
import { PushAssembly } from './push-assembly.ts';
import { type Answer, comeAgain, type Refusal, UNKNOWN_SESSION } from './refusal.ts';
import { RemoteStream } from './remote-stream.ts';
import type { BeginStream, Push } from './session.ts';
import {
  decodeMessages,
  decodeReply,
  encodeMessage,
  encodeReply,
  HEAD_BYTES_MAX,
  joined,
  type SessionMessage,
  type SessionReply,
} from './session-messages.ts';
import type { Sessions } from './sessions.ts';

/** A push is acted upon at once: an owner that does not answer within this is not there, or stands still. */
const answerMs = 5_000;
/** Bodies in several messages, of all sessions. */
const assemblyBytesMax = 64 * 1024 * 1024;
const tellLaterMs = 20;

/**
 * No sticky sessions: pushes and streams of a session whose owner is another gateway go there, and those of our sessions come from wherever their clients ended up. Core NATS may lose any of it: a push is
 * answered or sent again, a stream with a hole is ended and taken up again.
 */
export class BetweenGateways {
  readonly #self: Peer;
  readonly #sessions: Sessions;
  readonly #world: BetweenGatewaysWorld;
  readonly #chunkBytesMax: number;
  readonly #pushBytesMax: number;
  readonly #peers = new GatewayPeers();
  readonly #assembly = new PushAssembly(assemblyBytesMax);
  /** Of our sessions, by holder and its number. */
  readonly #remote = new Map<string, RemoteStream>();
  /** Of others' sessions, by our number. */
  readonly #held = new Map<number, HeldStream>();
  /** For the end of the tick, by gateway: one message each. */
  #outgoing = new Map<string, Outgoing>();
  #nextNumber = 1;
  #subscription: BusSubscription | undefined;

  constructor(self: Peer, sessions: Sessions, pushBytesMax: number, world: BetweenGatewaysWorld) {
    this.#self = self;
    this.#sessions = sessions;
    this.#pushBytesMax = pushBytesMax;
    this.#world = world;
    this.#chunkBytesMax = world.bus.payloadBytesMax - HEAD_BYTES_MAX;
  }

  run(): void {
    this.#subscription = this.#world.bus.subscribe(subjectOf(this.#self), ({ data, reply }) => {
      try {
        for (const message of decodeMessages(data)) this.#hear(message, (answer) => reply?.(encodeReply(answer)));
      } catch (error) {
        if (!(error instanceof EnvelopeError)) throw error;
        this.#world.unreadable(error);
      }
    });
  }

  stop(): void {
    this.#flush();
    this.#subscription?.unsubscribe();
  }

  hearGateway(peer: Peer): void {
    this.#peers.hear(peer, this.#world.nowMs());
  }

  /** It need not be asked. */
  hasGone(owner: Peer): boolean {
    return this.#peers.hasGone(owner, this.#world.nowMs());
  }

  async push(owner: Peer, session: string, push: Push): Promise<Answer> {
    const { n, seen, close, body } = push;
    const transfer = this.#nextNumber++;
    for (let offset = 0; ;) {
      const data = body.subarray(offset, offset + this.#chunkBytesMax);
      const reply = await this.#ask(owner, {
        kind: 'push',
        session,
        n,
        seen,
        close,
        transfer,
        offset,
        total: body.byteLength,
        data,
      });
      if ('refused' in reply) return reply.refused;
      if ('ok' in reply) return undefined;
      offset += data.byteLength;
    }
  }

  async resume(owner: Peer, session: string, after: number, begin: BeginStream): Promise<Answer> {
    const stream = this.#nextNumber++;
    const tell = (kind: 'taken' | 'gone', offset: number): void =>
      this.#send(owner, { kind, session, stream, offset, holder: this.#self.id, incarnation: this.#self.incarnation });
    const held = new HeldStream(session, owner, {
      nowMs: () => this.#world.nowMs(),
      later: (run) => this.#world.after(tellLaterMs, run),
      taken: (bytes) => tell('taken', bytes),
      gone: () => tell('gone', 0),
      ended: () => this.#held.delete(stream),
    });
    // What the owner sends may be here before its answer is looked at.
    this.#held.set(stream, held);
    const { id, incarnation } = this.#self;
    const reply = await this.#ask(owner, { kind: 'resume', session, after, holder: id, incarnation, stream });
    if ('ok' in reply) return held.begin(begin) ? undefined : comeAgain('the stream ended before it began: try again', 1);
    held.abandon();
    return 'refused' in reply ? reply.refused : noAnswer;
  }

  /** The clients of streams that are only passed through here go to another gateway. */
  letGo(): void {
    for (const held of this.#held.values()) held.abandon();
  }

  /** Called once a second. */
  tick(): void {
    const nowMs = this.#world.nowMs();
    this.#assembly.tick(nowMs);
    for (const remote of this.#remote.values()) {
      if (this.#peers.hasGone(remote.holder, nowMs)) remote.gone();
      else remote.tick();
    }
    for (const held of this.#held.values()) if (held.isForgotten(nowMs) || this.#peers.hasGone(held.owner, nowMs)) held.abandon();
  }

  #hear(message: SessionMessage, reply: (answer: SessionReply) => void): void {
    switch (message.kind) {
      case 'push':
        return reply(this.#pushed(message));
      case 'resume':
        return this.#resumed(message, reply);
      case 'events':
        if (!this.#held.get(message.stream)?.events(message.offset, message.data)) this.#notHeld(message);
        return;
      case 'at': {
        const held = this.#held.get(message.stream);
        if (held?.isAt(message.offset)) held.tell();
        else this.#notHeld(message);
        return;
      }
      case 'end':
        if (this.#held.get(message.stream)?.isAt(message.offset)) this.#held.get(message.stream)?.end();
        return;
      case 'cut':
        return this.#held.get(message.stream)?.cut();
      case 'taken':
        return this.#remote.get(keyOf(message))?.taken(message.offset);
      case 'gone':
        return this.#remote.get(keyOf(message))?.gone();
    }
  }

  #pushed({ session, n, seen, close, ...chunk }: SessionMessage & { kind: 'push' }): SessionReply {
    if (!this.#sessions.knows(session)) return { refused: UNKNOWN_SESSION };
    if (chunk.total > this.#pushBytesMax)
      return { refused: { status: 413, code: 'too-large', message: `a push of at most ${this.#pushBytesMax} bytes is taken` } };
    const body = this.#assembly.add(session, chunk, this.#world.nowMs());
    if (body === 'more') return { more: true };
    if (body === 'lost') return { refused: comeAgain('a part of the push was lost, or there is no room for it: send it again', 1) };
    return replyOf(this.#sessions.push(session, { n, seen, close, body }));
  }

  #resumed(message: SessionMessage & { kind: 'resume' }, reply: (answer: SessionReply) => void): void {
    const { session, after, holder, incarnation, stream } = message;
    const refused = this.#sessions.resume(session, after, (events) => {
      const key = keyOf(message);
      const remote = new RemoteStream({ session, holder: { id: holder, incarnation }, stream }, events, {
        chunkBytesMax: this.#chunkBytesMax,
        nowMs: () => this.#world.nowMs(),
        send: (to, what) => this.#send(to, what),
        ended: () => this.#remote.delete(key),
      });
      this.#remote.set(key, remote);
      return remote;
    });
    reply(replyOf(refused));
  }

  /** Whoever sends to a stream that is not here any more is told so. */
  #notHeld({ session, stream }: SessionMessage & { stream: number }): void {
    const owner = this.#world.ownerOf(session);
    const { id, incarnation } = this.#self;
    if (owner) this.#send(owner, { kind: 'gone', session, stream, offset: 0, holder: id, incarnation });
  }

  async #ask(owner: Peer, message: SessionMessage): Promise<SessionReply> {
    try {
      return decodeReply(await this.#world.bus.request(subjectOf(owner), encodeMessage(message), { timeoutMs: answerMs }));
    } catch (error) {
      if (error instanceof EnvelopeError) this.#world.unreadable(error);
      else if (!(error instanceof BusNoResponders) && !(error instanceof BusTimeout)) throw error;
      return { refused: this.#peers.isNotHere(owner, this.#world.nowMs()) ? UNKNOWN_SESSION : noAnswer };
    }
  }

  #send(to: Peer, message: SessionMessage): void {
    const bytes = encodeMessage(message);
    const key = peerKey(to);
    const waiting = this.#outgoing.get(key) ?? { to, parts: [], bytes: 0 };
    if (waiting.bytes + bytes.byteLength > this.#world.bus.payloadBytesMax) this.#publish(waiting);
    waiting.parts.push(bytes);
    waiting.bytes += bytes.byteLength;
    if (this.#outgoing.size === 0) this.#world.soon(() => this.#flush());
    this.#outgoing.set(key, waiting);
  }

  #flush(): void {
    const outgoing = this.#outgoing;
    this.#outgoing = new Map();
    for (const waiting of outgoing.values()) this.#publish(waiting);
  }

  #publish(waiting: Outgoing): void {
    this.#world.bus.publish(subjectOf(waiting.to), joined(waiting.parts));
    waiting.parts = [];
    waiting.bytes = 0;
  }
}

interface Outgoing {
  readonly to: Peer;
  parts: Uint8Array[];
  bytes: number;
}

const noAnswer: Refusal = comeAgain('the gateway of this session does not answer: try again', 1);

function subjectOf({ id, incarnation }: Peer): string {
  return `weft.session.${id}.${incarnation}`;
}

function keyOf({ holder, incarnation, stream }: { holder: string; incarnation: string; stream: number }): string {
  return `${holder}/${incarnation}#${stream}`;
}

function replyOf(refused: Answer): SessionReply {
  return refused ? { refused } : { ok: true };
}

export interface BetweenGatewaysWorld {
  readonly bus: Bus;
  nowMs(): number;
  soon(run: () => void): void;
  after(ms: number, run: () => void): void;
  ownerOf(session: string): Peer | undefined;
  /** A message nobody can read harms nobody else. */
  unreadable(error: EnvelopeError): void;
}
