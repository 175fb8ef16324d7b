/** Something the benchmark measures: our cluster, or a peer. */
export interface Candidate {
  readonly name: string;
  /** Starts everything it needs, pinned. Rejects, having ended what it began, when something does not start. */
  start(options: CandidateOptions): Promise<Running>;
}

export interface CandidateOptions {
  /** Number of the CPU that all of its processes share, brokers and databases included. */
  readonly core: number;
  /** For its server programs, over their own. */
  readonly env?: Readonly<Record<string, string>>;
  /** More arguments for node by kind of program: `gateway`, `sync-worker`, `persistence`, `auth`; `hocuspocus`, `y-websocket`, `raw`. `--cpu-prof` is written by `stop` and `restart`. */
  readonly nodeArgs?: Readonly<Record<string, readonly string[]>>;
}

export interface Running {
  /** `ws://127.0.0.1:port`, one a gateway or instance; the same after `restart`. */
  readonly urls: readonly string[];
  readonly dialect: 'collab' | 'yjs';
  /** Comes after a url: `/collab`, where the frames name the document; `/yjs/`, after which its name comes, and `?token=`. */
  readonly path: '/collab' | '/yjs/';
  /** For every document. Peers let anybody in, whatever it says. */
  readonly token: string;
  /** Whether a document is there again after `restart`. */
  readonly stores: boolean;
  /** Every process whose CPU and memory count. Ask anew each time: Postgres' own come and go, several with one name. */
  processes(): readonly ServerProcess[];
  /** Its NATS, if it has one. */
  readonly natsUrl?: string;
  /** Where its programs tell their own figures, Prometheus' text, if they do. */
  readonly metrics?: readonly { readonly name: string; readonly url: string }[];
  /** Ends in peace and starts again its server programs, not its brokers and databases: documents leave its memory, what is stored stays. */
  restart(): Promise<void>;
  /** Resolves when all of its processes are gone. Safe twice. */
  stop(): Promise<void>;
}

export interface ServerProcess {
  /** `gateway-1`, `nats-1`, `postgres`. */
  readonly name: string;
  readonly pid: number;
}
