import { hashText, mix } from './hash.ts';

/** Members round the cap up one after the other while its fraction grows to this. Smaller: fewer move at most fractions, and more at a few. */
const roundingWidth = 0.5;
/** Any number: the hash that rounds must have nothing to do with the scores. */
const roundingSeed = 0x5bd1e995;
/** Nobody owns more than this times the mean, rounded up. */
const loadCap = 1.1;

/**
 * Partition -> owner id, the same for whoever sees the same ids, in whatever order. Empty `ids`: nobody owns anything.
 *
 * Rendezvous hashing with a load cap, as a stable matching: every pair of partition and member has a score; a partition asks members from its best
 * downwards, a full member keeps those that score highest with it and sends the worst away to ask on. The outcome does not depend on who asks first
 * (Gale and Shapley), so a change of one member moves only what it owned and the few that follow from that. Filling members in the order of the
 * partitions instead would let one change shift every later partition.
 */
export function assign(partitions: number, ids: readonly string[]): readonly (string | undefined)[] {
  const sorted = ids.toSorted();
  if (sorted.length === 0) return Array.from({ length: partitions }, () => undefined);
  const seeds = Uint32Array.from(sorted, hashText);
  const room = roomOf(partitions, seeds);
  const owned: number[][] = sorted.map(() => []);
  const owners = new Int32Array(partitions).fill(-1);
  const asked = Array.from({ length: partitions }, () => new Set<number>());

  for (let next = 0; next < partitions; next++) {
    let asking: number | undefined = next;
    while (asking !== undefined) {
      const member = bestNotAsked(asking, seeds, asked[asking]!);
      asked[asking]!.add(member);
      owned[member]!.push(asking);
      owners[asking] = member;
      asking = owned[member]!.length > room[member]! ? sendWorstAway(owned[member]!, seeds[member]!) : undefined;
    }
  }
  return Array.from(owners, (member) => sorted[member]);
}

/**
 * How many partitions each member takes: the cap, rounded up for some and down for others by a hash of their own, so that it changes for few at a time. One whole
 * number for all would at some sizes of the house change for everybody when one member comes or goes, and move up to a tenth of all partitions.
 */
function roomOf(partitions: number, seeds: Uint32Array): Uint32Array {
  const cap = (partitions / seeds.length) * loadCap;
  const share = (cap % 1) / roundingWidth;
  const room = seeds.map((seed) => Math.floor(cap) + (mix(seed ^ roundingSeed) / 2 ** 32 < share ? 1 : 0));
  const together = room.reduce((sum, own) => sum + own, 0);
  // Few members, or few partitions for each: chance may leave them too little room.
  return together >= partitions ? room : seeds.map(() => Math.ceil(cap));
}

function score(partition: number, seed: number): number {
  return mix(seed ^ mix(partition + 1));
}

/** There always is one: members have room for more partitions than there are. Of equal scores the first member in the order of ids. */
function bestNotAsked(partition: number, seeds: Uint32Array, asked: ReadonlySet<number>): number {
  let best = -1;
  let bestScore = -1;
  const mixed = mix(partition + 1);
  for (let member = 0; member < seeds.length; member++) {
    const memberScore = mix(seeds[member]! ^ mixed);
    if (memberScore > bestScore && !asked.has(member)) {
      best = member;
      bestScore = memberScore;
    }
  }
  return best;
}

/** Takes the partition with the lowest score (of equal ones the highest number) out of `owned`. */
function sendWorstAway(owned: number[], seed: number): number {
  let worst = 0;
  for (let i = 1; i < owned.length; i++) {
    const difference = score(owned[i]!, seed) - score(owned[worst]!, seed);
    if (difference < 0 || (difference === 0 && owned[i]! > owned[worst]!)) worst = i;
  }
  const [away] = owned.splice(worst, 1);
  return away!;
}
