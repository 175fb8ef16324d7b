/** The one word that something changed (decision 0012). It gives and takes no right: forging one costs questions, losing one is healed by asking again every minute. */
import { MalformedAuthMessage, decodeObject, encode } from './json-message.ts';

export const AUTH_CHANGED_SUBJECT = 'weft.auth.changed';

/** What fits all that is given has to be asked again. At least one is given. */
export interface Changed {
  readonly user?: string;
  readonly session?: string;
  readonly document?: string;
}

const FIELDS = ['user', 'session', 'document'] as const;

/** @throws TypeError when nothing is given: that would mean everybody. */
export function encodeChanged(changed: Changed): Uint8Array {
  const given = FIELDS.filter((field) => changed[field] !== undefined);
  if (given.length === 0) throw new TypeError('a change must name a user, a session or a document');
  return encode(Object.fromEntries(given.map((field) => [field, changed[field]])));
}

/** @throws MalformedAuthMessage */
export function decodeChanged(bytes: Uint8Array): Changed {
  const message = decodeObject(bytes, 'change');
  const given: [string, string][] = [];
  for (const field of FIELDS) {
    const value = message[field];
    if (value === undefined) continue;
    if (typeof value !== 'string' || value === '') throw new MalformedAuthMessage(`change whose ${field} is no text`);
    given.push([field, value]);
  }
  if (given.length === 0) throw new MalformedAuthMessage('change without a user, a session or a document');
  return Object.fromEntries(given);
}

/** Whether what somebody was allowed has to be asked again. */
export function concerns(changed: Changed, of: { readonly user: string; readonly session?: string; readonly document: string }): boolean {
  return FIELDS.every((field) => changed[field] === undefined || changed[field] === of[field]);
}
