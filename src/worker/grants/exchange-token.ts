import * as z from "zod";
import type { Pattern } from "../../contract/pattern.ts";
import { type Permission, parsePermissions } from "../../contract/permission.ts";
import { Problem } from "../../contract/problem.ts";
import { type Quotas, withQuotas } from "../../contract/quota.ts";
import type { Grant } from "../access/caller.ts";
import type { IssuerAccess } from "../access/fetch-issuer-document.ts";
import { fillTemplate } from "../access/fill-template.ts";
import { issuerKeys } from "../access/issuer-keys.ts";
import { matchClaims } from "../access/match-claims.ts";
import { type Minting, mintToken } from "../access/mint-token.ts";
import { type ExchangeRefusal, RefusalError, type TokenRefusal } from "../access/refusal.ts";
import { PUBLIC_KEY_ALGORITHMS, readJwt, TokenError, verifyJwt } from "../access/verify-jwt.ts";
import { insertEvent } from "../audit/insert-event.ts";
import type { Keyring } from "../envelope/keyring.ts";
import { QUOTA_GUARD, type QuotaRow, requireQuotas, selectQuotas } from "../store/quota-rows.ts";
import { requireInForce } from "../store/revocation-rows.ts";
import { GuardError, rowsOf, runBatch } from "../store/run-batch.ts";
import { insertToken } from "../store/token-rows.ts";
import { requireTrust, selectTrust, type TrustRow } from "../store/trust-rows.ts";
import { allowSealing } from "../transaction/allow-sealing.ts";
import { newId } from "../transaction/new-id.ts";
import { ownQuotas } from "../transaction/own-quotas.ts";
import { recordFailure } from "../transaction/record-failure.ts";
import { IntegrityProblem, sealFor, type Verified, verifyRow } from "../transaction/verify-row.ts";
import { fromColumns, toColumns } from "./grant-columns.ts";
import { marksOf } from "./trust-maker.ts";
import { trustParent, trustRevision } from "./trust-parent.ts";

/** What an exchange needs. */
export interface ExchangeNeeds extends IssuerAccess {
  readonly db: D1Database;
  readonly keyring: Keyring;
  readonly minting: Minting;
  /** What an organization may have that has no quotas of its own. */
  readonly quotas: Quotas;
  /** Where the request comes from, for the audit log. */
  readonly origin: { readonly requestId: string; readonly ip: string | null; readonly userAgent: string | null };
}

/** What is to be exchanged. */
export interface Exchange {
  readonly subjectToken: string;
  readonly org: string;
  readonly trust: string;
  /** The permissions asked for, space-separated, if fewer than the trust gives. */
  readonly scope: string | undefined;
}

/** An exchanged token. */
export interface Exchanged {
  readonly token: string;
  /** Seconds. */
  readonly expiresIn: number;
  readonly permissions: readonly Permission[];
}

/** An exchange is refused. The reply says no more than this error's code. */
export class ExchangeError extends RefusalError<TokenRefusal | ExchangeRefusal> {
  override readonly name = "ExchangeError";
  /** Whether the workload is not let in, or is and asks for too much. */
  get code(): "subject-refused" | "scope-refused" {
    return this.refusal === "scope-not-given" ? "scope-refused" : "subject-refused";
  }
}

/**
 * Exchanges a workload's identity token (OpenID Connect Core 1.0, section 2) for a short-lived token of Keyhole's
 * (RFC 8693), as a trust of the organization allows.
 *
 * @throws {ExchangeError} `subject-refused` whatever is wrong with the identity token or the trust, `scope-refused`.
 * @throws {IssuerError} when the issuer's keys cannot be had.
 * @throws {Problem} `integrity-failed` when the trust is not what was written, `rate-limited` when the organization has as
 *   many tokens as it may, or has had so many in this minute, `storage-unavailable`.
 */
export async function exchangeToken(needs: ExchangeNeeds, exchange: Exchange): Promise<Exchanged> {
  const [found, quotas] = await runBatch(needs.db, [selectTrust(needs.db, exchange.org, exchange.trust), selectQuotas(needs.db, exchange.org)]);
  const [stored] = rowsOf<TrustRow>(found);
  if (!stored) throw new ExchangeError("unknown-trust");
  const trust = await believeTrust(needs, stored);
  const claims = await verifyIdentity(needs, trust, exchange.subjectToken);
  const grant = grantOf(trust, claims);
  const subject = `trust:${trust.name}:${String(claims.sub)}`.slice(0, 256);
  const permissions = exchange.scope === undefined ? grant.permissions : parsePermissions(exchange.scope);
  if (permissions.size === 0 || !permissions.isSubsetOf(grant.permissions as Set<unknown>)) return refuseScope(needs, trust, subject);
  const own = await ownQuotas(needs.keyring, rowsOf<QuotaRow>(quotas)[0]);
  return mint({ ...needs, quotas: withQuotas(needs.quotas, own) }, trust, subject, { ...grant, permissions });
}

