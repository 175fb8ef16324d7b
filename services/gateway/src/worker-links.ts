import { type Answer, type Peer, peerKey, type PresenceEntry, type Relay, type ToGateway, type ToWorker } from '@weft/protocol';
import type { GatewayDocument, QuestionHandler } from './document.ts';
import { type LogPosition, NOWHERE, type Question } from './log-position.ts';
import { presenceChangesSince } from './presence-board.ts';
import { presenceParts } from './presence-parts.ts';
import { type QuestionLimits, WorkerQuestions } from './worker-questions.ts';

/**
 * Which worker relays each document to this gateway, and how far: relays are checked for holes, and whatever may be missing is asked for.
 *
 * A document is bound to the worker that answered for it last. The link to a worker in a slice carries numbered relays, from position to position: a
 * jump in the numbers, another life of the worker, or another owner means that something may be missing, and the document is asked for
 * again since the last position that was surely relayed. Every path resends rather than counts (architecture.md, invariant 3).
 */
export class WorkerLinks {
  readonly #self: Peer;
  readonly #limits: WorkerLinkLimits;
  readonly #world: WorkerLinkWorld;
  readonly #documents = new Map<string, Binding>();
  readonly #links = new Map<string, WorkerLink>();
  readonly #questions: WorkerQuestions;

