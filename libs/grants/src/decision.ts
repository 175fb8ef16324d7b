import type { Role } from './role.ts';

/** Who a connection acts for. `id` is stable over sign-ins, `name` is for people to read. */
export interface Who {
  readonly id: string;
  readonly name: string;
}

export interface Allowed {
  readonly allowed: true;
  readonly role: Role;
  readonly who: Who;
  /** When the allowance ends, ms since the epoch. May be further away than a timer reaches (2^31 ms). */
  readonly untilMs: number;
  /** What a sign-out ends. Absent for guests and for tokens that belong to no session of ours. */
  readonly session?: string;
}

export interface Refused {
  readonly allowed: false;
  /** 401: who are you (a new token may help). 403: we know you, and you may not. */
  readonly status: 401 | 403;
  /** A short sentence fit for the client to show. */
  readonly reason: string;
}

export type Decision = Allowed | Refused;

export interface Question {
  /** Empty for a guest. */
  readonly token: string;
  readonly document: string;
}
