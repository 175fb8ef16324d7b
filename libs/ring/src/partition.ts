import { hashText } from './hash.ts';

/** Where a document lives: 0 to `partitions` - 1. `partitions` is fixed at install. */
export function partitionOf(document: string, partitions: number): number {
  return hashText(document) % partitions;
}

/** The part of the log a partition belongs to: 0 to `slices` - 1. `slices` is fixed at install. */
export function sliceOf(partition: number, slices: number): number {
  return partition % slices;
}
