/** What the core needs of one client's connection. A WebSocket today, push + SSE later: the core cannot tell. */
export interface ClientSocket {
  /** Queued at once, in order. The bytes may be reused after the call. Does nothing once closed. */
  send(frame: Uint8Array): void;
  /** Bytes accepted by `send` and `publish` that the peer's kernel has not taken yet. */
  bufferedBytes(): number;
  subscribe(topic: string): void;
  unsubscribe(topic: string): void;
  /** To every other subscriber of the topic. The bytes may be reused after the call. */
  publishToOthers(topic: string, frame: Uint8Array): void;
  /** Several sends in one write. */
  cork(sends: () => void): void;
  close(code: number, reason: string): void;
  /** Something came from it that no honest client sends. */
  abused?(): void;
}

/** To every subscriber of a topic. The bytes may be reused after the call. */
export type Publish = (topic: string, frame: Uint8Array) => void;
