import { expect, test } from 'vitest';
import { StoreUnavailable } from './store.ts';
import { asStoreError } from './unavailable.ts';

const coded = (code: string, message = 'x'): Error => Object.assign(new Error(message), { code });

test.each(['ECONNREFUSED', 'ENOTFOUND', '08006', '57P01', '57P03', '57014', '53300', '53100', '28P01', '3D000', '40P01', '25006', '58030'])(
  '[ST9] %s is Postgres being away',
  (code) => expect(asStoreError(coded(code))).toBeInstanceOf(StoreUnavailable),
);

test.each(['23505', '42601', '42P01', '22021', 'XX000', '23514', 'EINVAL'])('[ST9] %s is a mistake of ours', (code) => {
  const error = coded(code);
  expect(asStoreError(error)).toBe(error);
});

test.each(['Connection terminated unexpectedly', 'timeout exceeded when trying to connect', 'Query read timeout'])(
  '[ST9] "%s", which pg says without a code, is Postgres being away',
  (message) => expect(asStoreError(new Error(message))).toBeInstanceOf(StoreUnavailable),
);

test('[ST9] all addresses of a name refusing is Postgres being away, and says why in one line', () => {
  const error = asStoreError(new AggregateError([coded('ECONNREFUSED', 'connect ECONNREFUSED ::1:5432'), coded('ECONNREFUSED')], ''));
  expect(error).toBeInstanceOf(StoreUnavailable);
  expect((error as Error).message).toContain('ECONNREFUSED ::1:5432');
  expect((error as Error).message).not.toContain('\n');
});
