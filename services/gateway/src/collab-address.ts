import type { CloseCode, CollabAddress, CollabClientMessage } from '@weft/protocol';
import type { GatewayDocument } from './document.ts';
import type { Member } from './member.ts';
import type { Right } from './right.ts';

/**
 * What one address (a document, as one provider of the socket calls it) is going through. `check` numbers the Auth whose answer counts: the latest.
 * - `unknown`: frames came before an Auth: kept.
 * - `checking`: auth is being asked: frames kept, CLOSE and what follows it too, so that they are handled in order.
 * - `denied`: told so; frames are dropped until another Auth comes, but for what was `missed`.
 * - `open`: `decided` is the latest Auth that was answered. `ends`: its right is gone; but an Auth was under way by then, and the answer to that decides.
 */
export type Address =
  | { readonly kind: 'unknown'; readonly kept: KeptFrame[] }
  | { readonly kind: 'checking'; readonly kept: KeptFrame[]; readonly check: number; readonly missed: Missed }
  | { readonly kind: 'denied'; missed: Missed }
  | Open;

/** What an address did while it was denied: did it ask for the document, and how many edits does it count as unsaved? */
export interface Missed {
  readonly asked: boolean;
  readonly counted: number;
}

export const nothingMissed: Missed = { asked: false, counted: 0 };

export interface Open {
  readonly kind: 'open';
  readonly member: Member;
  readonly document: GatewayDocument;
  readonly right: Right;
  check: number;
  decided: number;
  ends: End | undefined;
}

interface End {
  readonly check: number;
  readonly reason: string;
  readonly close: CloseCode;
}

export interface KeptFrame {
  readonly frame: AddressedFrame;
  readonly bytes: number;
}

/** Before it leaves. */
export function missedBy({ member }: Open): Missed {
  return { asked: member.state !== 'idle', counted: member.unanswered };
}

export type AddressedFrame = CollabAddress & CollabClientMessage;
export type AuthFrame = CollabAddress & Extract<CollabClientMessage, { type: 'auth' }>;
