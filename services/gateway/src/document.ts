import { encodeAwareness, type PresenceEntry } from '@weft/protocol';
import { EMPTY_UPDATE, isEmptyUpdate, mergeUpdatesInTree } from '@weft/updates';
import type { Publish } from './client-socket.ts';
import type { LogPosition, Question } from './log-position.ts';
import { type DocumentFrames, type Member, NOTHING } from './member.ts';
import { PresenceBoard } from './presence-board.ts';
import { Recovery } from './recovery.ts';

/**
 * One document on this gateway: its members, and everything that is fanned out to them. Holds no content: what a joiner needs comes from the worker, and what the log has not
 * confirmed yet from the append queue.
 */
export class GatewayDocument {
  readonly name: string;
  readonly partition: number;
  readonly slice: number;
  readonly members = new Set<Member>();
  readonly presence = new PresenceBoard<Member>();
  /** Frame makers by topic: one encoding serves everybody subscribed to it. */
  readonly #topics = new Map<string, { frames: DocumentFrames; members: number }>();
  /** Questions under way: each collects what is fanned out while it waits. */
  readonly #asking = new Set<Joining>();
  readonly #publish: Publish;
  readonly #world: DocumentWorld;
  readonly #limits: DocumentLimits;
  /** What is to be fanned out at the end of the tick. */
  #fanned: Uint8Array[] = [];
  /** Who sent all of it; undefined: nobody here, or more than one. */
  #fannedBy: Member | undefined;
  /** Bytes published since the last look at the sockets' buffers, and when that was. */
  #unlooked = 0;
  #lookedAtMs = Number.NEGATIVE_INFINITY;
  #lookScheduled = false;
  /** Answers to `reopen` still to come: until then live members may lack what lies after `from`, whatever relays say. */
  #owed: { readonly from: LogPosition; readonly answers: number } | undefined;
  /** A state vector every live member has: of the last answer when none to `reopen` was still to come, for until then live members may lack what an answer to somebody else had. */
  #answeredVector = NOTHING;
  /** A large answer that is still being sent to somebody: whoever asks the same meanwhile gets it from here, and catches up afterwards. */
  #sharing: { readonly question: Question; readonly answer: DocumentAnswer; readonly members: Set<Member> } | undefined;
  readonly #recovery: Recovery;
  #presenceChanges = new Map<number, PresenceEntry>();
  /** Who is gone, and not shown so yet. */
  readonly #leaving = new Map<number, PresenceEntry>();
  #presenceFlushedAtMs = Number.NEGATIVE_INFINITY;

