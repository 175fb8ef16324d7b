export type { Dialect, Distribution, Result, Second } from './result.ts';
