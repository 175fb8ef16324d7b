/** Highest first; the order is the ranking (SPEC G1). */
export const ROLES = ['owner', 'editor', 'commenter', 'viewer'] as const;

export type Role = (typeof ROLES)[number];

export function isRole(value: unknown): value is Role {
  return typeof value === 'string' && (ROLES as readonly string[]).includes(value);
}

export function mayEdit(role: Role): boolean {
  return role === 'owner' || role === 'editor';
}

/** `true` if `role` is `wanted` or higher. */
export function isAtLeast(role: Role, wanted: Role): boolean {
  return ROLES.indexOf(role) <= ROLES.indexOf(wanted);
}
