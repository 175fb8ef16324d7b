export { type Clock, systemClock, type TimerOptions } from './clock.ts';
export { every } from './every.ts';
export { retry, type RetryOptions } from './retry.ts';
export { runService, type RunServiceOptions } from './run-service.ts';
export type { Service } from './service.ts';
export { sleep } from './sleep.ts';
