import type { Peer } from '@weft/protocol';

/** `<gateway id>~<incarnation>~<secret>`: every gateway can tell whose it is, and only who opened the session knows it. */
export function sessionId(owner: Peer, secret: string): string {
  return `${owner.id}~${owner.incarnation}~${secret}`;
}

/** undefined for what is no session's id. */
export function ownerOf(session: string): Peer | undefined {
  const [, id, incarnation] = /^([A-Za-z0-9_-]{1,255})~([A-Za-z0-9_-]{1,64})~[A-Za-z0-9_-]{22}$/.exec(session) ?? [];
  return id === undefined || incarnation === undefined ? undefined : { id, incarnation };
}
