/** What the page knows of its connection, and the words for it. Pure: the page renders what comes out. */
export interface Connection {
  readonly socket: 'connecting' | 'connected' | 'disconnected';
  /** The first state of the document has arrived (on this connection). */
  readonly synced: boolean;
  /** Edits sent or to be sent that no acknowledgement has come for. */
  readonly unsynced: number;
  /** Why the server let us not in, or `undefined`. */
  readonly refused: string | undefined;
  readonly readOnly: boolean;
  /** It was connected once: from then on, away means "offline", before it means "connecting". */
  readonly wasConnected: boolean;
}

export interface Status {
  readonly tone: 'good' | 'busy' | 'offline' | 'refused' | 'quiet';
  readonly words: string;
}

export const OFFLINE_WORDS = 'Offline: your changes are kept here and sent when the connection is back';

export function describe(connection: Connection): Status {
  if (connection.refused !== undefined) return { tone: 'refused', words: `No access: ${connection.refused}` };
  if (connection.socket !== 'connected') {
    return connection.wasConnected ? { tone: 'offline', words: OFFLINE_WORDS } : { tone: 'quiet', words: 'Connecting…' };
  }
  if (!connection.synced) return { tone: 'quiet', words: 'Opening…' };
  if (connection.readOnly) return { tone: 'good', words: 'You may read this document' };
  // Not one word earlier: "Saved" is said only when every edit's acknowledgement is here, and each of those means fsynced.
  return connection.unsynced > 0 ? { tone: 'busy', words: 'Saving…' } : { tone: 'good', words: 'Saved' };
}
