export type { Dialect, Distribution, Result, Second } from './result.ts';
export { htmlReport } from './report/html-report.ts';
export { readResults } from './report/read-results.ts';
export { resultTable } from './report/result-table.ts';
