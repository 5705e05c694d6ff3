import { MAX_ANCESTORS } from "../../contract/claims.ts";
import { invalid } from "../../contract/problem.ts";
import type { Caller } from "../access/caller.ts";
import { type Minting, mintToken, type TokenContent } from "../access/mint-token.ts";
import { insertToken, type TokenRow } from "../store/token-rows.ts";
import { allowSealing } from "../transaction/allow-sealing.ts";
import { newId } from "../transaction/new-id.ts";
import { sealFor } from "../transaction/verify-row.ts";
import { writeForCaller } from "../transaction/write-for-caller.ts";
import { type QuotaNeeds, writeWithinQuota } from "../transaction/write-within-quota.ts";
import { toColumns } from "./grant-columns.ts";

/** What a verb that mints needs. */
export type MintNeeds = Minting & QuotaNeeds;

/** What a caller's new token is to say. Whoever calls this has made sure that it is within the caller's grant. */
export interface Child extends Omit<TokenContent, "id" | "org" | "ancestors"> {
  /** What lists call it. */
  readonly label: string;
}

/**
 * Mints a token that descends from the caller's and ends with it, records that, and keeps its row. The token itself is
 * returned and not stored.
 *
 * @throws {Problem} `unauthenticated`, `invalid-request`, `quota-exceeded`, `rate-limited`, `storage-unavailable`.
 */
export async function mintChild(needs: MintNeeds, caller: Caller, child: Child): Promise<{ row: TokenRow; token: string }> {
  const { db, now } = needs;
  const { org, lineage } = caller;
  const id = newId("tok");
  const token = await mintToken(needs, { ...child, id, org, ancestors: descend(caller) });
  const row: Omit<TokenRow, "seal"> = {
    id,
    org,
    parent_id: lineage?.reference ?? null,
    label: child.label,
    ...toColumns(child),
    created_at: now.getTime(),
    created_by: caller.subject,
    expires_at: now.getTime() + child.expiresIn * 1000,
    revoked_at: null,
    says_ancestors: 1,
    lease_seconds: child.leaseSeconds,
    maker_issued_at: lineage && Math.floor(lineage.issuedAt),
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
