import { parentPort, workerData } from 'node:worker_threads';
import { completeDeletes } from '../complete-deletes.ts';

/** The thread's whole program: a document's updates in, its deletes out. */
parentPort?.postMessage(completeDeletes(workerData as Uint8Array[]));
