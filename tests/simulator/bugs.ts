/** A change of one source text: `from` must stand there exactly once. */
export interface Patch {
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

export interface Bug {
  readonly name: string;
  /** Found within a few seeds: planted in every `npm test`. */
  readonly quick?: boolean;
  readonly patches: readonly Patch[];
}

const gateway = 'services/gateway/src/';
const worker = 'services/sync-worker/src/';
const persistence = 'services/persistence/src/';

/** Bugs the simulator has to find: each breaks one rule the house stands on. They are planted while the sources are loaded (plant-hook.mjs), in no build. */
export const bugs: readonly Bug[] = [
  {
    name: 'acknowledged before the append',
    quick: true,
    patches: [
      {
        file: `${gateway}service.ts`,
        from: 'const appended = await this.#writers[slice]!.append(batch.entries);',
        to: `const appended = { identity: '', position: 0 };
        this.#writers[slice]!.append(batch.entries).catch(() => undefined);
        await Promise.resolve();`,
      },
    ],
  },
  {
    name: 'two appends in flight a slice',
    patches: [
      {
        file: `${gateway}append-queue.ts`,
        from: 'if (this.#inFlight || this.#waiting.size === 0) return undefined;',
        to: 'if (this.#waiting.size === 0) return undefined;',
      },
    ],
  },
  {
    name: 'relayed before the append',
    patches: [
      {
        file: `${gateway}service.ts`,
        from: 'const appended = await this.#writers[slice]!.append(batch.entries);',
        to: `const leaked = JSON.stringify(batch.entries.map(({ document, update }) => [document, Buffer.from(update).toString('base64')]));
        if (leaked.length < 10_000) this.#parts.bus.publish('weft.leak', Buffer.from(leaked));
        const appended = await this.#writers[slice]!.append(batch.entries);`,
      },
      {
        file: `${gateway}service.ts`,
        from: 'let turn = 0;',
        to: `let turn = 0;
    bus.subscribe('weft.leak', ({ data }) => {
      for (const [document, update] of JSON.parse(Buffer.from(data).toString())) (this.#core as any).leak(document, new Uint8Array(Buffer.from(update, 'base64')));
    });`,
      },
      {
        file: `${gateway}gateway-core.ts`,
        from: '  get connections(): number {',
        to: `  leak(document: string, update: Uint8Array): void {
    this.#documents.get(document)?.fanOut(update);
  }

  get connections(): number {`,
      },
    ],
  },
  {
    name: 'an append without an answer is taken for done',
    quick: true,
    patches: [
      {
        file: `${gateway}slice-writer.ts`,
        from: 'if (error instanceof WalRecordTooLarge) return undefined;',
        to: `if (error instanceof WalUnavailable) return { identity: 'unknown', position: 0 };
      if (error instanceof WalRecordTooLarge) return undefined;`,
      },
      {
        file: `${gateway}slice-writer.ts`,
        from: 'isRetryable: (error) => error instanceof WalUnavailable || error instanceof WalFull,',
        to: 'isRetryable: (error) => error instanceof WalFull,',
      },
    ],
  },
  {
    name: 'an answer does not wait for the position it was asked for',
    patches: [
      {
        file: `${worker}answering.ts`,
        from: 'question.atLeast > slice.position) return false;',
        to: 'question.atLeast < 0) return false;',
      },
    ],
  },
  {
    name: 'a joiner is not given what the log has not confirmed',
    patches: [
      {
        file: `${gateway}document.ts`,
        from: 'asked: () => joining.restart(this.#world.unacknowledged(this)),',
        to: 'asked: () => joining.restart([]),',
      },
    ],
  },
  {
    name: 'a takeover begins at the end of the log',
    quick: true,
    patches: [
      {
        file: `${worker}slice-follower.ts`,
        from: 'const base = Math.min(to, Math.max(state.first - 1, Math.min(slice.lookback(this.#clock.now()) ?? stored, stored)));',
        to: 'const base = to;',
      },
    ],
  },
  {
    name: 'a takeover forgets an update whose last piece comes after it',
    patches: [{ file: `${worker}slice-follower.ts`, from: 'if (isLate && payload.index === 0) return;', to: 'if (isLate) return;' }],
  },
  {
    name: 'a hole in the relays is not asked for',
    patches: [{ file: `${gateway}worker-links.ts`, from: 'if (hole) this.#hole(link, relay.slice);', to: '' }],
  },
  {
    name: 'a relay is forgotten',
    patches: [{ file: `${worker}gateway-links.ts`, from: 'if (updates) updates.push(update);', to: 'if (updates) return;' }],
  },
  {
    name: 'a slow client is caught up from where the log is, not from where it was left',
    patches: [
      {
        file: `${gateway}document.ts`,
        from: 'member.position = this.#owedFrom(this.#world.coveredPosition(this));',
        to: 'member.position = { ...this.#world.coveredPosition(this), position: 1e9 };',
      },
    ],
  },
  {
    name: 'deletes made offline are taken for known',
    patches: [
      {
        file: `${gateway}editing.ts`,
        from: 'if (knownStructs && !scan.deletes) return this.#known(document, member, acks);',
        to: 'if (knownStructs) return this.#known(document, member, acks);',
      },
    ],
  },
  {
    name: 'the floor is announced before the commit',
    patches: [
      {
        file: `${persistence}flush-writer.ts`,
        from: 'if (isNothing(flush)) return this.#committed(flush);',
        to: `this.#retried(() => store.commitFlush(flush)).catch(() => undefined);
    if (flush) return this.#committed(flush);`,
      },
    ],
  },
  {
    name: 'the floor passes unfinished pieces',
    patches: [
      {
        file: `${persistence}combiner.ts`,
        from: 'floorPosition: incomplete === undefined ? this.#readPosition : Math.min(this.#readPosition, incomplete - 1),',
        to: 'floorPosition: incomplete === undefined ? this.#readPosition : this.#readPosition,',
      },
    ],
  },
  {
    name: 'the log is trimmed beyond the floor',
    patches: [
      {
        file: `${persistence}slice-session.ts`,
        from: 'this.#trimClock.trimmable(floor,',
        to: 'this.#trimClock.trimmable(floor + 1_000_000,',
      },
    ],
  },
  {
    name: 'what came during a flush is cleared after it',
    quick: true,
    patches: [
      {
        file: `${persistence}slice-session.ts`,
        from: 'const written = await this.#writer.write(batch);',
        to: 'const written = await this.#writer.write(batch);\n    this.#combiner.take();',
      },
    ],
  },
  {
    name: 'a flush that fails is dropped',
    patches: [
      {
        file: `${persistence}flush-writer.ts`,
        from: 'isRetryable: (error) => error instanceof StoreUnavailable,',
        to: 'isRetryable: () => false,',
      },
      {
        file: `${persistence}flush-writer.ts`,
        from: 'if (!isValueRefused(error)) throw error;\n      return this.#writeOneByOne',
        to: 'if (error instanceof StoreUnavailable) return this.#committed({ ...flush, toPosition: flush.fromPosition });\n      if (!isValueRefused(error)) throw error;\n      return this.#writeOneByOne',
      },
    ],
  },
  {
    name: 'a compaction deletes a row that came meanwhile',
    patches: [
      { file: `${persistence}compactor.ts`, from: 'const consumedRowIds = from.tail.map(({ id }) => id);', to: '' },
      {
        file: `${persistence}compactor.ts`,
        from: 'const quarantined = bad.map(',
        to: `const late = await store.loadForCompaction(document, { tailBytesMax: TAIL_BYTES_MAX });
    const consumedRowIds = late!.tail.map(({ id }) => id);
    const quarantined = bad.map(`,
      },
    ],
  },
  {
    name: 'with acks after Postgres, nobody waits for Postgres',
    patches: [
      {
        file: `${gateway}floor-gate.ts`,
        from: 'this.#waiting[count]!.position <= floor.position) count++;',
        to: 'this.#waiting[count]!.position > 0) count++;',
      },
    ],
  },
  {
    name: 'an Update is acknowledged before the Step2 with what it builds on has come',
    patches: [
      {
        file: `${gateway}member.ts`,
        from: "if (this.#history !== 'awaited') return false;",
        to: 'if (this.#history !== undefined) return false;',
      },
    ],
  },
  {
    name: 'edits that wait for the log have no bound',
    patches: [
      {
        file: `${gateway}editing.ts`,
        from: 'if (!this.#world.hasRoom(document, update.byteLength)) return',
        to: 'if (!this.#world.hasRoom(document, -1e9)) return',
      },
    ],
  },
  {
    name: 'presence of others may be removed by anybody',
    patches: [
      {
        file: `${gateway}presence-board.ts`,
        from: 'if (held.owner !== owner) {',
        to: `if (entry.json === 'null' && entry.clock >= held.entry.clock) {
      this.#remove(entry.clientId, entry.clock);
      return true;
    }
    if (held.owner !== owner) {`,
      },
    ],
  },
  {
    name: 'a document read from Postgres may be older than the tail reaches back',
    patches: [{ file: `${worker}held-document.ts`, from: "if (this.state.kind === 'loading') return;", to: '' }],
  },
];
