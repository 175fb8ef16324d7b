import { readdirSync, readFileSync } from 'node:fs';
import { platform } from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';

const FROZEN_MS = 5000;
/** Elsewhere than on Linux nothing tells us cheaply: long enough for a signal on a busy machine. */
const BLIND_WAIT_MS = 50;

/** Resolves once every thread of the processes stands still: SIGSTOP only asks for that, and a busy machine takes its time. */
export async function untilFrozen(pids: readonly number[]): Promise<void> {
  if (platform !== 'linux') {
    await sleep(BLIND_WAIT_MS);
    return;
  }
  for (const giveUpMs = performance.now() + FROZEN_MS; performance.now() < giveUpMs; await sleep(1)) {
    if (pids.every(isFrozen)) return;
  }
  throw new Error(`processes ${pids.join(', ')} did not freeze within ${FROZEN_MS} ms`);
}

function isFrozen(pid: number): boolean {
  try {
    return readdirSync(`/proc/${pid}/task`).every((task) => {
      const stat = readFileSync(`/proc/${pid}/task/${task}/stat`, 'utf8');
      // T stopped, Z and X ended.
      return 'TZX'.includes(stat[stat.lastIndexOf(')') + 2] ?? '');
    });
  } catch (error) {
    // Ended meanwhile: it does nothing any more.
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ESRCH')) return true;
    throw error;
  }
}
