import { StoreUnavailable } from './store.ts';

/** Node's codes for "nobody answers there". Names that do not resolve count: a service's DNS record may come later than we do. */
const SYSTEM_CODES: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENETDOWN',
  'EHOSTDOWN',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ENOENT',
  'EACCES',
]);

/**
 * SQLSTATEs (or their two-letter classes) of a Postgres that cannot now, but could later: connection exceptions, refused sign-in (a secret being
 * rotated, a database not created yet), transactions it asks to repeat, no room or memory, operator intervention (shutdown, cancelled by
 * a timeout), system errors, and a server that is read only because another became the primary.
 */
const SQL_STATES: readonly string[] = ['08', '28', '3D000', '40001', '40P01', '53', '57', '58', '55P03', '25006', '25P03', '25P04'];

/** pg reports its own time-outs and cut connections without a code. */
const DRIVER_MESSAGES =
  /^(Connection terminated|timeout exceeded when trying to connect|timeout expired|Query read timeout|Client has encountered a connection error|Client was closed|Cannot use a pool after calling end)/;

/** Postgres is away or refuses for now: worth another try. Everything else is a bug and passes through as it is. */
export function asStoreError(error: unknown): unknown {
  return isUnavailable(error) ? new StoreUnavailable(`Postgres cannot be used now: ${reasonOf(error)}`, { cause: error }) : error;
}

export function isUnavailable(error: unknown): error is Error {
  if (!(error instanceof Error)) return false;
  if (error instanceof StoreUnavailable) return false;
  const code = 'code' in error ? String(error.code) : '';
  if (SYSTEM_CODES.has(code) || DRIVER_MESSAGES.test(error.message)) return true;
  if (error instanceof AggregateError) return error.errors.length > 0 && error.errors.every(isUnavailable);
  return /^[0-9A-Z]{5}$/.test(code) && SQL_STATES.some((state) => code.startsWith(state));
}

/** Never more than one line: it ends up in logs and in `/readyz`. */
function reasonOf(error: Error): string {
  const text = error.message === '' && error instanceof AggregateError ? String(error.errors[0]) : error.message;
  return text.split('\n', 1)[0] ?? '';
}
