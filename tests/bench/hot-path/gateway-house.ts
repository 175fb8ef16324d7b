import type { Allowed } from '@weft/grants';
import { type Answer, decodeToGateway, encodeToWorker, frameUpdates, type ToWorker } from '@weft/protocol';
import type { ClientSocket, ConnectionHandler } from '@weft/gateway';
import { type Batch, GatewayCore, type GatewayEffects, type GatewayLimits } from './built.ts';
import { collabAuth, collabStep1, documentName, yStep1 } from './material.ts';
import { patchedMin } from './patched.ts';

const mib = 1024 * 1024;
/** As a gateway has them by default; but rates, which a benchmark's clients would be over. */
const limits: GatewayLimits = {
  partitions: 128,
  slices: 1,
  ackAfter: 'log',
  unacknowledgedBytesMax: 64 * mib,
  slowClientMs: 60_000,
  presenceSilentMs: 45_000,
  frameBytesMax: 8 * mib,
  framesPerSecond: 1e12,
  bytesPerSecond: 1e15,
  documentsPerMinute: 1e9,
  awarenessEntriesMax: 5_000,
  documentsMax: 100,
  preAuthBytesMax: mib,
  preAuthFramesMax: 500,
  authDeadlineMs: 10_000,
  highWaterBytes: mib,
  joinBufferBytesMax: mib,
  presenceWindowMs: 20,
  presenceLeaveMs: 100,
  presenceBytesMax: mib,
  presenceIdsMax: 1_000,
  presenceStateBytesMax: mib / 8,
  stateVectorBytesMax: mib / 4,
  statelessBytesMax: mib - 2_048,
  payloadBytesMax: mib,
  answerTimeoutMs: 3_000,
  retryMs: 50,
  retryMaxMs: 2_000,
  containsAttemptsMax: 3,
  containsBytesMax: 32 * mib,
  keepAliveMs: 1_000,
  workerSilentMs: 3_000,
  fetchBytes: 256 * 1024,
  fetchWindowBytes: mib,
  answerUpdateBytesMax: 512 * mib,
};
const editor: Allowed = { allowed: true, role: 'editor', who: { id: 'a', name: 'Ada' }, untilMs: Number.MAX_SAFE_INTEGER };
const worker = { id: 'w', incarnation: '1' };
const nothing = Uint8Array.of(0);

/** A gateway whose clients, log and worker are here: what it would send is counted, as bytes. */
export class GatewayHouse {
  readonly core: InstanceType<typeof GatewayCore>;
  /** By document's number. */
  readonly members: ConnectionHandler[][] = [];
  /** Given to sockets, topics and the bus. */
  bytesOut = 0;
  nowMs = 0;
  /** What the worker is asked, answered with nothing at once; else who asks it here is told. */
  onOpen: ((question: number) => void) | undefined;
  onFetch: ((question: number, offset: number, bytesMax: number) => void) | undefined;
  #endOfTick: (() => void)[] = [];
  #timers: { readonly atMs: number; readonly run: () => void }[] = [];
  #batch: Batch | undefined;
  #position = 0;
  readonly #open: { readonly question: number; readonly document: string }[] = [];

  constructor() {
    this.core = new GatewayCore({ id: 'g', incarnation: '1' }, limits, this.#effects());
    this.core.setOwners(Array.from({ length: limits.partitions }, () => worker));
  }

  /** So many documents, each open in a connection of its own for each of its members. */
  static async open(documents: number, membersEach: number, dialect: 'collab' | 'y' = 'collab'): Promise<GatewayHouse> {
    const house = new GatewayHouse();
    for (let number = 0; number < documents; number++) {
      const handlers: ConnectionHandler[] = [];
      for (let i = 0; i < membersEach; i++) handlers.push(await house.join(documentName(number), dialect));
      house.members.push(handlers);
    }
    return house;
  }

  async join(document: string, dialect: 'collab' | 'y'): Promise<ConnectionHandler> {
    const handler =
      dialect === 'collab'
        ? this.core.connectCollab(this.#socket())
        : this.core.connectYjs(this.#socket(), document, { token: '', allowed: editor });
    if (dialect === 'collab') handler.frame(collabAuth(document), true);
    // Auth answers with a promise.
    await Promise.resolve();
    await Promise.resolve();
    handler.frame(dialect === 'collab' ? collabStep1(document, nothing) : yStep1(nothing), true);
    this.endTick();
    for (const { question } of this.#open.splice(0)) this.answer(question, frameUpdates([]));
    return handler;
  }

  /** The worker's answer to a question, or its beginning. */
  answer(question: number, bytes: Uint8Array, totalBytes = bytes.byteLength): void {
    this.core.hearWorker({ ...answerWithout, question, bytes, totalBytes });
  }

  /** A message of the worker, as the bus brings it. */
  hear(bytes: Uint8Array): void {
    this.core.hearWorker(decodeToGateway(bytes));
  }

  /** The frames that arrived together have been handled. */
  endTick(): void {
    while (this.#endOfTick.length > 0) {
      const runs = this.#endOfTick;
      this.#endOfTick = [];
      for (const run of runs) run();
    }
  }

  /** Not within the call: at the end of the tick. */
  later(run: () => void): void {
    this.#endOfTick.push(run);
  }

  /** What was appended is in the log: acknowledges, and gives how many entries it had. */
  appended(): number {
    const entries = this.#batch?.entries.length ?? 0;
    this.core.appended(0, 'log', ++this.#position);
    return entries;
  }

  /** Time passes; what was to happen meanwhile happens. */
  pass(ms: number): void {
    this.nowMs += ms;
    const due = this.#timers.filter(({ atMs }) => atMs <= this.nowMs);
    if (due.length === 0) return;
    this.#timers = this.#timers.filter(({ atMs }) => atMs > this.nowMs);
    for (const { run } of due) run();
  }

  #effects(): GatewayEffects {
    return {
      nowMs: () => this.nowMs,
      wallMs: () => this.nowMs,
      atEndOfTick: (run) => void this.#endOfTick.push(run),
      after: (ms, run) => void this.#timers.push({ atMs: this.nowMs + ms, run }),
      publish: (_, frame) => this.#out(frame),
      sendToWorker: (_, message) => this.#toWorker(message),
      append: (_, batch) => {
        this.#batch = batch;
      },
      authorize: () => Promise.resolve(editor),
      userCame: () => Promise.resolve(undefined),
      userLeft: () => {},
      report: () => {},
    };
  }

  #toWorker(message: ToWorker): void {
    if (message.kind === 'open') {
      if (this.onOpen) this.onOpen(message.question);
      else this.#open.push(message);
    } else if (message.kind === 'fetch') this.onFetch?.(message.question, message.offset, message.bytesMax);
    this.#out(encodeToWorker(message));
  }

  #out(bytes: Uint8Array): void {
    this.bytesOut += bytes.byteLength;
  }

  #socket(): ClientSocket {
    const out = (frame: Uint8Array): void => this.#out(frame);
    return {
      send: out,
      bufferedBytes: () => 0,
      subscribe: () => {},
      unsubscribe: () => {},
      publishToOthers: (_, frame) => out(frame),
      cork: (sends) => sends(),
      close: (code, reason) => {
        throw new Error(`the gateway closed a benchmark's connection with ${code}: ${reason}`);
      },
    };
  }
}

const answerWithout: Omit<Answer, 'question' | 'bytes' | 'totalBytes'> = {
  kind: 'answer',
  worker,
  slice: 0,
  logIdentity: 'log',
  position: 1,
  link: 1,
  // The first relay bears the next number.
  sequence: patchedMin,
  stateVector: nothing,
  presence: [],
};
