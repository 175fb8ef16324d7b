import type { Server } from '@weft/testkit';
import type { Candidate, CandidateOptions, Running, ServerProcess } from './candidate.ts';
import { onCore } from './one-core.ts';
import { PeerProcess } from './peer-process.ts';
import { treeOf } from './process-tree.ts';

export interface Peer {
  readonly name: string;
  readonly dialect: Running['dialect'];
  /** `<program>.mjs` of tests/bench/peers. */
  readonly program: string;
  readonly node?: () => string;
  /** Default 1. */
  readonly instances?: number;
  /** Brokers and databases, started first, and what the programs are told of them. */
  readonly backing?: () => Promise<Backing>;
}

export interface Backing {
  readonly servers: readonly { readonly name: string; readonly server: Server }[];
  readonly env: Readonly<Record<string, string>>;
}

export function peer(plan: Peer): Candidate {
  return { name: plan.name, start: (options) => startPeer(plan, options) };
}

async function startPeer(plan: Peer, options: CandidateOptions): Promise<Running> {
  const { core } = options;
  const backing = (await onCore(core, async () => plan.backing?.())) ?? { servers: [], env: {} };
  const programs: PeerProcess[] = [];
  for (let i = 1; i <= (plan.instances ?? 1); i++)
    programs.push(
      await PeerProcess.plan({
        name: `${plan.program}-${i}`,
        program: plan.program,
        ...(plan.node ? { node: plan.node } : {}),
        nodeArgs: options.nodeArgs?.[plan.program],
        env: { ...backing.env, ...options.env },
      }),
    );
  const startAll = (): Promise<unknown> => onCore(core, () => Promise.all(programs.map((program) => program.start())));
  const stopPrograms = (): Promise<unknown> => Promise.all(programs.map((program) => program.stop()));
  const stop = async (): Promise<void> => {
    await stopPrograms();
    await Promise.all(backing.servers.map(({ server }) => server.kill()));
  };
  try {
    await startAll();
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    urls: programs.map(({ url }) => url),
    dialect: plan.dialect,
    path: plan.dialect === 'collab' ? '/collab' : '/yjs/',
    token: 'anybody',
    stores: plan.backing !== undefined,
    processes: () => [...programs.flatMap(running), ...processesOf(backing.servers)],
    restart: async () => {
      await stopPrograms();
      await startAll();
    },
    stop,
  };
}

/** With all their children. Throws when they are not processes of this machine: their CPU could not be told. */
export function processesOf(servers: Backing['servers']): ServerProcess[] {
  return servers.flatMap(({ name, server: { pid } }) => {
    if (pid === undefined) throw new Error(`${name} is not a process of this machine: set WEFT_TEST_NO_DOCKER=1 and no WEFT_TEST_…_URL`);
    return treeOf({ name, pid });
  });
}

const running = ({ name, pid }: PeerProcess): ServerProcess[] => (pid === undefined ? [] : treeOf({ name, pid }));
