/** A test server: ended in every way, and back on the same port with the same files ([TK3], [TK4]). */
export interface Server {
  readonly url: string;
  readonly version: string;
  /** Of its process on this machine; undefined while it does not run, and for one in a container or somebody else's. */
  readonly pid?: number | undefined;
  /** Again, after `stop` or `kill`. Resolves when it answers. */
  start(): Promise<void>;
  /** Gracefully. Safe twice. */
  stop(): Promise<void>;
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<void>;
  /** Frozen: connections stay open and silent. Resolves once it is. */
  pause(): Promise<void> | void;
  resume(): Promise<void> | void;
}

/** A server somebody else runs: tests may use it, not end it. `stop` lets go of it. */
export function givenServer(url: string, version: string, why: string): Server {
  const refuse = (): never => {
    throw new Error(`this server is not the test's own to end: ${why}`);
  };
  return { url, version, start: refuse, stop: async () => undefined, kill: refuse, pause: refuse, resume: refuse };
}
