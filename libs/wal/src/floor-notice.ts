import type { AnnouncedFloor } from './wal.ts';

/** A floor as it is announced, on NATS and by NOTIFY: `<position> <identity> <committed>`. */
export const floorNotice = ({ identity, position, committed }: AnnouncedFloor): string => `${position} ${identity} ${committed}`;

/** undefined: not one. */
export function readFloorNotice(notice: string): AnnouncedFloor | undefined {
  const [position, identity, committed] = notice.split(' ');
  const floor = { position: Number(position), identity: identity ?? '', committed: Number(committed) };
  return Number.isSafeInteger(floor.position) && Number.isSafeInteger(floor.committed) && floor.identity !== '' ? floor : undefined;
}
