import { Checks } from './checks.ts';
import { type Fault, heal, lengthOf, planOf, type Stage, strike } from './faults.ts';
import { type Edit, holds, Ledger } from './ledger.ts';
import { Random } from './random.ts';
import { layoutOf, type LogLine, SimHouse } from './sim-house.ts';
import { SimUser, type UserWorld } from './sim-user.ts';

export interface Outcome {
  readonly seed: number;
  readonly steps: number;
  readonly virtualMs: number;
  readonly faults: readonly Fault[];
  readonly edits: number;
  readonly acked: number;
  readonly relays: number;
  /** How long after all was healed the house was in order. */
  readonly settledMs: number;
  readonly violations: readonly string[];
  readonly trace: readonly string[];
}

export interface RunOptions {
  /** Faults left out, by number: for finding out which ones matter. */
  readonly without?: ReadonlySet<number>;
  /** Logs of the services go into the trace. */
  readonly verbose?: boolean;
}

/** After the last fault everything is in order within this time, or something is stuck. */
const settleMsMax = 60_000;
const lookEveryMs = 200;

/** One house, one plan of faults, from one seed. The same seed gives the same run, step for step. */
export async function runSeed(seed: number, options: RunOptions = {}): Promise<Outcome> {
  return new Run(seed, options).run();
}

class Run {
  readonly #seed: number;
  readonly #options: RunOptions;
  readonly #house: SimHouse;
  readonly #ledger = new Ledger();
  readonly #users: SimUser[] = [];
  readonly #random: Random;
  /** Virtual ms; all is healed then. */
  readonly #faultsMs: number;
  readonly #plan: Fault[];
  readonly #violations: string[] = [];
  readonly #trace: string[] = [];
  /** In a log that was wiped, and nowhere else in the house. */
  readonly #exempt = new Set<Edit>();
  readonly #checks: Checks;
  #wiped = false;
  #editing = true;
  #nextUser = 0;

