import { importJWK, type JWK } from "jose";
import { jsonPointer } from "../../contract/json-pointer.ts";
import { LIMITS, type LimitFields, limitsOf } from "../../contract/limits.ts";
import type { Pattern } from "../../contract/pattern.ts";
import { invalid, Problem } from "../../contract/problem.ts";
import type { PutTrustBody, TrustJwks } from "../../contract/trust.ts";
import type { Caller, Grant } from "../access/caller.ts";
import { covers } from "../access/covers.ts";
import { IssuerError, requirePublic } from "../access/fetch-issuer-document.ts";
import { canBeFilled } from "../access/fill-template.ts";
import { isStoreIssuer } from "../access/store-issuer.ts";
import { PUBLIC_KEY_ALGORITHMS } from "../access/verify-jwt.ts";
import { deleteRefusals } from "../store/identity-rows.ts";
import { requireUnchanged } from "../store/require-unchanged.ts";
import { rowsOf, runBatch } from "../store/run-batch.ts";
import { selectFamily } from "../store/token-rows.ts";
import { type FoundTrust, selectRevokedRevision, selectTrust, type TrustKind, type TrustRow, upsertTrust } from "../store/trust-rows.ts";
import { allowSealing } from "../transaction/allow-sealing.ts";
import { retryWhenChanged } from "../transaction/retry-when-changed.ts";
import { readForCaller } from "../transaction/run-for-caller.ts";
import { sealAgain, sealFor, type Verified } from "../transaction/verify-row.ts";
import { writeForCaller } from "../transaction/write-for-caller.ts";
import { type QuotaNeeds, writeWithinQuota } from "../transaction/write-within-quota.ts";
import { endOf } from "./delete-trust.ts";
import { type GrantColumns, toColumns } from "./grant-columns.ts";
import { GITHUB_ACTIONS, judgeConditions } from "./judge-conditions.ts";
import { planEnd, selectEnding, writeRevocations } from "./plan-revocation.ts";
import { getTrust, kindOf } from "./read-trusts.ts";
import { makerOf } from "./trust-maker.ts";
import { trustParent } from "./trust-parent.ts";
import { trustReach } from "./trust-reach.ts";

/** What a verb that declares a trust needs. */
export interface TrustNeeds extends QuotaNeeds {
  /** Whether issuers may have http and private addresses. */
  readonly insecureIssuers: boolean;
  readonly provider: { readonly publicUrl: string } | null;
  /** The deployment's own address: what identity tokens are for, unless the trust says otherwise. */
  readonly address: string;
}

/**
 * Declares whose identity tokens are exchanged for what; replaces an earlier trust of the name. It can give nothing
 * that its maker may not do, whatever the claims that fill its templates.
 *
 * @throws {Problem} `forbidden`, `invalid-request`, `storage-unavailable`.
 */
export async function putTrust(needs: TrustNeeds, caller: Caller, name: string, body: PutTrustBody): Promise<{ row: FoundTrust; created: boolean }> {
  caller.require("trusts:write");
  const { issuer, audience = needs.address, reuse = GITHUB_ACTIONS.test(issuer) ? "once" : "until-expiry", expires_in, lease_seconds } = body;
  refuseIssuer(body, needs.insecureIssuers);
  await refuseKeys(body.jwks);
  const keys = { jwks_url: body.jwks_url ?? null, jwks: body.jwks ? JSON.stringify(body.jwks) : null };
  return putRules(needs, caller, name, body, { issuer, audience, expires_in, lease_seconds, reuse, ...keys, login: null });
}

/** What decides what the tokens of an issuer give, of a trust and of a login. */
type Rules = Pick<PutTrustBody, "issuer" | "permissions" | "claims" | keyof LimitFields<unknown>>;

/**
 * Writes a trust, or a login, with the rules from claims to what they give.
 *
 * @throws {Problem} `forbidden`, `invalid-request`, `write-conflict`, `quota-exceeded`, `rate-limited`, `storage-unavailable`.
 */
export async function putRules(
  needs: TrustNeeds,
  caller: Caller,
  name: string,
  body: Rules,
  rest: Omit<Wanted, "org" | "name" | "claims" | keyof GrantColumns>,
): Promise<{ row: FoundTrust; created: boolean }> {
  const { secret_scopes: templates, permissions } = body;
  if (isStoreIssuer(needs.provider, body.issuer)) throw invalid("/issuer", "this deployment is an issuer for its stores, and lets nobody in by that");
  refuseConditions(body);
  refuseTemplates(templates ?? []);
  const grant: Grant = { permissions: new Set(permissions), ...limitsOf({ ...body, secret_scopes: templates as Pattern[] | undefined }) };
  const columns = toColumns(grant);
  if (!covers(caller, trustReach(columns)))
    throw caller.refuse(
      "trusts:write",
      "A trust never gives more than its maker holds: fewer permissions, or narrower secret_scopes, secret_names and services.",
    );
  const wanted = { org: caller.org, name, claims: JSON.stringify(body.claims), ...columns, ...rest };
  return retryWhenChanged(() => replaceTrust(needs, caller, wanted));
}

