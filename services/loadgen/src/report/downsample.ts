/**
 * Which of the points of a long line are drawn: of each of `buckets` stretches the first, the lowest and the highest, so a spike of one second is
 * never lost, and the first that is missing, so a gap stays one. Everything, when there are no more points than that would keep.
 */
export function keptIndexes(values: readonly (number | undefined)[], buckets: number): number[] {
  if (values.length <= buckets * 4) return values.map((_, index) => index);
  const kept = new Set<number>([0, values.length - 1]);
  for (let bucket = 0; bucket < buckets; bucket += 1) {
    const from = Math.floor((bucket * values.length) / buckets);
    const to = Math.floor(((bucket + 1) * values.length) / buckets);
    for (const index of extremes(values, from, to)) kept.add(index);
  }
  return [...kept].toSorted((a, b) => a - b);
}

/** Means of neighbours, at most `buckets` of them: for areas stacked on each other, of which extremes would make a brush. What is missing counts as 0. */
export function bucketMeans(values: readonly (number | undefined)[], buckets: number): number[] {
  const count = Math.min(buckets, values.length);
  return Array.from({ length: count }, (_, bucket) => {
    const part = values.slice(Math.floor((bucket * values.length) / count), Math.floor(((bucket + 1) * values.length) / count));
    return part.reduce<number>((sum, value) => sum + (value ?? 0), 0) / part.length;
  });
}

function extremes(values: readonly (number | undefined)[], from: number, to: number): number[] {
  let low = -1;
  let high = -1;
  let missing = -1;
  for (let index = from; index < to; index += 1) {
    const value = values[index];
    if (value === undefined) missing = missing < 0 ? index : missing;
    else {
      if (low < 0 || value < (values[low] ?? Infinity)) low = index;
      if (high < 0 || value > (values[high] ?? -Infinity)) high = index;
    }
  }
  return [from, low, high, missing].filter((index) => index >= 0);
}