  constructor(self: Peer, limits: WorkerLinkLimits, world: WorkerLinkWorld) {
    this.#self = self;
    this.#limits = limits;
    this.#world = world;
    this.#questions = new WorkerQuestions(self, limits, {
      nowMs: () => world.nowMs(),
      after: (ms, run) => world.after(ms, run),
      owner: (partition) => world.owner(partition),
      leavingWorker: (document) => this.#leavingWorker(this.#documents.get(document.name)),
      sendToWorker: (worker, message) => world.sendToWorker(worker, message),
      standing: (document) => this.#standing(document),
      unavailable: (fields) => world.report('document-unavailable', fields),
    });
  }

  get questionsPending(): number {
    return this.#questions.size;
  }

  open(document: GatewayDocument): void {
    this.#documents.set(document.name, {
      document,
      worker: undefined,
      position: 0,
      logIdentity: '',
      reopening: false,
      coveredBefore: 0,
      covered: 0,
      untold: new Map(),
      toldAtMs: Number.NEGATIVE_INFINITY,
    });
  }

  close(document: GatewayDocument): void {
    const binding = this.#documents.get(document.name);
    this.#documents.delete(document.name);
    if (binding?.worker) this.#unbind(binding, true);
    this.#questions.abandon(document);
  }

  ask(document: GatewayDocument, question: Question, handler: QuestionHandler): void {
    this.#questions.ask(document, question, handler);
  }

  /** Whether the document holds all of `update` already; false when nobody can say in time. */
  contains(document: GatewayDocument, update: Uint8Array, answer: (contained: boolean) => void): void {
    this.#questions.contains(document, update, answer);
  }

  /** The newest entry a client id, once a window of the document's; the first after quiet at once. */
  tellPresence(document: GatewayDocument, entries: readonly PresenceEntry[]): void {
    const binding = this.#documents.get(document.name);
    if (entries.length === 0 || !binding) return;
    const isScheduled = binding.untold.size > 0;
    for (const entry of entries) binding.untold.set(entry.clientId, entry);
    if (isScheduled) return;
    const waitMs = binding.toldAtMs + document.presenceWindowMs - this.#world.nowMs();
    if (waitMs <= 0) this.#tellUntold(binding);
    else this.#world.after(waitMs, () => this.#tellUntold(binding));
  }

  #tellUntold(binding: Binding): void {
    const entries = [...binding.untold.values()];
    binding.untold.clear();
    binding.toldAtMs = this.#world.nowMs();
    if (this.#documents.get(binding.document.name) === binding) this.#tellAtOnce(binding.document, entries);
  }

  /** In as many messages as it takes. */
  #tellAtOnce(document: GatewayDocument, entries: readonly PresenceEntry[]): void {
    for (const part of presenceParts(entries, this.#limits.payloadBytesMax))
      this.tell(document, { kind: 'presence', gateway: this.#self, document: document.name, entries: part });
  }

  /** To the worker the document is bound to, if any: presence and stateless messages may be lost. */
  tell(document: GatewayDocument, message: ToWorker): void {
    const worker = this.#documents.get(document.name)?.worker;
    if (worker) this.#world.sendToWorker(worker, message);
  }

  /**
   * A position up to which every live member was surely sent everything: what the link had covered some 100 ms ago, because a socket layer may drop a publish after the call.
   */
  coveredPosition(document: GatewayDocument): LogPosition {
    const binding = this.#documents.get(document.name);
    return binding ? { logIdentity: binding.logIdentity, position: binding.coveredBefore } : NOWHERE;
  }

  hear(message: ToGateway, nowMs: number): void {
    const link = this.#links.get(peerKey(message.worker));
    if (link) link.heardAtMs = nowMs;
    switch (message.kind) {
      case 'answer':
        return this.#answer(message, nowMs);
      case 'answer-bytes':
        return this.#questions.takeBytes(message, nowMs);
      case 'contains-answer':
        return this.#questions.takeContains(message);
      case 'refusal':
        return message.reason === 'unknown-link' ? this.#lost(message.worker) : this.#questions.refused(message, nowMs);
      case 'relay':
        return this.#relay(message);
      case 'presence-relay': {
        const binding = this.#documents.get(message.document);
        if (binding && this.#isBoundTo(binding, message.worker)) this.#world.presence(binding.document, message.entries);
        return;
      }
      case 'stateless-relay': {
        const binding = this.#documents.get(message.document);
        if (binding && this.#isBoundTo(binding, message.worker)) binding.document.stateless(message.payload);
        return;
      }
    }
  }

  /** The ring changed: whatever another worker answers for now is asked for there. One that leaves goes on relaying until the new one has answered. */
  ownersChanged(): void {
    for (const binding of this.#documents.values()) {
      if (this.#leavingWorker(binding)) this.#handOver(binding);
      else if (binding.worker && !this.#isOwner(binding, binding.worker)) this.#reopen(binding);
    }
    this.#questions.ownersChanged();
  }

  /** Called a few times a second: asks again what was not answered, keeps links alive, gives up silent ones. */
  tick(nowMs: number): void {
    this.#questions.tick(nowMs);
    for (const [key, link] of this.#links) {
      if (link.documents === 0) {
        this.#links.delete(key);
        continue;
      }
      if (nowMs - link.heardAtMs > this.#limits.workerSilentMs) this.#lost(link.worker);
      else if (nowMs - link.keptAliveAtMs >= this.#limits.keepAliveMs) {
        link.keptAliveAtMs = nowMs;
        this.#world.sendToWorker(link.worker, { kind: 'keep-alive', gateway: this.#self });
      }
    }
    for (const binding of this.#documents.values()) {
      binding.coveredBefore = binding.covered;
      binding.covered = this.#position(binding);
    }
  }

  /**
   * No answer may be older than what this gateway has: its own last append of the slice, and what it was relayed. Positions of different logs do not compare.
   */
  #standing(document: GatewayDocument): { logIdentity: string; atLeast: number } {
    const binding = this.#documents.get(document.name);
    const relayed = this.#position(binding);
    const appended = this.#world.appended(document.slice);
    const known = binding?.logIdentity ?? '';
    if (known === '' || known === appended.logIdentity)
      return { logIdentity: appended.logIdentity, atLeast: Math.max(appended.position, relayed) };
    if (appended.logIdentity === '') return { logIdentity: known, atLeast: relayed };
    return { logIdentity: appended.logIdentity, atLeast: appended.position };
  }

  #answer(answer: Answer, nowMs: number): void {
    const asked = this.#questions.answered(answer);
    if (!asked) return;
    if ('abandoned' in asked) return this.#closeIfUnknown(answer.worker, asked.abandoned);
    const { document } = asked;
    const binding = this.#documents.get(document.name);
    // Late, from before the worker began the link anew: what it registered is forgotten. The question is asked again.
    if (!binding || answer.link < (this.#links.get(peerKey(answer.worker))?.number ?? 0)) return;
    this.#bind(binding, answer, nowMs);
    this.#world.presence(document, answer.presence);
    // While the question was under way nobody may have been bound to hear of it.
    this.tellPresence(document, presenceChangesSince(asked.presence, document.presence.ofOwners()));
    this.#questions.takeAnswer(answer, nowMs);
  }

  #relay(relay: Relay): void {
    const link = this.#links.get(peerKey(relay.worker));
    const progress = link?.slices.get(relay.slice);
    if (!link || !progress) {
      for (const { document } of relay.documents) this.#closeIfUnknown(relay.worker, document);
      return;
    }
    // Late, from before the worker began the link anew; or we have not heard yet that it did: then it knows nothing of what we have open with it.
    if (relay.link < link.number) return;
    if (relay.link > link.number) return this.#lost(relay.worker);
    if (relay.sequence <= progress.sequence) return;
    const hole = relay.sequence !== progress.sequence + 1 || relay.from > progress.position;
    if (hole) this.#hole(link, relay.slice);
    for (const { document, update } of relay.documents) {
      const binding = this.#documents.get(document);
      if (!binding || !this.#isBoundTo(binding, relay.worker)) this.#closeIfUnknown(relay.worker, document);
      else if (update) binding.document.fanOut(update);
      else this.#reopen(binding);
    }
    for (const name of relay.released) {
      const binding = this.#documents.get(name);
      if (binding && this.#isBoundTo(binding, relay.worker)) this.#reopen(binding);
    }
    progress.sequence = relay.sequence;
    progress.position = relay.to;
  }

  /** Relays were lost: every document of the link in this slice is asked for since the last position surely relayed. */
  #hole(link: WorkerLink, slice: number): void {
    this.#world.report('relay-lost', { worker: peerKey(link.worker), slice });
    for (const binding of this.#documents.values())
      if (binding.document.slice === slice && this.#isBoundTo(binding, link.worker)) this.#reopen(binding);
  }

  /** The worker does not know us, or is silent: its documents are asked for anew, from whoever owns them now. */
  #lost(worker: Peer): void {
    const key = peerKey(worker);
    if (!this.#links.has(key)) return;
    this.#world.report('link-lost', { worker: key });
    for (const binding of this.#documents.values()) if (this.#isBoundTo(binding, worker)) this.#reopen(binding);
    this.#links.delete(key);
  }

  #reopen(binding: Binding): void {
    if (binding.worker) {
      binding.position = this.#position(binding);
      this.#unbind(binding, !this.#isOwner(binding, binding.worker));
    }
    if (binding.reopening) return;
    binding.reopening = true;
    this.#world.report('reopen', { document: binding.document.name, position: binding.position });
    binding.document.reopen({ logIdentity: binding.logIdentity, position: binding.position });
  }

  /** As `reopen`, but the document stays with the worker that leaves: its relays go on, and people notice nothing. The answer binds it to the new owner. */
  #handOver(binding: Binding): void {
    if (binding.reopening) return;
    binding.reopening = true;
    binding.position = this.#position(binding);
    this.#world.report('reopen', { document: binding.document.name, position: binding.position });
    binding.document.reopen({ logIdentity: binding.logIdentity, position: binding.position });
  }

  #leavingWorker(binding: Binding | undefined): Peer | undefined {
    const worker = binding?.worker;
    return binding && worker && !this.#isOwner(binding, worker) && this.#world.isLeaving(worker) ? worker : undefined;
  }

  #isOwner({ document }: Binding, worker: Peer): boolean {
    const owner = this.#world.owner(document.partition);
    return owner !== undefined && isSamePeer(owner, worker);
  }

  #bind(binding: Binding, answer: Answer, nowMs: number): void {
    const key = peerKey(answer.worker);
    // Another number, or another log: the worker began its side of the link anew, and knows nothing of the documents we had with it.
    const known = this.#links.get(key);
    const before = known?.slices.get(answer.slice);
    if (known && (answer.link !== known.number || (before && answer.logIdentity !== before.logIdentity))) this.#lost(answer.worker);
    let link = this.#links.get(key);
    if (!link) {
      const { worker, link: number } = answer;
      this.#links.set(key, (link = { worker, number, heardAtMs: nowMs, keptAliveAtMs: nowMs, documents: 0, slices: new Map() }));
    }
    const progress = link.slices.get(answer.slice);
    if (!progress) link.slices.set(answer.slice, { logIdentity: answer.logIdentity, sequence: answer.sequence, position: answer.position });
    else {
      if (answer.sequence > progress.sequence) this.#hole(link, answer.slice);
      progress.sequence = Math.max(progress.sequence, answer.sequence);
      progress.position = Math.max(progress.position, answer.position);
    }
    const moves = !binding.worker || peerKey(binding.worker) !== key;
    if (moves) {
      if (binding.worker) this.#unbind(binding, true);
      link.documents += 1;
      binding.worker = answer.worker;
      binding.coveredBefore = binding.covered = binding.position;
    }
    if (binding.logIdentity !== answer.logIdentity) {
      const isReplaced = binding.logIdentity !== '';
      binding.logIdentity = answer.logIdentity;
      binding.position = 0;
      binding.coveredBefore = binding.covered = 0;
      if (isReplaced) {
        this.#world.report('log-replaced', { document: binding.document.name });
        binding.document.recover();
      }
    }
    if (this.#leavingWorker(binding)) return; // the new owner's answer is still to come
    binding.reopening = false;
    // What was asked of the one that leaves is asked here: it may be gone before it answers.
    if (moves) this.#questions.ownersChanged(binding.document);
  }

  #unbind(binding: Binding, sayClose: boolean): void {
    const { worker } = binding;
    if (!worker) return;
    const link = this.#links.get(peerKey(worker));
    if (link) link.documents -= 1;
    if (sayClose) this.#sayClose(worker, binding.document.name);
    binding.worker = undefined;
  }

  #position(binding: Binding | undefined): number {
    if (!binding) return 0;
    const progress = binding.worker && this.#links.get(peerKey(binding.worker))?.slices.get(binding.document.slice);
    return Math.max(binding.position, progress?.position ?? 0);
  }

  #isBoundTo(binding: Binding, worker: Peer): boolean {
    return binding.worker !== undefined && isSamePeer(binding.worker, worker);
  }

  /**
   * A worker thinks we have a document open with it that we do not. While a question about it is under way there nothing is said: a `close` sent after the question would
   * undo what its answer registers.
   */
  #closeIfUnknown(worker: Peer, document: string): void {
    const binding = this.#documents.get(document);
    const isElsewhere = binding?.worker !== undefined && !this.#isBoundTo(binding, worker);
    if (!binding || (isElsewhere && !this.#questions.isUnderWay(binding.document, worker))) this.#sayClose(worker, document);
  }

  #sayClose(worker: Peer, document: string): void {
    this.#world.sendToWorker(worker, { kind: 'close', gateway: this.#self, document, asked: this.#questions.newest });
  }
}

function isSamePeer(a: Peer, b: Peer): boolean {
  return a.id === b.id && a.incarnation === b.incarnation;
}

/** What this gateway knows of a document's place in the log. */
interface Binding {
  readonly document: GatewayDocument;
  /** Who answered last, and relays; undefined while nobody does. */
  worker: Peer | undefined;
  /** Relayed surely up to here when it was last bound; while bound the link knows better. */
  position: number;
  logIdentity: string;
  /** Asked for anew, for everybody; the answer is still to come. */
  reopening: boolean;
  /** The position at the last tick but one, and at the last. */
  coveredBefore: number;
  covered: number;
  /** Presence the worker has not been told, and when it was told last. */
  readonly untold: Map<number, PresenceEntry>;
  toldAtMs: number;
}

interface WorkerLink {
  readonly worker: Peer;
  /** The worker's number for it. */
  readonly number: number;
  heardAtMs: number;
  keptAliveAtMs: number;
  /** Documents bound through it. */
  documents: number;
  readonly slices: Map<number, { readonly logIdentity: string; sequence: number; position: number }>;
}

export interface WorkerLinkWorld {
  nowMs(): number;
  after(ms: number, run: () => void): void;
  /** Who answers for a partition, as the ring is seen here; undefined while nobody is there. */
  owner(partition: number): Peer | undefined;
  /** Whether it drains, and still speaks. */
  isLeaving(worker: Peer): boolean;
  sendToWorker(worker: Peer, message: ToWorker): void;
  /** This gateway's last append of a slice; position 0 and identity '' before the first. */
  appended(slice: number): { logIdentity: string; position: number };
  /** Presence of other gateways' clients. */
  presence(document: GatewayDocument, entries: Answer['presence']): void;
  report(event: 'document-unavailable' | 'relay-lost' | 'link-lost' | 'log-replaced' | 'reopen', fields: Record<string, unknown>): void;
}

export interface WorkerLinkLimits extends QuestionLimits {
  readonly keepAliveMs: number;
  readonly workerSilentMs: number;
}
