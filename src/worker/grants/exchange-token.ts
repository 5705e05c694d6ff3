import { type Permission, parsePermissions } from "../../contract/permission.ts";
import { withQuotas } from "../../contract/quota.ts";
import type { Grant } from "../access/caller.ts";
import { type IssuerAccess, IssuerError } from "../access/fetch-issuer-document.ts";
import { type Minting, mintToken } from "../access/mint-token.ts";
import type { Refusal } from "../access/refusal.ts";
import { insertEvent } from "../audit/insert-event.ts";
import type { Keyring } from "../envelope/keyring.ts";
import { type FoundIdentity, type IdentityKey, selectIdentity } from "../store/identity-rows.ts";
import { QUOTA_GUARD, type QuotaRow, selectQuotas } from "../store/quota-rows.ts";
import { requireUnchanged } from "../store/require-unchanged.ts";
import { requireInForce } from "../store/revocation-rows.ts";
import { GuardError, rowsOf, runBatch } from "../store/run-batch.ts";
import { insertToken } from "../store/token-rows.ts";
import { selectTrust, type TrustKind, type TrustRow } from "../store/trust-rows.ts";
import { allowSealing } from "../transaction/allow-sealing.ts";
import { noEventLeft, requireEventLeft } from "../transaction/event-quota.ts";
import { requireLatest } from "../transaction/last-revocation.ts";
import { newId } from "../transaction/new-id.ts";
import { ownQuotas } from "../transaction/own-quotas.ts";
import { recordFailure } from "../transaction/record-failure.ts";
import { retryWhenChanged } from "../transaction/retry-when-changed.ts";
import { IntegrityProblem, sealFor, type Verified, verifyRow } from "../transaction/verify-row.ts";
import { ExchangeError } from "./exchange-error.ts";
import { toColumns } from "./grant-columns.ts";
import { identityKey } from "./identity-key.ts";
import { judgeIdentity } from "./judge-identity.ts";
import { noteRefusal, type Refusals } from "./note-refusals.ts";
import { planUse, type Workload } from "./plan-use.ts";
import { kindOf } from "./read-trusts.ts";
import { type RefuseNeeds, refuseIdentity } from "./refuse-identity.ts";
import { marksOf } from "./trust-maker.ts";
import { trustParent, trustRevision } from "./trust-parent.ts";
import { verifyIdentity } from "./verify-identity.ts";

