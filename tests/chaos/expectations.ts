import type { FaultKind } from './faults.ts';
import type { FaultWindow } from './injector.ts';
import { leftByItself, type Sighting } from './sightings.ts';

/** One kind of sighting that is no violation, and under which faults alone. */
interface Expectation {
  readonly what: string;
  readonly phase: Sighting['phase'];
  readonly under: readonly FaultKind[];
  /** The fault was done to the very gateway the socket went to. */
  readonly ofItsGateway: boolean;
  /** So long after the fault was healed it may still come. */
  readonly graceMs: number;
  readonly because: string;
}

const authAway: readonly FaultKind[] = ['kill-auth', 'freeze-auth'];
const natsAway: readonly FaultKind[] = ['kill-nats', 'stop-nats', 'freeze-nats'];

/**
 * All that a client may come to see but editing. Anything else, or at any other time, is a violation. There are no rows for refused edits (SyncStatus 0), PermissionDenied, a document closed, unreadable
 * frames, or 44xx: no fault excuses them.
 */
export const expectations: readonly Expectation[] = [
  {
    what: 'close 1006',
    phase: 'open',
    under: ['kill-gateway'],
    ofItsGateway: true,
    graceMs: 0,
    because: 'the process is gone, and with it the socket: no close frame can come',
  },
  {
    what: 'close 1012',
    phase: 'open',
    under: ['roll-gateways'],
    ofItsGateway: true,
    graceMs: 0,
    because: 'a draining gateway sends its clients away with "service restart", spread over its drain window',
  },
  {
    what: 'unreachable',
    phase: 'opening',
    under: ['kill-gateway', 'roll-gateways'],
    ofItsGateway: true,
    graceMs: 0,
    because: 'the balancer has not noticed yet that this gateway is gone',
  },
  {
    what: 'close 1013',
    phase: 'open',
    under: [...authAway, ...natsAway],
    ofItsGateway: false,
    graceMs: 4_000,
    because:
      'a client that comes (back) while auth cannot be asked is told to try again: nobody is let in unchecked. Open documents stay open',
  },
  {
    what: 'HTTP 503',
    phase: 'opening',
    under: [...authAway, ...natsAway],
    ofItsGateway: false,
    graceMs: 4_000,
    because: 'the same in the y-websocket dialect, which is refused at the upgrade',
  },
];

/** Processes and sockets tell of a thing a little before or after our own notes do. */
const slackMs = 1_500;

/**
 * Hocuspocus providers that were refused or dropped may have two attempts to come back under way at once (a delayed `connect` beside the retry of the one before), of which a later one closes the earlier's socket:
 * seen with 3.4 and 4.8. So a client may leave by itself this soon after it saw something that is explained, and for the same cause.
 */
const comesBackMs = 10_000;

/** Each sighting's fault; undefined: nothing explains it. */
export function causesOf(sightings: readonly Sighting[], windows: readonly FaultWindow[]): (FaultKind | undefined)[] {
  const last = new Map<string, { readonly atMs: number; readonly cause: FaultKind }>();
  return sightings.map((sighting) => {
    const before = last.get(sighting.client);
    const follows = sighting.what === leftByItself && before !== undefined && sighting.atMs - before.atMs <= comesBackMs;
    const cause = follows ? before.cause : causeOf(sighting, windows);
    if (cause !== undefined) last.set(sighting.client, { atMs: sighting.atMs, cause });
    return cause;
  });
}

function causeOf(sighting: Sighting, windows: readonly FaultWindow[]): FaultKind | undefined {
  const rows = expectations.filter(({ what, phase }) => what === sighting.what && phase === sighting.phase);
  for (const { under, ofItsGateway, graceMs } of rows) {
    const window = windows.find(
      ({ kind, targets, fromMs, untilMs }) =>
        under.includes(kind) &&
        (!ofItsGateway || targets.includes(sighting.gateway)) &&
        sighting.atMs >= fromMs - slackMs &&
        sighting.atMs <= untilMs + slackMs + graceMs,
    );
    if (window) return window.kind;
  }
  return undefined;
}
