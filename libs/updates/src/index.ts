export { DeleteSet, deletesOf } from './delete-set.ts';
export { diffUpdate } from './diff-update.ts';
export { MalformedUpdate } from './malformed-update.ts';
export { mergeUpdatesInTree } from './merge-updates.ts';
export { EMPTY_UPDATE, isEmptyUpdate, scanUpdate, type ClockRange, type UpdateScan } from './scan-update.ts';
export { splitUpdate } from './split-update.ts';
export {
  advanceStateVector,
  coversRanges,
  decodeStateVector,
  encodeStateVector,
  MalformedStateVector,
  stateVectorOf,
  type StateVector,
} from './state-vector.ts';
