import { hashText, mix } from './hash.ts';

/** No member gets more than this times the mean. */
const loadCap = 1.1;

/**
 * Partition -> owner id, the same for whoever sees the same ids, in whatever order: rendezvous hashing with a load cap. A partition goes to the member
 * that scores highest for it and is not full; a change of one member so moves about 1/n of the partitions. Empty `ids`: nobody owns anything.
 */
export function assign(partitions: number, ids: readonly string[]): readonly (string | undefined)[] {
  const members = ids.toSorted().map((id) => ({ id, seed: hashText(id), owned: 0 }));
  if (members.length === 0) return Array.from({ length: partitions }, () => undefined);
  const full = Math.ceil((partitions / members.length) * loadCap);
  return Array.from({ length: partitions }, (_, partition) => {
    let best: (typeof members)[number] | undefined;
    let bestScore = -1;
    for (const member of members) {
      if (member.owned >= full) continue;
      const score = mix(member.seed ^ mix(partition + 1));
      if (score > bestScore) {
        best = member;
        bestScore = score;
      }
    }
    best!.owned += 1;
    return best!.id;
  });
}
