import { coversRanges, decodeStateVector, type MalformedUpdate, scanUpdate, type UpdateScan } from '@weft/updates';
import { CLOSE, encodeAwareness, type PresenceEntry } from '@weft/protocol';
import { BadFrame } from './connection.ts';
import type { GatewayDocument } from './document.ts';
import type { Member } from './member.ts';

/**
 * What a client may do with a document it has open, the same in both dialects. Bytes it is given are the socket's: what is kept of them is copied.
 *
 * An edit: check -> local fan-out -> the log's queue; its acknowledgement follows when the log has it (invariant 1). Exactly one answer for every Update and every Step2
 * (protocol.md): providers count.
 */
export class Editing {
  readonly #world: EditingWorld;
  readonly #limits: EditingLimits;

  constructor(limits: EditingLimits, world: EditingWorld) {
    this.#limits = limits;
    this.#world = world;
  }

  /** Throws BadFrame. */
  step1(document: GatewayDocument, member: Member, stateVector: Uint8Array): void {
    try {
      member.asksForDocument(decodeStateVector(stateVector).size === 0);
    } catch (error) {
      throw new BadFrame(CLOSE.badFrame, `state vector of ${stateVector.byteLength} bytes: ${(error as Error).message}`, { cause: error });
    }
    // A question has to fit one message. "I have nothing" is answered with more than is needed, and never with less.
    document.join(member, stateVector.byteLength > this.#limits.stateVectorBytesMax ? emptyStateVector : stateVector.slice());
  }

  /** Throws BadFrame. */
  update(document: GatewayDocument, member: Member, update: Uint8Array): void {
    const scan = this.#scan(member, update);
    if (isEmpty(scan)) acknowledge(member, true);
    else if (!member.mayEdit) refuse(member, 1);
    else if (!member.withholds()) this.#take(document, member, update.slice(), 1);
  }

  /** A client's answer to our Step1: what it has and we lack. Throws BadFrame. */
  step2(document: GatewayDocument, member: Member, given: Uint8Array): void {
    const { reason, acks, refused } = member.step2Came();
    const scan = this.#scan(member, given);
    const update = given.slice();
    if (reason === 'recovery') return this.#recovered(document, member, update, scan);
    if (isEmpty(scan)) return reason === 'join' && acks === 1 ? acknowledge(member, true) : this.#known(document, member, acks);
    const knownStructs = isKnown(member, scan);
    if (knownStructs && !scan.deletes) return this.#known(document, member, acks);
    if (member.mayEdit && !knownStructs) return this.#take(document, member, update, acks);
    // Only deletes can be new, or the client may not edit: the worker knows whether all of it is there already.
    this.#world.contains(document, update, (contained) => {
      if (!document.members.has(member)) return;
      if (contained) this.#known(document, member, acks);
      else if (member.mayEdit) this.#take(document, member, update, acks);
      else {
        member.wasRefused(refused);
        refuse(member, acks - refused);
      }
    });
  }

  /** What a log that was replaced had lost of the document. The client counts no answer to this. */
  #recovered(document: GatewayDocument, member: Member, update: Uint8Array, scan: UpdateScan): void {
    if (isEmpty(scan) || !member.mayEdit) return;
    if (!isKnown(member, scan)) return this.#take(document, member, update, 0);
    if (!scan.deletes) return;
    this.#world.contains(document, update, (contained) => {
      if (!contained && document.members.has(member)) this.#take(document, member, update, 0);
    });
  }

  /** The house has all of it. It may be this client's own edit, whose acknowledgement it never heard: that has to be true by now. */
  #known(document: GatewayDocument, member: Member, acks: number): void {
    if (acks === 0) return;
    if (!member.mayEdit && acks === 1) acknowledge(member, true);
    else if (!this.#world.hasRoom(document, 0)) this.#refuse(member);
    else this.#world.acknowledgeKnown(document, member, acks);
  }

  /** Entries of ids that another connection owns are left out; the rest goes to everybody. `opened`: all that the connection has open. Throws BadFrame. */
  presence(
    document: GatewayDocument,
    member: Member,
    entries: readonly PresenceEntry[],
    opened: ReadonlyMap<Member, GatewayDocument>,
  ): void {
    for (const { json } of entries)
      if (json.length > this.#limits.presenceStateBytesMax)
        throw new BadFrame(
          CLOSE.badFrame,
          `an awareness state of ${json.length} characters: at most ${this.#limits.presenceStateBytesMax} travel between gateways`,
        );
    const changed = document.presence.fromOwner(member, entries);
    this.#checkUsage(opened);
    if (changed.length === 0) return;
    document.showPresence(changed);
    this.#world.presenceChanged(document, changed);
  }

  #checkUsage(opened: ReadonlyMap<Member, GatewayDocument>): void {
    const { presenceBytesMax, presenceIdsMax } = this.#limits;
    let clientIds = 0;
    let bytes = 0;
    for (const [member, document] of opened) {
      const usage = document.presence.usageOf(member);
      clientIds += usage.clientIds;
      bytes += usage.length;
    }
    if (bytes > presenceBytesMax)
      throw new BadFrame(CLOSE.badFrame, `awareness of ${bytes} bytes: at most ${presenceBytesMax} are kept for one connection`);
    if (clientIds > presenceIdsMax)
      throw new BadFrame(CLOSE.badFrame, `awareness of ${clientIds} client ids: at most ${presenceIdsMax} are kept for one connection`);
  }

  queryPresence(document: GatewayDocument, member: Member): void {
    member.socket.send(member.frames.awareness(encodeAwareness(document.presence.all())));
  }

  /** Throws BadFrame. */
  stateless(document: GatewayDocument, member: Member, payload: string): void {
    const bytes = new TextEncoder().encode(payload).byteLength;
    if (bytes > this.#limits.statelessBytesMax)
      throw new BadFrame(
        CLOSE.badFrame,
        `a stateless message of ${bytes} bytes: at most ${this.#limits.statelessBytesMax} travel between gateways`,
      );
    document.stateless(payload, member);
    this.#world.stateless(document, payload);
  }

  #scan(member: Member, update: Uint8Array): UpdateScan {
    try {
      return scanUpdate(update);
    } catch (error) {
      acknowledge(member, false);
      const { message } = error as MalformedUpdate;
      throw new BadFrame(CLOSE.badFrame, `update of ${update.byteLength} bytes: ${message}`, { cause: error });
    }
  }

  /** Keeps the bytes. `acks`: how many answers the member gets when it is safe. */
  #take(document: GatewayDocument, member: Member, update: Uint8Array, acks: number): void {
    if (!this.#world.hasRoom(document, update.byteLength)) return this.#refuse(member);
    document.fanOut(update, member);
    this.#world.append(document, update, member, acks);
  }

  /** The client keeps what was not acknowledged, and sends it again when it is back. */
  #refuse(member: Member): void {
    member.socket.close(CLOSE.tryAgainLater.code, 'edits wait to be saved and have reached their bound: keep the edit, try again later');
  }
}

