import type * as appendQueue from '../../../services/gateway/src/append-queue.ts';
import type * as gatewayCore from '../../../services/gateway/src/gateway-core.ts';
import type * as combiner from '../../../services/persistence/src/combiner.ts';
import type * as documentMerge from '../../../services/persistence/src/merge-document.ts';
import type * as workerCore from '../../../services/sync-worker/src/worker-core.ts';

/**
 * What the benchmarks need of the services that these do not export, as compiled: the one place that reaches into a package. Found beside the package's entry, so that it is the
 * same copy of the code that the entry uses.
 */
async function built<Module>(entry: string, file: string): Promise<Module> {
  return (await import(new URL(file, import.meta.resolve(entry)).href)) as Module;
}

export const { GatewayCore } = await built<typeof gatewayCore>('@weft/gateway', 'gateway-core.js');
export const { WorkerCore } = await built<typeof workerCore>('@weft/sync-worker', 'worker-core.js');
export const { Combiner } = await built<typeof combiner>('@weft/persistence', 'combiner.js');
export const { mergeDocument } = await built<typeof documentMerge>('@weft/persistence', 'merge-document.js');

export type Batch = appendQueue.Batch<unknown>;
export type GatewayEffects = gatewayCore.GatewayEffects;
export type GatewayLimits = gatewayCore.GatewayLimits;
export type WorkerLimits = workerCore.WorkerLimits;