  constructor(name: string, place: { partition: number; slice: number }, publish: Publish, limits: DocumentLimits, world: DocumentWorld) {
    this.name = name;
    this.partition = place.partition;
    this.slice = place.slice;
    this.#publish = publish;
    this.#limits = limits;
    this.#world = world;
    this.#recovery = new Recovery({
      after: (ms, run) => world.after(ms, run),
      stateVector: (answered) =>
        world.ask(
          this,
          { kind: 'nothing' },
          { isForEverybody: true, asked: ignore, abandoned: ignore, answered: ({ stateVector }) => answered(stateVector) },
        ),
    });
  }

  /** Of members who are spoken to in this topic, if there are any. */
  framesOf(topic: string): DocumentFrames | undefined {
    return this.#topics.get(topic)?.frames;
  }

  add(member: Member): void {
    this.members.add(member);
    const topic = this.#topics.get(member.frames.topic);
    if (topic) topic.members += 1;
    else this.#topics.set(member.frames.topic, { frames: member.frames, members: 1 });
  }

  /** Gives the presence entries that changed by it, for the worker. */
  remove(member: Member): PresenceEntry[] {
    if (!this.members.delete(member)) return [];
    member.gone = true;
    this.#silence(member);
    this.#shareNoMore(member);
    const topic = this.#topics.get(member.frames.topic)!;
    topic.members -= 1;
    if (topic.members === 0) this.#topics.delete(member.frames.topic);
    const changed = this.presence.ownerGone(member);
    this.showPresence(changed);
    return changed;
  }

  /**
   * Sends an update to every live member but its sender, at the end of the tick, merged with what else the tick brought: one write a socket, however many type. Questions under way note it
   * at once. Keeps the bytes until then.
   */
  fanOut(update: Uint8Array, sender?: Member): void {
    for (const joining of this.#asking) joining.note(update, this.#limits.joinBufferBytesMax);
    this.#fanned.push(update);
    if (this.#fanned.length === 1) {
      this.#fannedBy = sender;
      this.#world.atEndOfTick(this.#publishFanned);
    } else if (this.#fannedBy !== sender) this.#fannedBy = undefined;
  }

  readonly #publishFanned = (): void => {
    if (this.#fanned.length === 0) return;
    const update = this.#fanned.length === 1 ? this.#fanned[0]! : mergeUpdatesInTree(this.#fanned);
    const sender = this.#fannedBy;
    this.#fanned = [];
    this.#fannedBy = undefined;
    for (const [topic, { frames }] of this.#topics) {
      const frame = frames.update(update, scratch);
      // Who is not live by now is no subscriber; and who is gone cannot publish.
      if (sender?.state === 'live' && sender.frames.topic === topic) sender.socket.publishToOthers(topic, frame);
      else this.#publish(topic, frame);
    }
    this.#lookSoon(update.byteLength);
  };

  stateless(payload: string, sender?: Member): void {
    // Not before what was sent before it.
    if (this.#fanned.length > 0) this.#publishFanned();
    for (const [topic, { frames }] of this.#topics) {
      const frame = frames.stateless(payload);
      if (!frame) continue;
      if (sender?.state === 'live' && sender.frames.topic === topic) sender.socket.publishToOthers(topic, frame);
      else this.#publish(topic, frame);
    }
  }

  /**
   * A client asks for the document (Step1). The question leaves at once: what the log has not confirmed of this document's updates is added to the answer from
   * the append queue, so nothing made on this gateway is missed and nobody waits for the log.
   */
  join(member: Member, stateVector: Uint8Array): void {
    if (member.state === 'asking' || member.state === 'sending') {
      member.asksAgain = stateVector;
      return;
    }
    this.#silence(member);
    member.state = 'asking';
    const question: Question = { kind: 'state-vector', stateVector };
    const shared = this.#sharing;
    if (shared && sameVector(shared.question, question)) this.#bringUp(member, question, shared.answer, undefined, false);
    else this.#ask([member], question);
  }

  /** The member's socket has room again, or its large answer is out: one merged update brings it up to date. */
  catchUp(member: Member): void {
    if (member.state !== 'behind' && member.state !== 'sending') return;
    member.state = 'asking';
    this.#ask([member], { kind: 'since', from: member.position, stateVector: member.sentVector });
  }

  /** Everybody on this gateway may have missed something after `from`: the owner changed, or a relay was lost. */
  reopen(from: LogPosition): void {
    this.#owed = { from: this.#owedFrom(from), answers: (this.#owed?.answers ?? 0) + 1 };
    this.#ask([], { kind: 'since', from, stateVector: this.#answeredVector });
  }

  /** The log was replaced: what it lost of this document is asked of the clients. */
  recover(): void {
    this.#recovery.begin(this.members);
  }

  /** What somebody may do has changed. */
  regrade(member: Member, mayEdit: boolean): void {
    const mayNow = mayEdit && !member.mayEdit;
    member.mayEdit = mayEdit;
    if (mayNow && member.awaitsRefused()) this.#recovery.again(member);
  }

  /**
   * Presence to show on this gateway: newest entry a client id, at most once a window, which grows with the members; the first after quiet goes at once. Who is gone is shown so a moment later: who lost a gateway
   * and is on another by now is taken from the one and given by the other.
   */
  showPresence(entries: readonly PresenceEntry[]): void {
    const states = entries.filter(({ json }) => json !== 'null');
    for (const { clientId } of states) this.#leaving.delete(clientId);
    this.#show(states);
    const removals = entries.filter(({ json }) => json === 'null');
    if (removals.length === 0) return;
    for (const removal of removals) this.#leaving.set(removal.clientId, removal);
    this.#world.after(this.#limits.presenceLeaveMs, () =>
      this.#show(removals.filter((removal) => this.#leaving.get(removal.clientId) === removal && this.#leaving.delete(removal.clientId))),
    );
  }

  #show(entries: readonly PresenceEntry[]): void {
    if (entries.length === 0) return;
    const first = this.#presenceChanges.size === 0;
    for (const entry of entries) this.#presenceChanges.set(entry.clientId, entry);
    if (!first) return;
    const waitMs = this.#presenceFlushedAtMs + this.presenceWindowMs - this.#world.nowMs();
    if (waitMs <= 0) this.#world.atEndOfTick(() => this.#flushPresence());
    else this.#world.after(waitMs, () => this.#flushPresence());
  }

  /** Each window costs a write a member: in a full room they are rarer, and carets a little later. */
  get presenceWindowMs(): number {
    return Math.max(this.#limits.presenceWindowMs, Math.min(presenceWindowMsMax, this.members.size * presenceMsAMember));
  }

  #flushPresence(): void {
    const entries = [...this.#presenceChanges.values()];
    this.#presenceChanges = new Map();
    this.#presenceFlushedAtMs = this.#world.nowMs();
    if (entries.length === 0) return;
    const awareness = encodeAwareness(entries);
    // The sender hears its own too: providers take silence of 30 s for a dead connection (protocol.md).
    for (const [topic, { frames }] of this.#topics) this.#publish(topic, frames.awareness(awareness));
  }

  #ask(members: readonly Member[], question: Question): void {
    const shared = this.#sameQuestion(question);
    if (shared && members.length > 0) {
      for (const member of members) shared.members.add(member);
      return;
    }
    const joining = new Joining(new Set(members), question);
    this.#asking.add(joining);
    this.#world.ask(this, question, {
      isForEverybody: members.length === 0,
      asked: () => joining.restart(this.#world.unacknowledged(this)),
      answered: (answer) => {
        this.#asking.delete(joining);
        this.#answered(joining, answer);
      },
      abandoned: () => this.#asking.delete(joining),
    });
  }

  /** Many joins of one document are one question to the worker: a question under way serves whoever has the same to ask. */
  #sameQuestion(question: Question): Joining | undefined {
    for (const joining of this.#asking) if (joining.members.size > 0 && joining.isFor(question)) return joining;
    return undefined;
  }

  #answered(joining: Joining, answer: DocumentAnswer): void {
    const isForEverybody = joining.members.size === 0;
    if (isForEverybody) this.#owed = this.#owed && this.#owed.answers > 1 ? { ...this.#owed, answers: this.#owed.answers - 1 } : undefined;
    if (!this.#owed) this.#answeredVector = answer.stateVector;
    if (isForEverybody) return this.#bringUpEveryone(answer);
    const { complete } = joining;
    const meanwhile = joining.meanwhile();
    for (const member of joining.members)
      if (member.state === 'asking' && this.members.has(member)) this.#bringUp(member, joining.question, answer, meanwhile, complete);
  }

  #bringUp(member: Member, question: Question, answer: DocumentAnswer, meanwhile: Uint8Array | undefined, complete: boolean): void {
    const updates = meanwhile ? [...answer.updates, meanwhile] : answer.updates;
    const isJoin = question.kind === 'state-vector';
    member.state = 'sending';
    member.position = answer.position;
    member.sentVector = answer.stateVector;
    if (isJoin) member.serverVector = answer.stateVector;
    const frames = isJoin ? this.#joinFrames(member, answer.stateVector, updates) : this.#catchUpFrames(member.frames, updates);
    let sync = true;
    member.outbox.push(frames, () => {
      this.#shareNoMore(member);
      if (member.state !== 'sending') return;
      if (member.asksAgain) this.#joinAgain(member, member.asksAgain);
      // Sent in one go: nothing was fanned out in between. Otherwise what came meanwhile is asked for.
      else if (sync && complete) this.#goLive(member);
      else this.catchUp(member);
    });
    sync = false;
    if (isJoin && member.state === 'sending') this.#share(member, question, answer);
  }

  #joinAgain(member: Member, stateVector: Uint8Array): void {
    member.asksAgain = undefined;
    member.state = 'idle';
    this.join(member, stateVector);
  }

  #share(member: Member, question: Question, answer: DocumentAnswer): void {
    if (this.#sharing?.answer !== answer) this.#sharing = { question, answer, members: new Set() };
    this.#sharing.members.add(member);
  }

  #shareNoMore(member: Member): void {
    if (this.#sharing?.members.delete(member) && this.#sharing.members.size === 0) this.#sharing = undefined;
  }

  /** After an owner change or a lost relay. A small answer is fanned out; a large one goes to each at its own pace. */
  #bringUpEveryone(answer: DocumentAnswer): void {
    const bytes = answer.updates.reduce((sum, update) => sum + update.byteLength, 0);
    if (bytes <= this.#limits.joinBufferBytesMax) {
      for (const update of answer.updates) if (!isEmptyUpdate(update)) this.fanOut(update);
      return;
    }
    for (const member of this.members) {
      if (member.state !== 'live') continue;
      this.#silence(member);
      member.state = 'sending';
      member.position = answer.position;
      member.sentVector = answer.stateVector;
      member.outbox.push(this.#catchUpFrames(member.frames, answer.updates), () => {
        if (member.asksAgain) this.#joinAgain(member, member.asksAgain);
        else this.catchUp(member);
      });
    }
  }

  /**
   * A large document goes as Updates. Step1 and Step2 leave together, at the end: Step2 is what a provider calls synced, and so is the acknowledgement of what it
   * answers to Step1.
   */
  *#joinFrames(member: Member, stateVector: Uint8Array, updates: readonly Uint8Array[]): Generator<readonly Uint8Array[], undefined> {
    const { frames } = member;
    const present = this.presence.all();
    if (present.length > 0) yield [frames.awareness(encodeAwareness(present))];
    for (const update of updates.slice(0, -1)) if (!isEmptyUpdate(update)) yield [frames.update(update, scratch)];
    member.joinSent();
    yield [frames.step1(stateVector), frames.step2(updates.at(-1) ?? EMPTY_UPDATE)];
  }

  #goLive(member: Member): void {
    member.state = 'live';
    member.socket.subscribe(member.frames.topic);
    this.#recovery.live(member);
  }

  #silence(member: Member): void {
    if (member.state === 'live') member.socket.unsubscribe(member.frames.topic);
    member.state = 'idle';
  }

  /** Who was not listening has missed presence too. What went away meanwhile, clients forget by themselves after 30 s (y-protocols). */
  *#catchUpFrames(frames: DocumentFrames, updates: readonly Uint8Array[]): Generator<readonly Uint8Array[], undefined> {
    for (const update of updates) if (!isEmptyUpdate(update)) yield [frames.update(update, scratch)];
    const present = this.presence.all();
    if (present.length > 0) yield [frames.awareness(encodeAwareness(present))];
  }

  /** The earlier of two; the one that is owed where they do not compare, for it is of the older log. */
  #owedFrom(position: LogPosition): LogPosition {
    const owed = this.#owed?.from;
    return owed && (owed.logIdentity !== position.logIdentity || owed.position < position.position) ? owed : position;
  }

  /** Not after every publish: a room of a thousand has as many sockets to look at. */
  #lookSoon(bytes: number): void {
    this.#unlooked += bytes;
    if (this.#unlooked >= lookBytes || this.#world.nowMs() - this.#lookedAtMs >= lookMs) return this.#look();
    if (this.#lookScheduled) return;
    this.#lookScheduled = true;
    this.#world.after(lookMs, () => {
      this.#lookScheduled = false;
      if (this.#unlooked > 0) this.#look();
    });
  }

  /** Whose socket is over its high-water mark gets no more increments. */
  #look(): void {
    this.#unlooked = 0;
    this.#lookedAtMs = this.#world.nowMs();
    for (const member of this.members) {
      if (member.state !== 'live' || !member.outbox.isFull) continue;
      this.#silence(member);
      member.state = 'behind';
      member.position = this.#owedFrom(this.#world.coveredPosition(this));
      this.#world.slow(member);
    }
  }
}

