import { partitionOf, sliceOf } from '@weft/ring';
import { decodeRecord, PieceAssembler } from '@weft/wal';
import { docOf, type Edit, fingerprint, holds, type Ledger, missingFrom } from './ledger.ts';
import type { SimHouse } from './sim-house.ts';
import type { SimUser } from './sim-user.ts';

export interface ChecksParts {
  readonly house: SimHouse;
  readonly ledger: Ledger;
  /** Everybody who ever was here. */
  readonly users: readonly SimUser[];
  /** In a log that was wiped, and nowhere else in the house. */
  readonly exempt: ReadonlySet<Edit>;
}

/** What has to be true of a house that was healed (docs/reliability.md). Each gives what is wrong, in words. */
export class Checks {
  readonly #house: SimHouse;
  readonly #ledger: Ledger;
  readonly #users: readonly SimUser[];
  readonly #exempt: ReadonlySet<Edit>;

  constructor({ house, ledger, users, exempt }: ChecksParts) {
    this.#house = house;
    this.#ledger = ledger;
    this.#users = users;
    this.#exempt = exempt;
  }

  /** What is not yet as it should be once all is healed. */
  outOfOrder(): string | undefined {
    const { log, database, layout } = this.#house;
    const unsettled = this.#living.find((user) => !user.isSettled);
    if (unsettled) return unsettled.standing;
    for (const [slice, { identity, last }] of log.slices.entries()) {
      const floor = database.floorOf(slice);
      if (last === 0 || (floor?.identity === identity && floor.position === last)) continue;
      const expected = this.#floorExpected(slice, floor?.identity === identity ? floor.position : 0);
      if (floor?.identity !== identity || floor.position !== expected)
        return `slice ${slice}: the floor is ${floor?.position} of ${floor?.identity}, and should be ${expected} of ${identity}`;
    }
    for (const document of layout.documents) {
      const [first, ...others] = this.#living.filter((user) => user.document === document);
      const print = first && fingerprint(first.doc);
      const different = others.find(({ doc }) => fingerprint(doc) !== print);
      if (different)
        return `${different.name} and ${first!.name} see different documents ${document}: ${this.#difference(different.doc, first!.doc)}`;
    }
    return undefined;
  }

  /** Somebody who does not see exactly who is here. */
  wrongPresence(): string | undefined {
    for (const user of this.#living) {
      const here = this.#living.filter(({ document, name }) => document === user.document && name !== user.name);
      const expected = here.map(({ presence }) => presence.clientId).toSorted((a, b) => a - b);
      const seen = user.seen();
      if (seen.join() !== expected.join()) return `${user.name} sees ${seen.join(' ')}, here are ${expected.join(' ')}`;
    }
    return undefined;
  }

  /** Nothing acknowledged is lost, nothing waits for what is, and everybody sees what is stored. */
  atTheEnd(): string[] {
    const { layout } = this.#house;
    const found: string[] = [];
    for (const document of layout.documents) {
      const users = this.#living.filter((user) => user.document === document);
      const [first] = users;
      const stored = this.stored(document);
      const logged = this.everLogged(document);
      for (const { name, doc } of users) {
        if (fingerprint(doc) !== fingerprint(stored))
          found.push(`${name} sees something else of ${document} than is stored: ${this.#difference(doc, stored)}`);
        found.push(...this.#waiting(doc, `${name}'s ${document}`));
      }
      for (const edit of this.#ledger.ackedIn(document)) {
        if (this.#exempt.has(edit)) continue;
        if (first && !holds(first.doc, edit))
          found.push(
            `LOST: edit ${edit.number} of ${edit.by} in ${document}, acknowledged at ${Math.round(edit.ackedAtMs!)} by ${edit.ackedBy}`,
          );
        else if (!holds(stored, edit)) found.push(`LOST in the store: edit ${edit.number} of ${edit.by} in ${document}`);
        else if (!holds(logged, edit))
          found.push(`never in the log, though acknowledged: edit ${edit.number} of ${edit.by} in ${document}`);
      }
      found.push(...this.#waiting(logged, `the log of ${document}`));
      found.push(...this.#waiting(stored, `the stored ${document}`));
    }
    if (this.#house.database.quarantined.length > 0) found.push('something good was put into quarantine');
    return found;
  }

  /** Nothing waits for what was lost. */
  #waiting(doc: ReturnType<typeof docOf>, what: string): string[] {
    return missingFrom(doc).flatMap(({ client, clock }) => {
      const edit = this.#ledger.of(client, clock);
      if (edit && this.#exempt.has(edit)) return [];
      return [`${what} waits for struct ${clock} of ${client}, edit ${edit?.number} of ${edit?.by}, which is lost`];
    });
  }

  /**
   * The log's end; or below an update in pieces that is not whole for who reads on from the floor: its gateway died over it, or a piece came a second time, late, after a persistence had
   * begun behind the first. Such a floor waits for ten minutes (libs/wal/SPEC.md, P6).
   */
  #floorExpected(slice: number, floor: number): number {
    const { identity, last } = this.#house.log.slices[slice]!;
    const pieces = new PieceAssembler(() => {});
    for (const record of this.#house.log.history) {
      if (record.slice !== slice || record.identity !== identity || record.position <= floor) continue;
      const { origin, entries } = decodeRecord(record.bytes);
      for (const { document, payload } of entries)
        if (payload.kind === 'piece') pieces.add({ origin, document, position: record.position, atMs: 0 }, payload);
    }
    return Math.min(last, (pieces.oldestIncompletePosition ?? last + 1) - 1);
  }

  #difference(one: ReturnType<typeof docOf>, other: ReturnType<typeof docOf>): string {
    const differs = this.#ledger.edits.filter((edit) => holds(one, edit) !== holds(other, edit));
    return differs
      .slice(0, 5)
      .map(
        (edit) =>
          `edit ${edit.number} of ${edit.by}${edit.ackedAtMs === undefined ? '' : `, acknowledged at ${Math.round(edit.ackedAtMs)},`} is in the ${holds(one, edit) ? 'former' : 'latter'}`,
      )
      .join('; ');
  }

  stored(document: string): ReturnType<typeof docOf> {
    const { snapshot, tail } = this.#house.database.load(document, this.sliceOf(document));
    return docOf([...snapshot.pieces, ...tail]);
  }

  /** All the log was ever given of the document. */
  everLogged(document: string): ReturnType<typeof docOf> {
    const updates: Uint8Array[] = [];
    const pieces = new PieceAssembler(() => {});
    for (const { slice, position, bytes } of this.#house.log.history) {
      if (slice !== this.sliceOf(document)) continue;
      const { origin, entries } = decodeRecord(bytes);
      for (const { document: name, payload } of entries) {
        const whole = payload.kind === 'update' ? payload.update : pieces.add({ origin, document: name, position, atMs: 0 }, payload);
        if (whole && name === document) updates.push(whole);
      }
    }
    return docOf(updates);
  }

  sliceOf(document: string): number {
    return sliceOf(partitionOf(document, this.#house.layout.partitions), this.#house.layout.slices);
  }

  get #living(): SimUser[] {
    return this.#users.filter(({ isGone }) => !isGone);
  }
}