/** The trust, if it is what was written. If not that is on record, in the organization whose trust it is. */
async function believeTrust({ db, keyring, now, origin }: ExchangeNeeds, stored: TrustRow): Promise<Verified<TrustRow>> {
  try {
    return await verifyRow(keyring, "trusts", stored);
  } catch (error) {
    const actor = { org: stored.org, subject: trustParent(stored.name), tokenId: null, ...origin };
    if (error instanceof IntegrityProblem) await recordFailure({ db, now }, actor, { broken: [error.row] });
    throw error;
  }
}

async function verifyIdentity(access: IssuerAccess, trust: TrustRow, token: string): Promise<Record<string, unknown>> {
  try {
    const unverified = readJwt(token);
    // Only a token that names the trust's issuer is worth asking the issuer for its keys.
    if (unverified.claims.iss !== trust.issuer) throw new TokenError("wrong-issuer");
    return await verifyJwt(unverified, await issuerKeys(trust.issuer, access), {
      algorithms: [...PUBLIC_KEY_ALGORITHMS],
      issuer: trust.issuer,
      audience: trust.audience,
      currentDate: access.now,
      clockTolerance: 30,
      requiredClaims: ["iss", "aud", "exp", "iat", "sub"],
    });
  } catch (error) {
    if (error instanceof TokenError) throw new ExchangeError(error.refusal, { cause: error });
    throw error;
  }
}

const patternsSchema = z.record(z.string(), z.string());

function grantOf(trust: TrustRow, claims: Record<string, unknown>): Grant {
  if (typeof claims.sub !== "string") throw new ExchangeError("malformed-claim");
  if (!matchClaims(patternsSchema.parse(JSON.parse(trust.claims)), claims)) throw new ExchangeError("claim-not-matched");
  const { secretScopes: templates, ...grant } = fromColumns(trust);
  if (templates === null) return { ...grant, secretScopes: null };
  const filled = templates.map((template) => fillTemplate(template, claims));
  if (filled.some((pattern) => pattern === undefined)) throw new ExchangeError("template-not-filled");
  return { ...grant, secretScopes: filled as Pattern[] };
}

/** The workload is who it says and asks for more than it gets: that is a denied attempt for the record. */
async function refuseScope({ db, now, origin }: ExchangeNeeds, { org, name }: TrustRow, subject: string): Promise<never> {
  const actor = { org, subject, tokenId: null, ...origin };
  await runBatch(db, [insertEvent(db, { actor, action: "token.exchange", outcome: "denied", at: now, target: name }, [])]);
  throw new ExchangeError("scope-not-given");
}

async function mint(needs: ExchangeNeeds, trust: TrustRow, subject: string, grant: Grant): Promise<Exchanged> {
  const { db, keyring, minting, now, origin } = await allowSealing(needs);
  const { org, name, expires_in, lease_seconds } = trust;
  const id = newId("tok");
  const token = await mintToken(minting, { ...grant, id, org, subject, ancestors: [trustRevision(trust)], expiresIn: expires_in, leaseSeconds: lease_seconds });
  const at = now.getTime();
  const row = {
    id,
    org,
    parent_id: trustRevision(trust),
    label: subject,
    ...toColumns(grant),
    created_at: at,
    created_by: subject,
    expires_at: at + expires_in * 1000,
    revoked_at: null,
    says_ancestors: 1 as const,
    lease_seconds,
    maker_issued_at: null,
  };
  await runUnderTrust(db, trust, [
    insertToken(db, { ...row, seal: await sealFor(keyring, "tokens", row) }),
    ...requireQuotas(db, org, needs.quotas, { kept: ["tokens"], made: 1 }, now.getTime()),
    insertEvent(db, { actor: { org, subject, tokenId: id, ...origin }, action: "token.exchange", outcome: "allowed", at: now, target: name }, []),
  ]);
  return { token, expiresIn: expires_in, permissions: [...grant.permissions].sort() };
}

/** The issuer may have taken seconds to answer: a trust that was deleted, replaced or suspended meanwhile, or before, gives nothing. */
async function runUnderTrust(db: D1Database, trust: TrustRow, statements: D1PreparedStatement[]): Promise<void> {
  try {
    await runBatch(db, [requireTrust(db, trust.org, trust.name, trust), requireInForce(db, marksOf(trust)), ...statements]);
  } catch (error) {
    if (!(error instanceof GuardError)) throw error;
    if (error.guard.startsWith(QUOTA_GUARD))
      throw new Problem("rate-limited", "The organization has as many tokens as it may have now.", { headers: { "Retry-After": "60" }, cause: error });
    throw new ExchangeError(error.guard === "token_in_force" ? "trust-suspended" : "trust-changed", { cause: error });
  }
}
