import { limitsOf } from "../../contract/limits.ts";
import type { CreateTokenBody } from "../../contract/token.ts";
import type { Caller, Grant } from "../access/caller.ts";
import { covers } from "../access/covers.ts";
import type { TokenRow } from "../store/token-rows.ts";
import { type MintNeeds, mintChild } from "./mint-child.ts";

/**
 * Mints a token that may do nothing that its maker may not. The token is returned and not stored.
 *
 * @throws {Problem} `forbidden`, `invalid-request`, `quota-exceeded`, `rate-limited`, `storage-unavailable`.
 */
export async function createToken(needs: MintNeeds, caller: Caller, request: CreateTokenBody): Promise<{ row: TokenRow; token: string }> {
  caller.require("tokens:write");
  const { label, expires_in: expiresIn, lease_seconds: leaseSeconds } = request;
  const grant: Grant = { permissions: new Set(request.permissions), ...limitsOf(request) };
  if (!covers(caller, grant))
    throw caller.refuse(
      "tokens:write",
      "A token never gets more than its maker holds: fewer permissions, or narrower secret_scopes, secret_names and services. GET /v1/whoami shows what you hold.",
    );
  return mintChild(needs, caller, { ...grant, label, subject: `token:${label}`, expiresIn, leaseSeconds });
}
