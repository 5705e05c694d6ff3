import type { Pattern } from "../../contract/pattern.ts";
import { invalid, Problem } from "../../contract/problem.ts";
import type { PutTrustBody } from "../../contract/trust.ts";
import type { Caller, Grant } from "../access/caller.ts";
import { covers } from "../access/covers.ts";
import { requirePublic } from "../access/fetch-issuer-document.ts";
import { canBeFilled } from "../access/fill-template.ts";
import { rowsOf } from "../store/run-batch.ts";
import { selectFamily } from "../store/token-rows.ts";
import { type FoundTrust, requireTrust, selectRevokedRevision, type TrustRow, upsertTrust } from "../store/trust-rows.ts";
import { allowSealing } from "../transaction/allow-sealing.ts";
import { retryWhenChanged } from "../transaction/retry-when-changed.ts";
import { readForCaller } from "../transaction/run-for-caller.ts";
import { sealAgain, sealFor, type Verified } from "../transaction/verify-row.ts";
import { writeForCaller } from "../transaction/write-for-caller.ts";
import { type QuotaNeeds, writeWithinQuota } from "../transaction/write-within-quota.ts";
import { endOf } from "./delete-trust.ts";
import { toColumns } from "./grant-columns.ts";
import { planEnd, selectEnding, writeRevocations } from "./plan-revocation.ts";
import { getTrust } from "./read-trusts.ts";
import { makerOf } from "./trust-maker.ts";
import { trustParent } from "./trust-parent.ts";
import { trustReach } from "./trust-reach.ts";

/** What a verb that declares a trust needs. */
export interface TrustNeeds extends QuotaNeeds {
  /** Whether issuers may have http and private addresses. */
  readonly insecureIssuers: boolean;
}

/**
 * Declares whose identity tokens are exchanged for what; replaces an earlier trust of the name. It can give nothing
 * that its maker may not do, whatever the claims that fill its templates.
 *
 * @throws {Problem} `forbidden`, `invalid-request`, `storage-unavailable`.
 */
export async function putTrust(needs: TrustNeeds, caller: Caller, name: string, body: PutTrustBody): Promise<{ row: FoundTrust; created: boolean }> {
  caller.require("trusts:write");
  const { secret_scopes: templates, permissions } = body;
  refuseIssuer(body.issuer, needs.insecureIssuers);
  refuseTemplates(templates ?? []);
  const grant: Grant = {
    permissions: new Set(permissions),
    secretScopes: (templates as Pattern[] | undefined) ?? null,
    secretNames: body.secret_names ?? null,
  };
  const columns = toColumns(grant);
  if (!covers(caller, trustReach(columns)))
    throw caller.refuse("trusts:write", "A trust never gives more than its maker holds: fewer permissions, or narrower secret_scopes and secret_names.");
  const { issuer, audience, claims, expires_in, lease_seconds } = body;
  const wanted = { org: caller.org, name, issuer, audience, claims: JSON.stringify(claims), ...columns, expires_in, lease_seconds };
  return retryWhenChanged(() => replaceTrust(needs, caller, wanted));
}

/** What a trust says, without who changed it when. */
type Wanted = Pick<TrustRow, (typeof SAID)[number]>;
const SAID = ["org", "name", "issuer", "audience", "claims", "permissions", "secret_scopes", "secret_names", "expires_in", "lease_seconds"] as const;

/**
 * Writes a trust. One that says something else, or was suspended, has another revision and another maker, and the tokens of
 * the one before end.
 */
async function replaceTrust(needs: TrustNeeds, caller: Caller, wanted: Wanted): Promise<{ row: FoundTrust; created: boolean }> {
  const { db, keyring, now } = await allowSealing(needs);
  const { org, name } = wanted;
  const was = await findTrust(needs, caller, name);
  const recorded = { action: "trust.put", secrets: [], target: name } as const;
  if (was && was.suspended === 0 && SAID.every((column) => was[column] === wanted[column])) {
    await writeForCaller(needs, caller, [requireTrust(db, org, name, was)], recorded);
    return { row: was, created: false };
  }
  const [family, revoked, ...ending] = await readForCaller(needs, caller, [
    selectFamily(db, org, trustParent(name)),
    selectRevokedRevision(db, org, name),
    ...selectEnding(db, org),
  ]);
  const highest = Math.max(was?.revision ?? 0, rowsOf<{ revision: number | null }>(revoked)[0]?.revision ?? 0);
  const by = { updated_at: now.getTime(), updated_by: caller.subject };
  const made = was ? { created_at: was.created_at, created_by: was.created_by } : { created_at: by.updated_at, created_by: by.updated_by };
  const row = { ...wanted, ...made, ...by, revision: highest + 1, maker: makerOf(caller, was) };
  const seal = was ? await sealAgain(keyring, "trusts", was, row) : await sealFor(keyring, "trusts", row);
  const ends = was ? await planEnd(needs, org, ending, endOf(was, rowsOf<{ id: string }>(family))) : undefined;
  const change = [requireTrust(db, org, name, was), upsertTrust(db, { ...row, seal })];
  await writeWithinQuota(needs, caller, { kept: was ? [] : ["trusts"], made: 1 }, (quotas) => {
    const statements = [...change, ...quotas];
    return ends ? writeRevocations(needs, caller, ends, statements, recorded) : writeForCaller(needs, caller, statements, recorded);
  });
  return { row: { ...row, seal, suspended: 0 }, created: !was };
}

/** The trust that is there, if any. One that reaches further than the caller is not the caller's to replace. */
async function findTrust(needs: TrustNeeds, caller: Caller, name: string): Promise<Verified<FoundTrust> | undefined> {
  try {
    return await getTrust(needs, caller, name);
  } catch (error) {
    if (error instanceof Problem && error.code === "trust-not-found") return undefined;
    throw error;
  }
}

function refuseIssuer(issuer: string, insecure: boolean): void {
  const url = new URL(issuer);
  try {
    if (!insecure) requirePublic(url);
    // By the text: an empty query or fragment is one too, and would swallow the path that is added to it.
    if (!/[?#]/.test(issuer) && /^https?:$/.test(url.protocol)) return;
  } catch {
    // Refused below, like an address with a query.
  }
  throw invalid("/issuer", "an issuer has an https address with a public name, without a query");
}

function refuseTemplates(templates: readonly string[]): void {
  const index = templates.findIndex((template) => !canBeFilled(template));
  if (index !== -1) throw invalid(`/secret_scopes/${index}`, "no claim makes this a scope or a pattern of scopes");
}
