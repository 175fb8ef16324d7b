import { Session } from 'node:inspector';
import { basename } from 'node:path';
import type { Allocator } from './step.ts';

const allocatorsMax = 12;

export interface AllocationProfile {
  /** For one call. */
  readonly objects: number;
  readonly allocators: readonly Allocator[];
}

/**
 * Every allocation on the heap while `run` is called, by the function that made it (V8's sampling heap profiler with an interval of one byte, collected objects included). Allocations that
 * optimised code makes in one go count as one, and what it does not allocate at all does not count: so it is in production.
 */
export function profileAllocations(run: () => unknown, calls: number): AllocationProfile {
  const session = new Session();
  session.connect();
  try {
    // The inspector's own first steps allocate; let them.
    profiled(session, () => undefined, 1);
    return summed(profiled(session, run, calls), calls);
  } finally {
    session.disconnect();
  }
}

/** What `HeapProfiler.stopSampling` gives; Node's own types lack the samples (V8, js_protocol.pdl). */
interface Profile {
  readonly head: Node;
  readonly samples: readonly { readonly size: number; readonly nodeId: number }[];
}

interface Node {
  readonly id: number;
  readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
  readonly children: readonly Node[];
}

function profiled(session: Session, run: () => unknown, calls: number): Profile {
  let profile: Profile | undefined;
  const options: object = { samplingInterval: 1, includeObjectsCollectedByMajorGC: true, includeObjectsCollectedByMinorGC: true };
  session.post('HeapProfiler.startSampling', options);
  callMeasured(run, calls);
  session.post('HeapProfiler.stopSampling', {}, (error: Error | null, result?: object) => {
    if (error) throw error;
    ({ profile } = result as { profile: Profile });
  });
  if (!profile) throw new Error('the allocation profiler gave no profile, though it answers at once');
  return profile;
}

/** Its name marks, in the profile, what is under it. */
function callMeasured(run: () => unknown, calls: number): void {
  for (let i = 0; i < calls; i++) run();
}

function summed(profile: Profile, calls: number): AllocationProfile {
  const measured = new Map<number, Node>();
  for (const node of under(profile.head, false)) measured.set(node.id, node);
  const bytes = new Map<string, number>();
  let objects = 0;
  for (const { nodeId, size } of profile.samples) {
    const node = measured.get(nodeId);
    if (!node) continue;
    objects += 1;
    const where = placeOf(node);
    bytes.set(where, (bytes.get(where) ?? 0) + size / calls);
  }
  const allocators = [...bytes].map(([where, of]) => ({ where, bytes: of })).toSorted((a, b) => b.bytes - a.bytes);
  return { objects: objects / calls, allocators: allocators.slice(0, allocatorsMax) };
}

function* under(node: Node, isMeasured: boolean): Generator<Node> {
  if (isMeasured) yield node;
  const below = isMeasured || node.callFrame.functionName === callMeasured.name;
  for (const child of node.children) yield* under(child, below);
}

function placeOf({ callFrame: { functionName, url, lineNumber } }: Node): string {
  const name = functionName || '(anonymous)';
  return url === '' ? `${name} (V8)` : `${name} ${basename(url)}:${lineNumber + 1}`;
}
