import type { LoginClient, PutLoginBody } from "../../contract/login.ts";
import type { Caller } from "../access/caller.ts";
import { requireCredentialsOf } from "../access/require-credentials.ts";
import { putRules, refuseIssuer, type TrustNeeds } from "../grants/put-trust.ts";
import type { FoundTrust } from "../store/trust-rows.ts";
import { type LookNeeds, requireLoginSecret } from "./require-login-secret.ts";

/** What a verb that declares a login needs. */
export type PutLoginNeeds = TrustNeeds & LookNeeds;

/**
 * Declares by which provider people log in, and what they may then: a trust whose tokens are not exchanged by whoever has one, but
 * taken once, from the provider itself. Like a trust it can give nothing that its maker may not do; and the client's secret is one that
 * its maker may use, and that is there.
 *
 * @throws {Problem} `forbidden`, `invalid-request`, `secret-not-found`, `secret-expired`, `name-locked`, `host-not-allowed`,
 *   `source-cycle`, `write-conflict`, `quota-exceeded`, `rate-limited`, `integrity-failed`, `storage-unavailable`.
 */
export async function putLogin(needs: PutLoginNeeds, caller: Caller, name: string, body: PutLoginBody): Promise<{ row: FoundTrust; created: boolean }> {
  caller.require("trusts:write");
  const { issuer, client_id: audience, client_secret = null, scopes, expires_in } = body;
  refuseIssuer({ issuer }, needs.insecureIssuers);
  requireCredentialsOf(caller, "trusts:write", "login", client_secret ? [client_secret] : []);
  if (client_secret) await requireLoginSecret(needs, caller, client_secret);
  const login = JSON.stringify({ client_secret, scopes } satisfies LoginClient);
  return putRules(needs, caller, name, body, { issuer, audience, expires_in, lease_seconds: 0, reuse: "once", jwks_url: null, jwks: null, login });
}
