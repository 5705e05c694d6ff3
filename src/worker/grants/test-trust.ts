import type { TrustTest } from "../../contract/trust.ts";
import type { Caller } from "../access/caller.ts";
import { type IssuerAccess, IssuerError } from "../access/fetch-issuer-document.ts";
import { selectIdentity } from "../store/identity-rows.ts";
import { rowsOf } from "../store/run-batch.ts";
import type { TrustRow } from "../store/trust-rows.ts";
import { type CallerNeeds, readForCaller } from "../transaction/run-for-caller.ts";
import { ExchangeError } from "./exchange-error.ts";
import { identityKey } from "./identity-key.ts";
import { judgeIdentity } from "./judge-identity.ts";
import { getTrust } from "./read-trusts.ts";
import { type Identity, verifyIdentity } from "./verify-identity.ts";

/**
 * Says what an exchange of an identity token would come to under a trust, and which condition fails. It exchanges nothing,
 * and keeps nothing of the token. Of one whose signature is not good it says that and no more.
 *
 * @throws {Problem} `forbidden`, `trust-not-found`, `integrity-failed`, `storage-unavailable`.
 */
export async function testTrust(needs: CallerNeeds & IssuerAccess, caller: Caller, name: string, token: string): Promise<TrustTest> {
  caller.require("trusts:write");
  const trust = await getTrust(needs, caller, name);
  const identity = await verified(needs, trust, token);
  if (typeof identity === "string") return { accepted: false, refusal: identity, conditions: [], secret_scopes: null };
  const { conditions, scopes, outcome } = judgeIdentity(trust, identity.claims);
  const refusal = outcome instanceof ExchangeError ? outcome.refusal : trust.suspended === 1 ? "trust-suspended" : await usedUp(needs, caller, trust, token);
  return { accepted: refusal === null, refusal, conditions: [...conditions], secret_scopes: scopes && [...scopes] };
}

async function verified(needs: IssuerAccess, trust: TrustRow, token: string): Promise<Identity | string> {
  try {
    return await verifyIdentity(needs, trust, token);
  } catch (error) {
    if (error instanceof ExchangeError || error instanceof IssuerError) return error.refusal;
    throw error;
  }
}

async function usedUp(needs: CallerNeeds, caller: Caller, trust: TrustRow, token: string): Promise<"identity-used" | null> {
  if (trust.reuse !== "once") return null;
  const [found] = await readForCaller(needs, caller, [selectIdentity(needs.db, await identityKey(trust, token))]);
  return rowsOf(found).length > 0 ? "identity-used" : null;
}
