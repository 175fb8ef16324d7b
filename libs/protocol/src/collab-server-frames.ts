import { COLLAB_TYPE } from './collab-dialect.ts';
import { frameWithPayload, frameWithText } from './frame-bytes.ts';
import { SYNC_STEP1, SYNC_STEP2, SYNC_UPDATE } from './sync-payload.ts';

export type CollabScope = 'readonly' | 'read-write';

const nothing = new Uint8Array(0);
const AUTH_TOKEN = 0;
const AUTH_PERMISSION_DENIED = 1;
const AUTH_AUTHENTICATED = 2;

/** Only providers that sent a version (v4) understand it: one raw byte, no address. Others take it for the start of an address. */
export const COLLAB_PING: Uint8Array = Uint8Array.of(COLLAB_TYPE.ping);

/**
 * Frames a server of the Hocuspocus dialect sends to one address. Make one for an address and keep it: its head is encoded once, and
 * a frame is the same bytes for everyone on that address, so encode once and send to many.
 */
export class CollabServerFrames {
  readonly address: string;
  /** The address, encoded. */
  private readonly prefix: Uint8Array;
  private readonly step1Head: Uint8Array;
  private readonly step2Head: Uint8Array;
  private readonly updateHead: Uint8Array;
  private readonly awarenessHead: Uint8Array;
  private readonly taken: Uint8Array;
  private readonly refused: Uint8Array;

  constructor(address: string) {
    this.address = address;
    this.prefix = frameWithText(nothing, address);
    this.step1Head = this.head(COLLAB_TYPE.sync, SYNC_STEP1);
    this.step2Head = this.head(COLLAB_TYPE.sync, SYNC_STEP2);
    this.updateHead = this.head(COLLAB_TYPE.sync, SYNC_UPDATE);
    this.awarenessHead = this.head(COLLAB_TYPE.awareness);
    this.taken = this.head(COLLAB_TYPE.syncStatus, 1);
    this.refused = this.head(COLLAB_TYPE.syncStatus, 0);
  }

  syncStep1(stateVector: Uint8Array): Uint8Array {
    return frameWithPayload(this.step1Head, stateVector);
  }

  syncStep2(update: Uint8Array): Uint8Array {
    return frameWithPayload(this.step2Head, update);
  }

  /** `into`: see `frameWithPayload`; for frames that are sent once and not kept. */
  update(update: Uint8Array, into?: Uint8Array): Uint8Array {
    return frameWithPayload(this.updateHead, update, into);
  }

  /** `awareness`: as `encodeAwareness` makes it; encode it once for all addresses and dialects. `into` as in `update`. */
  awareness(awareness: Uint8Array, into?: Uint8Array): Uint8Array {
    return frameWithPayload(this.awarenessHead, awareness, into);
  }

  /** Exactly one for every Update and Step2 the client sent of its own accord. The same bytes each time: do not write to them. */
  syncStatus(taken: boolean): Uint8Array {
    return taken ? this.taken : this.refused;
  }

  authenticated(scope: CollabScope): Uint8Array {
    return frameWithText(this.head(COLLAB_TYPE.auth, AUTH_AUTHENTICATED), scope);
  }

  permissionDenied(reason: string): Uint8Array {
    return frameWithText(this.head(COLLAB_TYPE.auth, AUTH_PERMISSION_DENIED), reason);
  }

  askForToken(): Uint8Array {
    return this.head(COLLAB_TYPE.auth, AUTH_TOKEN);
  }

  /** The provider answers with every state it knows. */
  queryAwareness(): Uint8Array {
    return this.head(COLLAB_TYPE.queryAwareness);
  }

  stateless(payload: string): Uint8Array {
    return frameWithText(this.head(COLLAB_TYPE.stateless), payload);
  }

  /** Closes the document, not the socket. A provider never comes back from it by itself: to force a resync, close the socket. */
  close(reason: string): Uint8Array {
    return frameWithText(this.head(COLLAB_TYPE.close), reason);
  }

  /** Types and subtypes are below 128: one byte each. */
  private head(...types: readonly number[]): Uint8Array {
    const head = new Uint8Array(this.prefix.length + types.length);
    head.set(this.prefix);
    head.set(types, this.prefix.length);
    return head;
  }
}
