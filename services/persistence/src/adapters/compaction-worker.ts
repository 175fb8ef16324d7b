import { parentPort } from 'node:worker_threads';
import { compactDocument, type CompactionInput } from '../compact-document.ts';
import { ownMemory } from './own-memory.ts';
import type { ThreadAnswer } from './compaction-thread.ts';

/** The worker thread's whole program: one document in, one snapshot out. */
if (parentPort === null) throw new Error('this file is for a worker thread');
const port = parentPort;

port.on('message', (input: CompactionInput) => {
  let answer: ThreadAnswer;
  try {
    answer = { ok: true, result: compactDocument(input) };
  } catch (error) {
    answer = { ok: false, message: error instanceof Error ? error.message : String(error) };
  }
  port.postMessage(answer, answer.ok ? ownMemory(answer.result.snapshot.pieces) : []);
});