/** What an exchange needs. */
export interface ExchangeNeeds extends IssuerAccess, RefuseNeeds {
  readonly keyring: Keyring;
  readonly minting: Minting;
  /** Lets work go on after the reply. */
  readonly defer: (work: Promise<unknown>) => void;
  /** What this isolate has counted of refused tokens. */
  readonly refusals: Refusals;
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

/** Refusals that have an event of their own, with whose they were. */
const RECORDED: ReadonlySet<Refusal> = new Set(["scope-not-given", "identity-used"]);

/**
 * Exchanges a workload's identity token (OpenID Connect Core 1.0, section 2) for a short-lived token of Keyhole's
 * (RFC 8693), as a trust of the organization allows. A refusal is counted for whoever keeps the trust.
 *
 * @param kind Whether it is exchanged under a trust, or somebody has logged in with it.
 * @throws {ExchangeError} `subject-refused` whatever is wrong with the identity token or the trust, `scope-refused`.
 * @throws {IssuerError} when the issuer's keys cannot be had.
 * @throws {Problem} `integrity-failed` when the trust is not what was written, `rate-limited` when the organization has had its
 *   events of this minute, `storage-unavailable`.
 */
export async function exchangeToken(needs: ExchangeNeeds, exchange: Exchange, kind: TrustKind = "trust"): Promise<Exchanged> {
  const { db } = needs;
  const { org, trust: name } = exchange;
  const key = await identityKey({ org, name }, exchange.subjectToken);
  const [found, quotas, used] = await runBatch(db, [selectTrust(db, org, name), selectQuotas(db, org), selectIdentity(db, key)]);
  const [stored] = rowsOf<TrustRow>(found);
  if (!stored) throw new ExchangeError("unknown-trust");
  const trust = await believeTrust(needs, stored);
  // By a login nobody comes in who has not logged in: an identity token of somebody's other login would do otherwise.
  if (kindOf(trust) !== kind) throw new ExchangeError("unknown-trust");
  try {
    const own = await ownQuotas(needs.keyring, rowsOf<QuotaRow>(quotas)[0]);
    return await exchangeUnder({ ...needs, quotas: withQuotas(needs.quotas, own) }, trust, exchange, key, rowsOf<FoundIdentity>(used)[0]);
  } catch (error) {
    if (error instanceof ExchangeError || error instanceof IssuerError) {
      const logged = error instanceof ExchangeError && !RECORDED.has(error.refusal);
      const about = error instanceof ExchangeError ? error.about : null;
      const whose = { org, trust: name, actor: null, tokenId: null, issuer: null };
      noteRefusal(needs.refusals, needs, { ...whose, reason: error.refusal, about, ip: needs.origin.ip, logged });
    }
    throw error;
  }
}

async function exchangeUnder(needs: ExchangeNeeds, trust: TrustRow, exchange: Exchange, key: IdentityKey, used: FoundIdentity | undefined): Promise<Exchanged> {
  const identity = await verifyIdentity(needs, trust, exchange.subjectToken);
  const { outcome } = judgeIdentity(trust, identity.claims);
  if (outcome instanceof ExchangeError) throw outcome;
  const subject = `${kindOf(trust)}:${trust.name}:${identity.sub}`.slice(0, 256);
  const permissions = exchange.scope === undefined ? outcome.permissions : parsePermissions(exchange.scope);
  if (permissions.size === 0 || !permissions.isSubsetOf(outcome.permissions as Set<unknown>)) return refuseIdentity(needs, trust, subject, "scope-not-given");
  // What was read at first, and again when another exchange of the same identity token came first.
  let found = [used];
  return retryWhenChanged(async () => {
    const [latest] = found.length > 0 ? found : rowsOf<FoundIdentity>((await runBatch(needs.db, [selectIdentity(needs.db, key)]))[0]);
    found = [];
    return mint(needs, trust, { identity, key, subject }, { ...outcome, permissions }, latest);
  });
}

/** The trust, if it is what was written. If not that is on record, in the organization whose trust it is. */
async function believeTrust({ db, keyring, now, origin }: ExchangeNeeds, stored: TrustRow): Promise<Verified<TrustRow>> {
  try {
    return await verifyRow(keyring, "trusts", stored);
  } catch (error) {
    const actor = { org: stored.org, subject: trustParent(stored.name), tokenId: null, lineage: null, ...origin };
    if (error instanceof IntegrityProblem) await recordFailure({ db, now }, actor, { broken: [error.row] });
    throw error;
  }
}

async function mint(given: ExchangeNeeds, trust: TrustRow, workload: Workload, grant: Grant, used: FoundIdentity | undefined): Promise<Exchanged> {
  const needs = await allowSealing(given);
  const { db, keyring, minting, now, origin } = needs;
  const { org, name } = trust;
  const { identity, subject } = workload;
  const use = await planUse(needs, trust, workload, used);
  const id = newId("tok");
  const at = now.getTime();
  // An identity token is taken for a while after it has expired, by a clock that is behind.
  const expiresIn = Math.min(trust.expires_in, Math.max(1, Math.floor(identity.exp + trust.expires_in - at / 1000)));
  const token = await mintToken(minting, { ...grant, id, org, subject, ancestors: [trustRevision(trust)], expiresIn, leaseSeconds: trust.lease_seconds });
  const row = {
    id,
    org,
    parent_id: trustRevision(trust),
    label: subject,
    ...toColumns(grant),
    created_at: at,
    created_by: subject,
    expires_at: at + expiresIn * 1000,
    revoked_at: null,
    says_ancestors: 1 as const,
    lease_seconds: trust.lease_seconds,
    maker_issued_at: null,
  };
  await runUnderTrust(db, trust, [
    requireEventLeft(db, org, needs.quotas, now),
    ...use.statements(id),
    insertToken(db, { ...row, seal: await sealFor(keyring, "tokens", row) }),
    insertEvent(
      db,
      { actor: { org, subject, tokenId: id, lineage: trust, ...origin }, action: "token.exchange", outcome: "allowed", at: now, target: name },
      [],
    ),
  ]);
  if (use.lastRevocation !== null) requireLatest(org, use.lastRevocation);
  return { token, expiresIn, permissions: [...grant.permissions].sort() };
}

/** The issuer may have taken seconds to answer: a trust that was deleted, replaced or suspended meanwhile, or before, gives nothing. */
async function runUnderTrust(db: D1Database, trust: TrustRow, statements: D1PreparedStatement[]): Promise<void> {
  try {
    await runBatch(db, [requireUnchanged(db, "trusts", trust.org, trust.name, trust), requireInForce(db, marksOf(trust)), ...statements]);
  } catch (error) {
    if (!(error instanceof GuardError)) throw error;
    if (error.guard.startsWith(QUOTA_GUARD)) throw noEventLeft();
    if (error.guard === "token_in_force") throw new ExchangeError("trust-suspended", { cause: error });
    if (error.guard === "unchanged") throw new ExchangeError("trust-changed", { cause: error });
    throw error;
  }
}
