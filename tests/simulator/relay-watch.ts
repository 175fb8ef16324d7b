import type { BusMessage } from '@weft/bus';
import { decodeToGateway, peerKey } from '@weft/protocol';

/** Listens to what workers send: a relay begins where the one before ended, or where an answer on the same link stood; none skips a position. */
export class RelayWatch {
  /** By worker, gateway, slice and log: up to where the gateway was told. */
  readonly #told = new Map<string, number>();
  readonly #violation: (sentence: string) => void;
  relays = 0;

  constructor(violation: (sentence: string) => void) {
    this.#violation = violation;
  }

  hear({ subject, data }: BusMessage): void {
    if (!subject.startsWith('weft.gateway.')) return;
    const message = decodeToGateway(data);
    if (message.kind !== 'answer' && message.kind !== 'relay') return;
    const link = `${peerKey(message.worker)} ${subject} ${message.slice} ${message.logIdentity}`;
    const told = this.#told.get(link);
    if (message.kind === 'answer') {
      this.#told.set(link, Math.max(told ?? 0, message.position));
      return;
    }
    this.relays += 1;
    if (told === undefined) this.#violation(`a relay to who was never answered: ${link}`);
    else if (message.from > told)
      this.#violation(`a relay skips positions: ${link} was told up to ${told}, and hears ${message.from} to ${message.to}`);
    this.#told.set(link, Math.max(told ?? 0, message.to));
  }
}
