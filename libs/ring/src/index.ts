export { assign } from './assign.ts';
export { goneAfterMs, type Member, Membership } from './membership.ts';
export { partitionOf, sliceOf } from './partition.ts';
export { type RingReport, ringTable, type SliceReport } from './ring-report.ts';
export { RingView } from './ring-view.ts';
