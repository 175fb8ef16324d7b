export { assign } from './assign.ts';
export { goneAfterMs, type Member, Membership } from './membership.ts';
export { partitionOf, sliceOf } from './partition.ts';
export { RingView } from './ring-view.ts';
