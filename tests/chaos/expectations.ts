import type { FaultKind } from './faults.ts';
import type { FaultWindow } from './injector.ts';
import { leftByItself, type Sighting } from './sightings.ts';

/** One kind of sighting that is no violation, and under which faults alone: done to the very gateway the socket went to, while they last. */
interface Expectation {
  readonly what: string;
  readonly phase: Sighting['phase'];
  readonly under: readonly FaultKind[];
  readonly because: string;
}

/**
 * All that a client may come to see but editing: that its gateway died, or left. Anything else, or at any other time, is a violation. There are no rows for refused edits (SyncStatus 0), PermissionDenied, a document closed,
 * unreadable frames, 1013, 44xx or a refusal over HTTP: whatever else of the house is hurt, clients wait, and no fault excuses these.
 */
export const expectations: readonly Expectation[] = [
  {
    what: 'close 1006',
    phase: 'open',
    under: ['kill-gateway'],
    because: 'the process is gone, and with it the socket: no close frame can come',
  },
  {
    what: 'close 1012',
    phase: 'open',
    under: ['roll-gateways'],
    because: 'a draining gateway sends its clients away with "service restart", spread over its drain window',
  },
  {
    what: 'unreachable',
    phase: 'opening',
    under: ['kill-gateway', 'roll-gateways'],
    because: 'the balancer has not noticed yet that this gateway is gone',
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
  for (const { under } of rows) {
    const window = windows.find(
      ({ kind, targets, fromMs, untilMs }) =>
        under.includes(kind) &&
        targets.includes(sighting.gateway) &&
        sighting.atMs >= fromMs - slackMs &&
        sighting.atMs <= untilMs + slackMs,
    );
    if (window) return window.kind;
  }
  return undefined;
}
