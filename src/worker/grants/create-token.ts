import { MAX_ANCESTORS } from "../../contract/claims.ts";
import { invalid } from "../../contract/problem.ts";
import type { CreateTokenBody } from "../../contract/token.ts";
import type { Caller, Grant } from "../access/caller.ts";
import { covers } from "../access/covers.ts";
import { type Minting, mintToken } from "../access/mint-token.ts";
import { insertToken, type TokenRow } from "../store/token-rows.ts";
import { allowSealing } from "../transaction/allow-sealing.ts";
import { newId } from "../transaction/new-id.ts";
import { sealFor } from "../transaction/verify-row.ts";
import { writeForCaller } from "../transaction/write-for-caller.ts";
import { type QuotaNeeds, writeWithinQuota } from "../transaction/write-within-quota.ts";
import { toColumns } from "./grant-columns.ts";

/** What a verb that mints needs. */
export type MintNeeds = Minting & QuotaNeeds;

/**
 * Mints a token that may do nothing that its maker may not. The token is returned and not stored.
 *
 * @throws {Problem} `forbidden`, `invalid-request`, `quota-exceeded`, `rate-limited`, `storage-unavailable`.
 */
export async function createToken(needs: MintNeeds, caller: Caller, request: CreateTokenBody): Promise<{ row: TokenRow; token: string }> {
  caller.require("tokens:write");
  const { db, now } = needs;
  const grant: Grant = { permissions: new Set(request.permissions), secretScopes: request.secret_scopes ?? null, secretNames: request.secret_names ?? null };
  if (!covers(caller, grant))
    throw caller.refuse(
      "tokens:write",
      "A token never gets more than its maker holds: fewer permissions, or narrower secret_scopes and secret_names. GET /v1/whoami shows what you hold.",
    );
  const id = newId("tok");
  const ancestors = descend(caller);
  const { expires_in, lease_seconds } = request;
  const said = { id, org: caller.org, subject: `token:${request.label}`, expiresIn: expires_in, leaseSeconds: lease_seconds };
  const token = await mintToken(needs, { ...grant, ancestors, ...said });
  const row: Omit<TokenRow, "seal"> = {
    id,
    org: caller.org,
    parent_id: caller.lineage?.reference ?? null,
    label: request.label,
    ...toColumns(grant),
    created_at: now.getTime(),
    created_by: caller.subject,
    expires_at: now.getTime() + expires_in * 1000,
    revoked_at: null,
    says_ancestors: 1,
    lease_seconds,
    maker_issued_at: caller.lineage && Math.floor(caller.lineage.issuedAt),
  };
  const { keyring } = await allowSealing(needs);
  const sealed = { ...row, seal: await sealFor(keyring, "tokens", row) };
  const growth = { kept: ["tokens"], made: 1 } as const;
  const recorded = { action: "token.create", secrets: [], target: id } as const;
  await writeWithinQuota(needs, caller, growth, ({ before, after }) => writeForCaller(needs, caller, [before, insertToken(db, sealed), after], recorded));
  return { row: sealed, token };
}

/** What a token descends from that the caller mints: all that the caller's own does, and that one. */
function descend({ lineage }: Caller): readonly string[] {
  const ancestors = lineage ? [...(lineage.ancestors ?? []), lineage.reference] : [];
  if (ancestors.length > MAX_ANCESTORS) throw invalid("", `a token descends from at most ${MAX_ANCESTORS} others, one from the other`);
  return ancestors;
}
