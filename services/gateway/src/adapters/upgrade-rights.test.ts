import { AuthUnavailable, type Decision } from '@weft/grants';
import { expect, test } from 'vitest';
import { decideUpgrade } from './upgrade-rights.ts';

const byGrant: Decision = { allowed: true, role: 'viewer', who: { id: 'g', name: 'by grant' }, untilMs: 1 };
const byToken: Decision = { allowed: true, role: 'editor', who: { id: 't', name: 'by token' }, untilMs: 1 };
const refused: Decision = { allowed: false, status: 401, reason: 'grant expired' };
const authorize = async (token: string): Promise<Decision> => (token === 'token' ? byToken : { allowed: false, status: 401, reason: 'no' });
const saying = (answer: Decision | Error) => ({ check: async () => (answer instanceof Error ? Promise.reject(answer) : answer) });
const request = { document: 'plan', token: 'token', grant: 'grant' };

test('[GW20] where there is no edge a grant is not looked at', async () => {
  expect(await decideUpgrade(request, undefined, authorize)).toBe(byToken);
});

test('[GW20] a grant decides, for better and for worse', async () => {
  expect(await decideUpgrade(request, saying(byGrant), authorize)).toBe(byGrant);
  expect(await decideUpgrade(request, saying(refused), authorize)).toBe(refused);
});

test('[GW20] without a grant, or when nobody can say whether it is good, the token is asked about', async () => {
  expect(await decideUpgrade({ ...request, grant: '' }, saying(byGrant), authorize)).toBe(byToken);
  expect(await decideUpgrade(request, saying(new AuthUnavailable('no keys')), authorize)).toBe(byToken);
  await expect(decideUpgrade(request, saying(new TypeError('a mistake')), authorize)).rejects.toThrow('a mistake');
});
