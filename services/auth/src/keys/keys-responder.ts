import { AUTH_KEYS_SUBJECT, AUTH_QUEUE, encodeKeys } from '@weft/grants';
import type { Bus, BusSubscription } from '@weft/bus';

import type { AuthKeys } from './auth-keys.ts';

/** Answers `weft.auth.keys` with the public keys as they are now: one of all auth processes does. */
export function answerKeys(bus: Bus, keys: AuthKeys): BusSubscription {
  return bus.subscribe(AUTH_KEYS_SUBJECT, ({ reply }) => reply?.(encodeKeys(keys.publicKeys())), { queue: AUTH_QUEUE });
}