export function acknowledge(member: Member, taken: boolean): void {
  if (member.gone) return;
  const frame = member.frames.syncStatus(taken);
  if (frame) member.socket.send(frame);
}

/** For want of right: it keeps them, and counts them as unsaved. */
function refuse(member: Member, edits: number): void {
  member.wasRefused(edits);
  for (let i = 0; i < edits; i++) acknowledge(member, false);
}

export interface EditingWorld {
  /** May so many bytes more wait for the log? */
  hasRoom(document: GatewayDocument, bytes: number): boolean;
  /** Takes the bytes over. `member` is told so many times when they are safe. */
  append(document: GatewayDocument, update: Uint8Array, member: Member, acks: number): void;
  /** The update is in the log already: acknowledges it, and the member's earlier ones that waited for it, as soon as that is enough. */
  acknowledgeKnown(document: GatewayDocument, member: Member, acks: number): void;
  contains(document: GatewayDocument, update: Uint8Array, answer: (contained: boolean) => void): void;
  presenceChanged(document: GatewayDocument, entries: readonly PresenceEntry[]): void;
  stateless(document: GatewayDocument, payload: string): void;
}

export interface EditingLimits {
  /** Awareness JSON one connection may hold, over all its documents. */
  readonly presenceBytesMax: number;
  /** Client ids one connection may speak for: a provider has one a document, and a room has places for ten thousand. */
  readonly presenceIdsMax: number;
  /** Of one client id, in UTF-16 units: it goes to the other gateways in one message. */
  readonly presenceStateBytesMax: number;
  /** It goes to the other gateways in one message. */
  readonly statelessBytesMax: number;
  /** A larger one is not asked with. */
  readonly stateVectorBytesMax: number;
}

const emptyStateVector = Uint8Array.of(0);

/** Are all its structs what the document was said to have when this client was last sent Step1? */
function isKnown({ serverVector }: Member, scan: UpdateScan): boolean {
  return serverVector !== undefined && coversRanges(decodeStateVector(serverVector), scan);
}

function isEmpty(scan: UpdateScan): boolean {
  return scan.ranges.length === 0 && !scan.deletes;
}
