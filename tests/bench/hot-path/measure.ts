import { profileAllocations } from './allocations.ts';
import { spreadOf } from './statistics.ts';
import type { Figures, Step } from './step.ts';

const samples = 60;
const sampleMs = 4;
const warmUpMs = 400;
const warmUpCallsMin = 20;
/** Large enough that what is read off the heap's counters is exact to a byte an operation or so. */
const chunkBytesMin = 256 * 1024;
const chunks = 25;
/** Of array buffers, in one call: a collection may fall into the second. */
const largeCallBytes = 1024 * 1024;
const chunkMsMax = 20;

/**
 * Time and allocation of a step, in a process that has done nothing else: what ran before would decide how V8 compiled it.
 *
 * Time: of the CPU, many samples of some milliseconds, their median; collecting what was allocated is part of it. Bytes: what the heap's and the array buffers' counters grow by over a
 * few hundred kB of allocation, many times; a collection that falls into one of these makes it an outlier, which the median leaves out.
 */
export async function measure({ name, operations = 1, prepare }: Step): Promise<Figures> {
  const run = await prepare();
  const calls = warmUp(run);
  const ns = spreadOf(Array.from({ length: samples }, () => timed(run, calls) / calls / operations));
  const bytes = allocated(run, calls);
  const profile = profileAllocations(run, Math.max(1, Math.min(calls, 500)));
  return {
    name,
    ns: ns.median,
    nsLow: ns.low,
    nsHigh: ns.high,
    heapBytes: bytes.heap / operations,
    bufferBytes: bytes.buffers / operations,
    objects: profile.objects / operations,
    allocators: profile.allocators.map(({ where, bytes: of }) => ({ where, bytes: of / operations })),
  };
}

function collectGarbage(): void {
  if (!globalThis.gc) throw new Error('node was started without --expose-gc');
  globalThis.gc();
}

/** Kept where the compiler cannot tell that nobody looks at it. */
const sink: { value: unknown } = { value: undefined };

function warmUp(run: () => unknown): number {
  const begun = performance.now();
  let calls = 0;
  while (calls < warmUpCallsMin || performance.now() - begun < warmUpMs) {
    sink.value = run();
    calls++;
  }
  const msACall = (performance.now() - begun) / calls;
  // What it took while it warmed up; it will be less, and a sample somewhat short.
  return Math.max(1, Math.round((2 * sampleMs) / msACall));
}

/** Nanoseconds of so many calls. The process's own, its threads' included: on a machine that is shared it says more than the clock. */
function timed(run: () => unknown, calls: number): number {
  const begun = process.cpuUsage();
  for (let i = 0; i < calls; i++) sink.value = run();
  const { user, system } = process.cpuUsage(begun);
  return 1_000 * (user + system);
}

interface Bytes {
  readonly heap: number;
  readonly buffers: number;
}

function allocated(run: () => unknown, callsASample: number): Bytes {
  const calls = callsFor(run, callsASample);
  const empty = grown(() => undefined, 1);
  const all = Array.from({ length: chunks }, () => {
    // One call alone allocates so much that a collection would fall into most of them. Elsewhere none is asked for: after it V8 compiles some things anew, which would be counted.
    if (calls === 1) collectGarbage();
    return grown(run, calls);
  });
  return {
    heap: (spreadOf(all.map(({ heap }) => heap)).median - empty.heap) / calls,
    buffers: (spreadOf(all.map(({ buffers }) => buffers)).median - empty.buffers) / calls,
  };
}

/** Calls that allocate enough to be told from what the counters are off by; or all that fit the time. */
function callsFor(run: () => unknown, callsASample: number): number {
  const most = Math.max(1, callsASample * (chunkMsMax / sampleMs));
  collectGarbage();
  if (grown(run, 1).buffers >= largeCallBytes) return 1;
  for (let calls = 1; calls < most; calls *= 2) {
    const { heap, buffers } = grown(run, calls);
    if (heap + buffers >= chunkBytesMin) return calls;
  }
  return Math.ceil(most);
}

function grown(run: () => unknown, calls: number): Bytes {
  const before = process.memoryUsage();
  for (let i = 0; i < calls; i++) sink.value = run();
  const after = process.memoryUsage();
  return { heap: after.heapUsed - before.heapUsed, buffers: after.arrayBuffers - before.arrayBuffers };
}
