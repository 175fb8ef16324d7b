/** How people are named. Two spellings that fold to one key are one name: nobody shall pass for another by a capital or a full-width letter. */
import { AccountRefusal } from './account-refusal.ts';

/** Characters. */
const USER_NAME_LENGTH_MAX = 50;
const EMAIL_LENGTH_MAX = 254;

/** A letter or digit, then letters, digits, `.`, `_`, `-`. No "@": so a name is never taken for an address. */
const USER_NAME = /^[\p{L}\p{N}][\p{L}\p{M}\p{N}._-]*$/u;
/** Whether mail arrives there is not ours to say. */
const EMAIL = /^[^\s@\p{C}]+@[^\s@\p{C}]+$/u;

export interface PersonName {
  readonly spelled: string;
  /** What is compared. */
  readonly key: string;
}

export interface PersonRef extends PersonName {
  readonly knownBy: 'email' | 'user-name';
}

/** @throws AccountRefusal */
export function userName(given: string): PersonName {
  const spelled = given.trim().normalize('NFKC');
  if (spelled.length > USER_NAME_LENGTH_MAX || !USER_NAME.test(spelled)) {
    throw new AccountRefusal(
      'bad-request',
      `a user name has 1 to ${USER_NAME_LENGTH_MAX} letters, digits, dots, underscores and hyphens, and begins with a letter or digit`,
    );
  }
  return { spelled, key: fold(spelled) };
}

/** @throws AccountRefusal */
export function email(given: string): PersonName {
  const spelled = given.trim().normalize('NFKC');
  if (spelled.length > EMAIL_LENGTH_MAX || !EMAIL.test(spelled)) {
    throw new AccountRefusal('bad-request', `an e-mail address has one "@" and at most ${EMAIL_LENGTH_MAX} characters`);
  }
  return { spelled, key: fold(spelled) };
}

/** A user name or an e-mail address. @throws AccountRefusal */
export function person(given: string): PersonRef {
  return given.includes('@') ? { knownBy: 'email', ...email(given) } : { knownBy: 'user-name', ...userName(given) };
}

/** What somebody signs in with: whatever it is, it has a key, though perhaps nobody's. */
export function accountKey(given: string): string {
  return fold(given.trim().normalize('NFKC').replaceAll('\0', '')).slice(0, EMAIL_LENGTH_MAX);
}

function fold(text: string): string {
  // Twice: lower case may undo the normal form.
  return text.toLowerCase().normalize('NFKC');
}
