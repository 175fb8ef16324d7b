import type { HttpRequest, HttpResponse } from '@rjweb/uws';
import type { Decision } from '@weft/grants';
import type { RequestHead } from '@weft/protocol';
import type { Admission } from '../admission.ts';
import type { TooMany } from '../connection-count.ts';
import type { ClientAddresses } from './client-address.ts';

/** What is asked of everybody who comes, with or without WebSocket. Requests are read before the handler returns. */

/** undefined: not limited. */
export function addressOf(addresses: ClientAddresses, res: HttpResponse, req: HttpRequest): string | undefined {
  return addresses.of(Buffer.from(res.getRemoteAddressAsText()).toString(), req.getHeader('x-forwarded-for'));
}

export function headOf(req: HttpRequest): RequestHead {
  // Its types leave out that there may be none.
  const query = req.getQuery() as string | null | undefined;
  return {
    // uWS takes it apart at the first `?`.
    target: query ? `${req.getUrl()}?${query}` : req.getUrl(),
    authorization: req.getHeader('authorization'),
    cookie: req.getHeader('cookie'),
    origin: req.getHeader('origin'),
    host: req.getHeader('host'),
  };
}

/** Whether somebody may open a document, or come at all. First what costs auth nothing. */
export async function mayConnect(
  admission: Admission,
  address: string | undefined,
  token: string,
  decide: () => Promise<Decision>,
): Promise<Decision | TooMany> {
  const tooManyThere = address === undefined ? undefined : await admission.mayConnect(address);
  if (tooManyThere) return tooManyThere;
  const decision = await decide();
  if (!decision.allowed || token === '') return decision;
  return (await admission.mayUserConnect(decision.who.id)) ?? decision;
}