/** A question under way: for whom, and what was fanned out since it was asked. Bounded: over the bound its askers are caught up afterwards instead. */
class Joining {
  readonly members: Set<Member>;
  readonly question: Question;
  complete = true;
  #noted: Uint8Array[] = [];
  #bytes = 0;

  constructor(members: Set<Member>, question: Question) {
    this.members = members;
    this.question = question;
  }

  isFor(question: Question): boolean {
    if (this.question.kind !== 'since') return sameVector(this.question, question);
    const { from } = this.question;
    return question.kind === 'since' && question.from.logIdentity === from.logIdentity && question.from.position >= from.position;
  }

  /** (Re)asked: what was noted before may stay; `unacknowledged` is what no answer can have. */
  restart(unacknowledged: readonly Uint8Array[]): void {
    this.complete = true;
    this.#noted = [...unacknowledged];
    this.#bytes = 0;
  }

  note(update: Uint8Array, bytesMax: number): void {
    if (!this.complete) return;
    this.#bytes += update.byteLength;
    if (this.#bytes > bytesMax) {
      this.complete = false;
      this.#noted = [];
    } else this.#noted.push(update);
  }

  meanwhile(): Uint8Array | undefined {
    return this.#noted.length > 0 ? mergeUpdatesInTree(this.#noted) : undefined;
  }
}

