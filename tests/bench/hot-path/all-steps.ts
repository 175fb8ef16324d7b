import type { Step } from './step.ts';
import { decodeSteps } from './steps/decode.ts';
import { gatewaySteps } from './steps/gateway.ts';
import { joinSteps } from './steps/join.ts';
import { logSteps } from './steps/log.ts';
import { persistenceSteps } from './steps/persistence.ts';
import { presenceSteps } from './steps/presence.ts';
import { referenceSteps } from './steps/reference.ts';
import { workerSteps } from './steps/worker.ts';

/** In the order in which an edit meets them. */
export const allSteps: readonly Step[] = [
  ...decodeSteps,
  ...gatewaySteps,
  ...logSteps,
  ...workerSteps,
  ...joinSteps,
  ...presenceSteps,
  ...persistenceSteps,
  ...referenceSteps,
];
