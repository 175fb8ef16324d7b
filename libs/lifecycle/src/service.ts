/** The life of every service. */
export interface Service {
  /**
   * Starts, and resolves once the service does its work; it may also resolve only when that work is over. Rejects when it cannot start.
   * What can be mended (Postgres away) is retried inside; only what cannot is rejected with.
   */
  run(): Promise<void>;
  /** Takes nothing new, lets others take over, finishes what was begun. Resolves when nothing would be lost by stopping. Called at most once. */
  drain(): Promise<void>;
  /** Lets go of sockets, connections and timers. Safe without a drain, while `run` is still going, and twice. */
  stop(): Promise<void>;
}
