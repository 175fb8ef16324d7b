export { AuthClient, AuthUnavailable } from './auth-client.ts';
export type { Allowed, Decision, Question, Refused, Who } from './decision.ts';
export { AUTH_CHECK_SUBJECT, AUTH_QUEUE, MalformedAuthMessage, TOKEN_BYTES_MAX, decodeQuestion, encodeDecision } from './messages.ts';
export { roleFor } from './rights.ts';
export type { Rights } from './rights.ts';
export { ROLES, isAtLeast, isRole, mayEdit } from './role.ts';
export type { Role } from './role.ts';