  constructor(seed: number, options: RunOptions) {
    this.#seed = seed;
    this.#options = options;
    this.#random = new Random(seed, 'users');
    this.#faultsMs = lengthOf(seed);
    this.#plan = planOf(seed, this.#faultsMs).filter(({ number }) => !options.without?.has(number));
    this.#house = new SimHouse(seed, layoutOf(seed), {
      logLevel: options.verbose ? 'debug' : 'error',
      violation: (sentence) => this.#violation(sentence),
      trace: (line) => this.#note(line),
      logged: (process, line) => this.#logged(process, line),
    });
    this.#checks = new Checks({ house: this.#house, ledger: this.#ledger, users: this.#users, exempt: this.#exempt });
  }

  async run(): Promise<Outcome> {
    const onRejection = (error: unknown): void => this.#violation(`nobody caught: ${String(error instanceof Error ? error.stack : error)}`);
    process.on('unhandledRejection', onRejection);
    let settledMs = 0;
    try {
      settledMs = await this.#act();
    } finally {
      process.off('unhandledRejection', onRejection);
    }
    return {
      seed: this.#seed,
      steps: this.#house.scheduler.steps,
      virtualMs: this.#house.scheduler.nowMs,
      faults: this.#plan,
      edits: this.#ledger.edits.length,
      acked: this.#ledger.acked.length,
      relays: this.#house.relays.relays,
      settledMs,
      violations: this.#violations,
      trace: this.#trace,
    };
  }

  /** Gives how long it took until all was in order. */
  async #act(): Promise<number> {
    const { scheduler, places } = this.#house;
    for (const place of places) this.#house.start(place);
    for (let i = 0; i < this.#house.layout.users; i++) this.#addUser();
    const stage: Stage = {
      house: this.#house,
      users: () => this.#living,
      addUser: () => this.#addUser(),
      wiped: (slice) => this.#onWipe(slice),
    };
    for (const fault of this.#plan)
      scheduler.after(fault.atMs, () => {
        // Who leaves for good after a log was lost takes along what only they still had.
        if (this.#wiped && fault.kind === 'user-vanishes') return;
        this.#note(`FAULT ${fault.number} ${fault.kind}`);
        strike(fault, this.#seed, stage);
      });
    this.#watchBounds();
    await this.#until(this.#faultsMs);
    this.#note('all is healed');
    heal(stage);
    for (const user of this.#living) user.comeOnline();
    await this.#until(this.#faultsMs + 1_000);
    this.#editing = false;
    const settledMs = await this.#settle();
    if (this.#wiped) await this.#loadAllAnew();
    if (this.#violations.length > 0) return settledMs;
    await this.#joinersSeeAll();
    await this.#presenceIsRight();
    for (const wrong of this.#checks.atTheEnd()) this.#violation(wrong);
    return settledMs;
  }

  #watchBounds(): void {
    const over = this.#house.overBound();
    if (over !== undefined) this.#violation(over);
    this.#house.scheduler.after(20, () => this.#watchBounds());
  }

  get #living(): SimUser[] {
    return this.#users.filter(({ isGone }) => !isGone);
  }

  #until(atMs: number): Promise<void> {
    const { scheduler } = this.#house;
    let over = false;
    scheduler.after(atMs - scheduler.nowMs, () => {
      over = true;
    });
    return scheduler.run(() => over || this.#violations.length > 0);
  }

  async #settle(): Promise<number> {
    const { scheduler } = this.#house;
    const fromMs = scheduler.nowMs;
    while (this.#violations.length === 0) {
      const missing = this.#checks.outOfOrder();
      if (missing === undefined) return scheduler.nowMs - fromMs;
      if (scheduler.nowMs - fromMs > settleMsMax) this.#violation(`not in order ${settleMsMax} ms after all was healed: ${missing}`);
      await this.#until(scheduler.nowMs + lookEveryMs);
    }
    return scheduler.nowMs - fromMs;
  }

  /**
   * What persistence had read of a log that was lost may come to Postgres after workers have loaded a document anew. Nothing of it is lost, and everybody sees it who opens the document
   * after it was loaded again.
   */
  async #loadAllAnew(): Promise<void> {
    for (const place of this.#house.places) {
      if (place.kind !== 'sync-worker') continue;
      this.#house.kill(place);
      this.#house.start(place);
    }
    await this.#until(this.#house.scheduler.nowMs + 3_000);
    for (const user of this.#living) user.drop();
    await this.#until(this.#house.scheduler.nowMs + 3_000);
    await this.#settle();
  }

  /** Somebody new asks each gateway for each document: the answer stands at the log's end. */
  async #joinersSeeAll(): Promise<void> {
    const { ports, layout, scheduler } = this.#house;
    const joiners = ports.flatMap((port) => layout.documents.map((document) => this.#newUser(document, { port: () => port })));
    for (const joiner of joiners) joiner.start();
    const fromMs = scheduler.nowMs;
    while (this.#violations.length === 0 && joiners.some(({ isSettled }) => !isSettled)) {
      if (scheduler.nowMs - fromMs > settleMsMax)
        this.#violation(`a joiner is not served: ${joiners.find(({ isSettled }) => !isSettled)!.standing}`);
      await this.#until(scheduler.nowMs + lookEveryMs);
    }
  }

  /** Everybody sees exactly who is here; and still does when somebody leaves who says that all others are gone. */
  async #presenceIsRight(): Promise<void> {
    const { scheduler, layout } = this.#house;
    await this.#untilPresenceIsRight('all was healed');
    for (const { presence } of this.#living) presence.removed.clear();
    for (const document of layout.documents) this.#living.find((user) => user.document === document)?.leaveRudely();
    // Some read slowly.
    await this.#until(scheduler.nowMs + 10_000);
    // A gateway that died, and the worker that knew of it after it, leave a ghost until it expires, as y-protocols lets others do.
    await this.#untilPresenceIsRight('somebody left');
    for (const user of this.#living)
      for (const other of this.#living)
        if (user.presence.removed.has(other.presence.clientId))
          this.#violation(`${user.name} was told that ${other.name} is gone, who is here`);
  }

  async #untilPresenceIsRight(since: string): Promise<void> {
    const { scheduler } = this.#house;
    const fromMs = scheduler.nowMs;
    for (
      let wrong = this.#checks.wrongPresence();
      wrong !== undefined && this.#violations.length === 0;
      wrong = this.#checks.wrongPresence()
    ) {
      if (scheduler.nowMs - fromMs > settleMsMax) this.#violation(`presence is wrong ${settleMsMax} ms after ${since}: ${wrong}`);
      await this.#until(scheduler.nowMs + lookEveryMs);
    }
  }

  #onWipe(slice: number): void {
    this.#wiped = true;
    for (const document of this.#house.layout.documents) {
      if (this.#checks.sliceOf(document) !== slice) continue;
      const stored = this.#checks.stored(document);
      const logged = this.#checks.everLogged(document);
      // Acknowledged, or about to be: the answer may be on its way.
      for (const edit of this.#ledger.edits) {
        if (edit.document !== document || holds(stored, edit) || !holds(logged, edit)) continue;
        this.#exempt.add(edit);
        if (this.#house.layout.ackAfter === 'database' && edit.ackedAtMs !== undefined)
          this.#violation(`edit ${edit.number} of ${edit.by} was acknowledged and is not in Postgres`);
      }
    }
  }

  #addUser(): void {
    const user = this.#newUser(this.#random.pick(this.#house.layout.documents), {});
    user.start();
    const random = new Random(this.#seed, `typing of ${user.name}`);
    const pauseMs = random.pick([60, 200, 800]);
    const type = (): void => {
      if (user.isGone || !this.#editing) return;
      user.edit();
      this.#house.scheduler.after(random.exponential(pauseMs), type);
    };
    this.#house.scheduler.after(random.exponential(pauseMs), type);
  }

  #newUser(document: string, special: { port?: UserWorld['port'] }): SimUser {
    this.#nextUser += 1;
    const random = new Random(this.#seed, `user ${this.#nextUser}`);
    const { scheduler } = this.#house;
    const user = new SimUser(
      {
        name: `u${this.#nextUser}`,
        document,
        dialect: special.port || random.chance(0.7) ? 'collab' : 'y',
        clientId: 1_000 + this.#nextUser,
        reading: random.chance(0.15) ? { bytesPerMs: 8, kernelBytes: 3_000 } : { bytesPerMs: 10_000, kernelBytes: 200_000 },
      },
      {
        random,
        world: {
          scheduler,
          ledger: this.#ledger,
          wasWiped: () => this.#wiped,
          port:
            special.port ??
            (() => {
              const { ports } = this.#house;
              return ports.length > 0 ? random.pick(ports) : undefined;
            }),
          violation: (sentence) => this.#violation(sentence),
          trace: (line) => this.#note(line),
        },
      },
    );
    this.#users.push(user);
    return user;
  }

  #violation(sentence: string): void {
    this.#violations.push(sentence);
    this.#note(`VIOLATION ${sentence}`);
  }

  #note(line: string): void {
    const { scheduler } = this.#house;
    this.#trace.push(`${scheduler.nowMs.toFixed(1).padStart(9)} #${scheduler.steps} ${line}`);
  }

  /** The services log an error when something happened that must not: a wiped log is the only such thing here. */
  #logged(process: string, line: LogLine): void {
    this.#note(`${process} ${line.level} ${line.msg} ${this.#options.verbose ? JSON.stringify(line) : ''}`);
    if ((line.level === 'error' || line.level === 'fatal') && !this.#wiped)
      this.#violation(`${process} logged an error: ${JSON.stringify(line)}`);
  }
}
