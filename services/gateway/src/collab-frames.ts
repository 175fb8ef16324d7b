import { CollabServerFrames } from '@weft/protocol';
import type { GatewayDocument } from './document.ts';
import type { DocumentFrames } from './member.ts';

/** How an address of the Hocuspocus dialect is spoken to; the same for everybody who calls the document so. */
export function collabFrames(document: GatewayDocument, address: string): DocumentFrames {
  // A session-aware provider has an address of its own, and so a topic of its own.
  const topic = `c/${address}`;
  return document.framesOf(topic) ?? new CollabFrames(topic, address);
}

class CollabFrames implements DocumentFrames {
  readonly topic: string;
  readonly #frames: CollabServerFrames;

  constructor(topic: string, address: string) {
    this.topic = topic;
    this.#frames = new CollabServerFrames(address);
  }

  step1(stateVector: Uint8Array): Uint8Array {
    return this.#frames.syncStep1(stateVector);
  }

  step2(update: Uint8Array): Uint8Array {
    return this.#frames.syncStep2(update);
  }

  update(update: Uint8Array, into?: Uint8Array): Uint8Array {
    return this.#frames.update(update, into);
  }

  awareness(awareness: Uint8Array): Uint8Array {
    return this.#frames.awareness(awareness);
  }

  stateless(payload: string): Uint8Array {
    return this.#frames.stateless(payload);
  }

  syncStatus(taken: boolean): Uint8Array {
    return this.#frames.syncStatus(taken);
  }
}