export interface DocumentAnswer {
  readonly updates: readonly Uint8Array[];
  readonly position: LogPosition;
  readonly stateVector: Uint8Array;
}

export interface QuestionHandler {
  /** Asked because the owner changed, or a relay was lost: only whoever owns the document from now on can answer it, and its answer binds the document to it. */
  readonly isForEverybody: boolean;
  /** The question leaves now, for the first time or again. */
  asked(): void;
  answered(answer: DocumentAnswer): void;
  abandoned(): void;
}

/** What a document needs of the rest of the gateway. */
export interface DocumentWorld {
  nowMs(): number;
  atEndOfTick(run: () => void): void;
  after(ms: number, run: () => void): void;
  ask(document: GatewayDocument, question: Question, handler: QuestionHandler): void;
  /** The document's updates that the log has not confirmed. */
  unacknowledged(document: GatewayDocument): readonly Uint8Array[];
  /** A position up to which every live member was surely sent everything. */
  coveredPosition(document: GatewayDocument): LogPosition;
  /** The member is over its high-water mark. */
  slow(member: Member): void;
}

export interface DocumentLimits {
  readonly joinBufferBytesMax: number;
  readonly presenceWindowMs: number;
  /** Who is gone is shown so after this long. */
  readonly presenceLeaveMs: number;
}

const ignore = (): void => {};

/** With 250 people on a gateway carets are shown ten times a second. */
const presenceMsAMember = 0.4;
const presenceWindowMsMax = 100;

/** Sockets are looked at so often while much is published, or after so many bytes of it. */
const lookMs = 20;
const lookBytes = 64 * 1024;

/** Frames are made here, sent, and made anew: sockets copy what they cannot send at once. */
const scratch = new Uint8Array(512 * 1024);

function sameVector(one: Question, other: Question): boolean {
  if (one.kind !== 'state-vector' || other.kind !== 'state-vector') return false;
  const [a, b] = [one.stateVector, other.stateVector];
  return a.byteLength === b.byteLength && a.every((byte, i) => byte === b[i]);
}
