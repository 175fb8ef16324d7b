import { CollabServerFrames } from '@weft/protocol';
import type { DocumentFrames } from './member.ts';

/** How an address of the Hocuspocus dialect is spoken to. */
export function framesFor(address: string): DocumentFrames {
  const frames = new CollabServerFrames(address);
  return {
    // A session-aware provider has an address of its own, and so a topic of its own.
    topic: `c/${address}`,
    step1: (stateVector) => frames.syncStep1(stateVector),
    step2: (update) => frames.syncStep2(update),
    update: (update, into) => frames.update(update, into),
    awareness: (awareness) => frames.awareness(awareness),
    stateless: (payload) => frames.stateless(payload),
    syncStatus: (taken) => frames.syncStatus(taken),
  };
}
