import type { Allowed } from '@weft/grants';
import * as Y from 'yjs';
import { collab, type Presence, readCollab, readY, type ServerFrame, y } from '../limits/frames.ts';
import { type Edit, holds, type Ledger } from './ledger.ts';
import type { Random } from './random.ts';
import type { Scheduler } from './scheduler.ts';
import type { Dialect, Reading, SimPort, SimSocket } from './sim-clients.ts';
import { SimPresence } from './sim-presence.ts';

export interface UserWorld {
  readonly scheduler: Scheduler;
  readonly ledger: Ledger;
  /** A gateway that takes connections, if any: what a load balancer would pick. */
  port(): SimPort | undefined;
  /** A log was lost: what was acknowledged may build on what its clients are still being asked for. */
  wasWiped(): boolean;
  violation(sentence: string): void;
  trace(line: string): void;
}

/** Codes a client may see and comes back from: restart, try again later, broken. */
const bearable = new Set([1006, 1012, 1013]);
const allowed: Allowed = { allowed: true, role: 'editor', who: { id: 'u', name: 'u' }, untilMs: Number.MAX_SAFE_INTEGER };
const reconnectMs = 1_000;
/** Awareness is renewed so often (y-protocols). */
const renewMs = 15_000;
/** Providers give a silent connection up after this long (protocol.md). */
const silentMs = 30_000;

/**
 * A real Yjs client: what the providers do, on a simulated connection. It keeps its document, and comes back a second after it lost its connection. What it edits meanwhile it
 * queues, and sends with the first frame it hears; what it sent into a dead connection it brings with its Step2. It takes all its edits for safe, and says so to its user, as soon
 * as as many acknowledgements came as it sent frames, one at least (`unsyncedChanges` of @hocuspocus/provider begins anew at 1 with each connection).
 */
export class SimUser {
  readonly name: string;
  readonly document: string;
  readonly dialect: Dialect;
  readonly doc = new Y.Doc();
  readonly #world: UserWorld;
  readonly #random: Random;
  readonly #reading: Reading;
  readonly presence: SimPresence;
  #connection: Connection | undefined;
  #unacknowledged: Edit[] = [];
  /** Updates made while there was no connection. */
  #queued: Uint8Array[] = [];
  #gone = false;
  /** Not coming back until told. */
  #offline = false;

  constructor(
    who: { name: string; document: string; dialect: Dialect; clientId: number; reading: Reading },
    parts: { world: UserWorld; random: Random },
  ) {
    this.name = who.name;
    this.document = who.document;
    this.dialect = who.dialect;
    this.doc.clientID = who.clientId;
    this.presence = new SimPresence(who.clientId);
    this.#reading = who.reading;
    this.#world = parts.world;
    this.#random = parts.random;
    this.doc.on('update', (update: Uint8Array, origin: unknown) => {
      if (origin !== 'server') this.#edited(update);
    });
  }

  get isGone(): boolean {
    return this.#gone;
  }

  /** The client ids this one sees, itself left out. */
  seen(): number[] {
    return this.presence.others(this.#now);
  }

  /** Connected, has the document, and the server has all of theirs. */
  get isSettled(): boolean {
    const connection = this.#connection;
    if (!connection?.synced || !connection.answered) return false;
    return this.dialect === 'y' || (connection.owed === 0 && this.#unacknowledged.length === 0);
  }

  get standing(): string {
    const { synced, answered, owed, port } = this.#connection ?? {};
    return `${this.name} (${this.dialect}): ${port ? `at ${port.process.name}` : 'not connected'}, synced ${synced ?? false}, answered ${answered ?? false}, owed ${owed ?? 0}, ${this.#unacknowledged.length} edits unacknowledged`;
  }

  start(): void {
    if (this.#gone || this.#offline || this.#connection) return;
    const port = this.#world.port();
    if (!port) return this.#comeBack();
    const connection: Connection = { port, synced: false, answered: false, owed: 0, heardAtMs: this.#now, mustHave: [] };
    const end = {
      frame: (bytes: Uint8Array) => {
        if (this.#connection === connection) this.#heard(connection, bytes);
      },
      closed: (code: number, reason: string) => {
        if (this.#connection !== connection) return;
        this.#world.trace(`${this.name} closed ${code} ${reason}`);
        if (!bearable.has(code)) this.#world.violation(`${this.name} was closed with ${code}: ${reason}`);
        this.#connection = undefined;
        this.presence.disconnected();
        this.#comeBack();
      },
    };
    connection.socket = port.connect(this.dialect, this.document, allowed, end, this.#reading);
    if (!connection.socket) return this.#comeBack();
    this.#connection = connection;
    connection.mustHave = this.#world.ledger.ackedIn(this.document).filter(({ ackedBy }) => ackedBy === port.process.name);
    const vector = Y.encodeStateVector(this.doc);
    if (this.dialect === 'collab') {
      connection.socket.reach(collab.auth(this.document, 'token', '4.8.0'));
      connection.socket.reach(collab.step1(this.document, vector));
    } else connection.socket.reach(y.step1(vector));
    this.#announce(connection, this.presence.own());
    this.#watch(connection);
    this.#renew(connection);
  }

  /** The page is closed, for good: what was acknowledged has to live without it. */
  vanish(): void {
    this.#gone = true;
    this.#hangUp();
  }

  /** Leaves as providers up to 4.4 do: with a removal of everybody they know. */
  leaveRudely(): void {
    const connection = this.#connection;
    if (connection) this.#announce(connection, ...this.presence.removals());
    this.#gone = true;
    this.#world.scheduler.after(50, () => this.#hangUp());
  }

  goOffline(): void {
    this.#offline = true;
    this.#hangUp();
  }

  comeOnline(): void {
    this.#offline = false;
    this.start();
  }

  /** The network between breaks: the client comes back by itself. */
  drop(): void {
    this.#hangUp();
    this.#comeBack();
  }

  edit(): void {
    if (this.#gone) return;
    const random = this.#random;
    const text = this.doc.getText('text');
    const what = random.next();
    if (what < 0.02) text.insert(random.int(text.length + 1), `${this.name}:`.repeat(400 + random.int(800)));
    else if (what < 0.6) text.insert(random.int(text.length + 1), `${this.name}${random.int(1000)}`);
    else if (what < 0.75 && text.length > 0) {
      const at = random.int(text.length);
      text.delete(at, 1 + random.int(Math.min(20, text.length - at)));
    } else this.doc.getMap('map').set(`key${random.int(4)}`, `${this.name}${random.int(1000)}`);
  }

  get #now(): number {
    return this.#world.scheduler.nowMs;
  }

  #hangUp(): void {
    const connection = this.#connection;
    this.#connection = undefined;
    connection?.socket?.break();
    this.presence.disconnected();
  }

  #comeBack(): void {
    this.#world.scheduler.after(reconnectMs * this.#random.between(0.8, 1.2), () => this.start());
  }

  #watch(connection: Connection): void {
    this.#world.scheduler.after(silentMs / 6, () => {
      if (this.#connection !== connection) return;
      if (this.#now - connection.heardAtMs > silentMs) {
        this.#world.trace(`${this.name} gives up a silent connection`);
        this.drop();
      } else this.#watch(connection);
    });
  }

  #renew(connection: Connection): void {
    this.#world.scheduler.after(renewMs, () => {
      if (this.#connection !== connection) return;
      this.#announce(connection, this.presence.renewed());
      this.#renew(connection);
    });
  }

  #announce(connection: Connection, ...entries: Presence[]): void {
    connection.socket!.reach(this.dialect === 'collab' ? collab.awareness(this.document, ...entries) : y.awareness(...entries));
  }