/** What a trust says, without who changed it when. */
type Wanted = Pick<TrustRow, (typeof SAID)[number]>;
const SAID = [
  ...(["org", "name", "issuer", "audience", "claims", "permissions", "expires_in", "lease_seconds"] as const),
  ...Object.values(LIMITS).map(({ field }) => field),
  ...(["reuse", "jwks_url", "jwks", "login"] as const),
] as const;

/**
 * Writes a trust. One that says something else, or was suspended, has another revision and another maker, and the tokens of
 * the one before end.
 */
async function replaceTrust(needs: TrustNeeds, caller: Caller, wanted: Wanted): Promise<{ row: FoundTrust; created: boolean }> {
  const { db, keyring, now } = await allowSealing(needs);
  const { org, name } = wanted;
  const was = await findTrust(needs, caller, name, wanted.login === null ? "trust" : "login");
  const recorded = { action: "trust.put", secrets: [], target: name } as const;
  if (was && was.suspended === 0 && SAID.every((column) => was[column] === wanted[column])) {
    await writeForCaller(needs, caller, [requireUnchanged(db, "trusts", org, name, was)], recorded);
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
  // Why tokens were refused under what it said before is of no use any more.
  const change = [requireUnchanged(db, "trusts", org, name, was), upsertTrust(db, { ...row, seal }), deleteRefusals(db, org, name)];
  await writeWithinQuota(needs, caller, { kept: was ? [] : ["trusts"], made: 1 }, ({ before, after }) => {
    const statements = [before, ...change, after];
    return ends ? writeRevocations(needs, caller, ends, statements, recorded) : writeForCaller(needs, caller, statements, recorded);
  });
  return { row: { ...row, seal, suspended: 0 }, created: !was };
}

/** The trust that is there, if any. One that reaches further than the caller is not the caller's to replace. */
async function findTrust(needs: TrustNeeds, caller: Caller, name: string, kind: TrustKind): Promise<Verified<FoundTrust> | undefined> {
  try {
    return await getTrust(needs, caller, name, kind);
  } catch (error) {
    if (!(error instanceof Problem && error.code === `${kind}-not-found`)) throw error;
  }
  const other = await findOther(needs, caller, name, kind);
  if (other) throw invalid("", `a ${other} is called so: they share their names`);
  return undefined;
}

/** What has the name and is of the other kind. */
async function findOther({ db }: TrustNeeds, caller: Caller, name: string, kind: TrustKind): Promise<TrustKind | undefined> {
  const [row] = rowsOf<FoundTrust>((await runBatch(db, [selectTrust(db, caller.org, name)]))[0]);
  return row && kindOf(row) !== kind ? kindOf(row) : undefined;
}

/** Refuses an issuer that cannot be asked for what is not given. */
export function refuseIssuer({ issuer, jwks_url, jwks }: Pick<PutTrustBody, "issuer" | "jwks_url" | "jwks">, insecure: boolean): void {
  if (jwks_url !== undefined && !isReachable(jwks_url, insecure)) throw invalid("/jwks_url", "keys have an https address with a public name");
  // Only one whose keys are not given has to be asked: of all others the issuer is a name.
  if (jwks_url !== undefined || jwks !== undefined) return;
  // By the text: an empty query or fragment is one too, and would swallow the path that is added to it.
  if (!/[?#]/.test(issuer) && isReachable(issuer, insecure)) return;
  throw invalid("/issuer", "an issuer has an https address with a public name, without a query; for one that the internet cannot see give jwks_url or jwks");
}

function isReachable(address: string, insecure: boolean): boolean {
  if (!URL.canParse(address)) return false;
  const url = new URL(address);
  try {
    if (!insecure) requirePublic(url);
    return /^https?:$/.test(url.protocol);
  } catch (error) {
    if (error instanceof IssuerError) return false;
    throw error;
  }
}

const MIN_RSA_BITS = 2048;

/** Refuses keys that no signature could be verified with. */
async function refuseKeys(jwks: TrustJwks | undefined): Promise<void> {
  for (const [index, jwk] of (jwks?.keys ?? []).entries())
    if (!(await isUsable(jwk as JWK))) throw invalid(`/jwks/keys/${index}`, "not a public key of at least 2048 bits (RSA), or of a curve that signs");
}

async function isUsable(jwk: JWK): Promise<boolean> {
  const algorithms = PUBLIC_KEY_ALGORITHMS.filter((algorithm) => (jwk.alg ?? algorithm) === algorithm);
  const keys = await Promise.all(algorithms.map((algorithm) => importJWK(jwk, algorithm).catch(() => undefined)));
  return keys.some((key) => key instanceof CryptoKey && ((key.algorithm as { modulusLength?: number }).modulusLength ?? MIN_RSA_BITS) >= MIN_RSA_BITS);
}

function refuseConditions(body: Rules): void {
  const weakness = judgeConditions(body);
  if (!weakness) return;
  const { claim, detail } = weakness;
  throw invalid(jsonPointer(claim === null ? ["claims"] : ["claims", claim]), detail);
}

function refuseTemplates(templates: readonly string[]): void {
  const index = templates.findIndex((template) => !canBeFilled(template));
  if (index !== -1) throw invalid(`/secret_scopes/${index}`, "no claim makes this a scope or a pattern of scopes");
}
