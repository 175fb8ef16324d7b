import { AuthUnavailable, type Decision } from '@weft/grants';

/** What the edge says of a request it lets through: auth's own signed words (libs/grants, G20). */
export interface GrantChecker {
  /** Rejects with AuthUnavailable when it cannot be told whether a grant is good. */
  check(grant: string, document: string): Promise<Decision>;
}

export interface UpgradeRequest {
  readonly document: string;
  /** Empty for a guest. */
  readonly token: string;
  /** `X-Weft-Grant`; empty when there was none. */
  readonly grant: string;
}

/**
 * May this upgrade be done? By its grant where there is an edge that gives them, and without a question (SPEC GW20). Without a grant, or when nobody can say whether it is good, by its token: auth knows in any case.
 * Either way what is allowed is asked for again with the token, as that of everybody who is connected.
 */
export async function decideUpgrade(
  { document, token, grant }: UpgradeRequest,
  grants: GrantChecker | undefined,
  authorize: (token: string, document: string) => Promise<Decision>,
): Promise<Decision> {
  if (grants === undefined || grant === '') return authorize(token, document);
  try {
    return await grants.check(grant, document);
  } catch (error) {
    if (error instanceof AuthUnavailable) return authorize(token, document);
    throw error;
  }
}