  #edited(update: Uint8Array): void {
    this.#unacknowledged.push(this.#world.ledger.made(this.name, this.document, update));
    const connection = this.#connection;
    if (this.dialect === 'y') connection?.socket!.reach(y.update(update));
    else if (connection) this.#send(connection, collab.update(this.document, update));
    else this.#queued.push(update);
  }

  #send(connection: Connection, frame: Uint8Array): void {
    connection.owed += 1;
    connection.socket!.reach(frame);
  }

  #heard(connection: Connection, bytes: Uint8Array): void {
    connection.heardAtMs = this.#now;
    for (const update of this.#queued) this.#send(connection, collab.update(this.document, update));
    this.#queued = [];
    const frame: ServerFrame = this.dialect === 'collab' ? readCollab(bytes) : readY(bytes);
    switch (frame.is) {
      case 'step1':
        return this.#answer(connection, frame.stateVector);
      case 'step2':
        Y.applyUpdate(this.doc, frame.update, 'server');
        return this.#synced(connection);
      case 'update':
        return Y.applyUpdate(this.doc, frame.update, 'server');
      case 'awareness': {
        const reply = this.presence.hear(frame.entries, this.#now);
        if (reply) this.#announce(connection, reply);
        return;
      }
      case 'status':
        return this.#status(connection, frame.taken);
      case 'denied':
      case 'close':
        return this.#world.violation(`${this.name} was told ${frame.is}: ${frame.text}`);
      default:
    }
  }

  #answer(connection: Connection, stateVector: Uint8Array): void {
    const update = Y.encodeStateAsUpdate(this.doc, stateVector);
    const first = !connection.answered;
    connection.answered = true;
    if (this.dialect === 'y') return connection.socket!.reach(y.step2(update));
    // The provider counts its answer to the first Step1 only (protocol.md).
    if (first) this.#send(connection, collab.step2(this.document, update));
    else connection.socket!.reach(collab.step2(this.document, update));
  }

  #synced(connection: Connection): void {
    connection.synced = true;
    const missing = connection.mustHave.filter((edit) => !holds(this.doc, edit));
    connection.mustHave = [];
    if (missing.length === 0 || this.#world.wasWiped()) return;
    const [edit] = missing as [Edit];
    this.#world.violation(
      `${this.name} joined at ${connection.port.process.name} and misses edit ${edit.number} of ${edit.by}, acknowledged there at ${Math.round(edit.ackedAtMs!)}`,
    );
  }

  #status(connection: Connection, taken: number): void {
    if (taken !== 1) return this.#world.violation(`${this.name}: an edit was refused`);
    connection.owed -= 1;
    if (connection.owed < 0) return this.#world.violation(`${this.name}: more acknowledgements than edits`);
    if (connection.owed > 0) return;
    for (const edit of this.#unacknowledged) this.#world.ledger.acknowledged(edit, this.#now, connection.port.process.name);
    this.#unacknowledged = [];
  }
}

interface Connection {
  readonly port: SimPort;
  socket?: SimSocket | undefined;
  /** Step2 came. */
  synced: boolean;
  /** Its Step1 was answered. */
  answered: boolean;
  /** Frames sent that are still to be acknowledged. */
  owed: number;
  heardAtMs: number;
  /** What was acknowledged by this very gateway before this connection asked: its answer has to hold it. */
  mustHave: readonly Edit[];
}
