import type { Decision } from '@weft/grants';
import type { ConnectionRateLimits } from './connection-rates.ts';
import type { Connection } from './connection.ts';
import type { GatewayDocument } from './document.ts';
import type { Editing } from './editing.ts';
import type { LiveRights } from './live-rights.ts';
import type { Member } from './member.ts';
import type { Brought } from './right.ts';

/** What a transport does with a connection, whatever its dialect. */
export interface ConnectionHandler {
  readonly connection: Connection;
  /** The bytes are the caller's again after the call. */
  frame(bytes: Uint8Array, isBinary: boolean): void;
  /** The socket's buffer went down. */
  drained(): void;
  closed(): void;
  keepAlive(): void;
}

/** What the connections need of the rest of the gateway. */
export interface ConnectionWorld {
  readonly editing: Editing;
  readonly rights: LiveRights;
  nowMs(): number;
  after(ms: number, run: () => void): void;
  /** Rejects when nobody can say. */
  authorize(token: string, document: string): Promise<Decision>;
  /** The document on this gateway, opened if need be. */
  document(name: string): GatewayDocument;
  enter(document: GatewayDocument, member: Member, connection: Connection, brought: Brought): void;
  leave(document: GatewayDocument, member: Member, connection: Connection): void;
  report(event: 'denied' | 'auth-unavailable' | 'bad-frame' | 'rate-limited', fields: Record<string, unknown>): void;
}

export interface ConnectionLimits extends ConnectionRateLimits {
  readonly awarenessEntriesMax: number;
  readonly documentsMax: number;
  readonly preAuthBytesMax: number;
  readonly preAuthFramesMax: number;
  readonly authDeadlineMs: number;
  /** Over so many unsent bytes a socket gets no more increments. */
  readonly highWaterBytes: number;
}
