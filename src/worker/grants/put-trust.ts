import type { Pattern } from "../../contract/pattern.ts";
import { invalid, Problem } from "../../contract/problem.ts";
import type { PutTrustBody } from "../../contract/trust.ts";
import type { Caller, Grant } from "../access/caller.ts";
import { covers } from "../access/covers.ts";
import { requirePublic } from "../access/fetch-issuer-document.ts";
import { canBeFilled } from "../access/fill-template.ts";
import { insertEvent } from "../audit/insert-event.ts";
import { rowsOf } from "../store/run-batch.ts";
import { selectTrust, type TrustRow, upsertTrust } from "../store/trust-rows.ts";
import { runForCaller } from "../transaction/run-for-caller.ts";
import { toColumns } from "./grant-columns.ts";
import { getTrust } from "./read-trusts.ts";
import { trustReach } from "./trust-reach.ts";

/** What a verb that declares a trust needs. */
export interface TrustNeeds {
  readonly db: D1Database;
  readonly now: Date;
  /** Whether issuers may have http and private addresses. */
  readonly insecureIssuers: boolean;
}

/**
 * Declares whose identity tokens are exchanged for what; replaces an earlier trust of the name. It can give nothing
 * that its maker may not do, whatever the claims that fill its templates.
 *
 * @throws {Problem} `forbidden`, `invalid-request`, `storage-unavailable`.
 */
export async function putTrust(
  { db, now, insecureIssuers }: TrustNeeds,
  caller: Caller,
  name: string,
  body: PutTrustBody,
): Promise<{ row: TrustRow; created: boolean }> {
  caller.require("trusts:write");
  const { secret_scopes: templates, permissions } = body;
  refuseIssuer(body.issuer, insecureIssuers);
  refuseTemplates(templates ?? []);
  const grant: Grant = {
    permissions: new Set(permissions),
    secretScopes: (templates as Pattern[] | undefined) ?? null,
    secretNames: body.secret_names ?? null,
  };
  const columns = toColumns(grant);
  if (!covers(caller, trustReach(columns)))
    throw caller.refuse("trusts:write", "A trust never gives more than its maker holds: fewer permissions, or narrower secret_scopes and secret_names.");
  await refuseReplacement(db, caller, name);
  const at = now.getTime();
  const who = { created_at: at, created_by: caller.subject, updated_at: at, updated_by: caller.subject };
  const { issuer, audience, claims, expires_in } = body;
  const row: TrustRow = { org: caller.org, name, issuer, audience, claims: JSON.stringify(claims), ...columns, expires_in, ...who };
  const [before, stored] = await runForCaller(db, caller, [
    selectTrust(db, caller.org, name),
    upsertTrust(db, row),
    insertEvent(db, { actor: caller, action: "trust.put", outcome: "allowed", at: now, target: name }, []),
  ]);
  const [written = row] = rowsOf<TrustRow>(stored);
  return { row: written, created: rowsOf(before).length === 0 };
}

/** A trust that reaches further than the caller is not the caller's to replace. */
async function refuseReplacement(db: D1Database, caller: Caller, name: string): Promise<void> {
  try {
    await getTrust({ db }, caller, name);
  } catch (error) {
    if (!(error instanceof Problem && error.code === "trust-not-found")) throw error;
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
