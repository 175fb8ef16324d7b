import { setTimeout as sleep } from 'node:timers/promises';
import { type Appended, JetStreamWal } from '@weft/wal';

/**
 * Loaded into a gateway's process before the gateway, it plants the bug that the control "acknowledged before the append" wants: but for the very first, an append is
 * answered at once with the last position known, and goes to the log behind that answer's back, a moment later, as from a write-behind buffer. Nothing of it is in production code.
 */
const behindMs = 20;
const retryMs = 50;
const append = JetStreamWal.prototype.append;
let behind: Promise<unknown> = Promise.resolve();
let last: Appended | undefined;

JetStreamWal.prototype.append = async function (this: JetStreamWal, slice: number, record: Uint8Array): Promise<Appended> {
  if (!last) return (last = await append.call(this, slice, record));
  behind = behind.then(async () => {
    await sleep(behindMs);
    for (;;) {
      try {
        return (last = await append.call(this, slice, record));
      } catch {
        // Again, as the gateway would have: the only fault here is when it answers.
        await sleep(retryMs);
      }
    }
  });
  return last;
};
