import { type Permission, parsePermissions } from "../../contract/permission.ts";
import { type Quotas, withQuotas } from "../../contract/quota.ts";
import type { Grant } from "../access/caller.ts";
import { type IssuerAccess, IssuerError } from "../access/fetch-issuer-document.ts";
import { type Minting, mintToken } from "../access/mint-token.ts";
import { networkOf } from "../access/network-of.ts";
import type { Refusal } from "../access/refusal.ts";
import { givenSecrets, insertEvent } from "../audit/insert-event.ts";
import type { Keyring } from "../envelope/keyring.ts";
import { type IdentityKey, noteIdentity, requireIdentity, selectIdentity, type UsedIdentity } from "../store/identity-rows.ts";
import { QUOTA_GUARD, type QuotaRow, selectQuotas } from "../store/quota-rows.ts";
import { requireInForce } from "../store/revocation-rows.ts";
import { GuardError, rowsOf, runBatch } from "../store/run-batch.ts";
import { insertToken } from "../store/token-rows.ts";
import { requireTrust, selectTrust, type TrustRow } from "../store/trust-rows.ts";
import { allowSealing } from "../transaction/allow-sealing.ts";
import { noEventLeft, requireEventLeft, unlessRefusalsUsedUp } from "../transaction/event-quota.ts";
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
import { planEnd, selectEnding } from "./plan-revocation.ts";
import { tallyRefusal } from "./tally-refusal.ts";
import { marksOf } from "./trust-maker.ts";
import { trustParent, trustRevision } from "./trust-parent.ts";
import { type Identity, verifyIdentity } from "./verify-identity.ts";

/** What an exchange needs. */
export interface ExchangeNeeds extends IssuerAccess {
  readonly db: D1Database;
  readonly keyring: Keyring;
  readonly minting: Minting;
  /** What an organization may have that has no quotas of its own. */
  readonly quotas: Quotas;
  /** Lets work go on after the reply. */
  readonly defer: (work: Promise<unknown>) => void;
  /** What this isolate has counted of refused tokens. */
  readonly refusals: Refusals;
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

/** Refusals that have an event of their own, with whose they were. */
const RECORDED: ReadonlySet<Refusal> = new Set(["scope-not-given", "identity-used"]);
/** For how long an identity token that is exchanged once is answered anew to the same address, whose reply may have been lost. In milliseconds. */
const ANSWERED_AGAIN = 60_000;
/** An identity token is on record for this long after it expired, in milliseconds: longer than any clock may differ. */
const KEPT = 120_000;
const DAY = 86_400_000;

/** What is read at first, and again when another exchange of the same identity token came first. */
interface Uses {
  readonly used: UsedIdentity | undefined;
}

/**
 * Exchanges a workload's identity token (OpenID Connect Core 1.0, section 2) for a short-lived token of Keyhole's
 * (RFC 8693), as a trust of the organization allows. A refusal is counted for whoever keeps the trust.
 *
 * @throws {ExchangeError} `subject-refused` whatever is wrong with the identity token or the trust, `scope-refused`.
 * @throws {IssuerError} when the issuer's keys cannot be had.
 * @throws {Problem} `integrity-failed` when the trust is not what was written, `rate-limited` when the organization has had its
 *   events of this minute, `storage-unavailable`.
 */
export async function exchangeToken(needs: ExchangeNeeds, exchange: Exchange): Promise<Exchanged> {
  const { db } = needs;
  const { org, trust: name } = exchange;
  const key = await identityKey({ org, name }, exchange.subjectToken);
  const [found, quotas, used] = await runBatch(db, [selectTrust(db, org, name), selectQuotas(db, org), selectIdentity(db, key)]);
  const [stored] = rowsOf<TrustRow>(found);
  if (!stored) throw new ExchangeError("unknown-trust");
  const trust = await believeTrust(needs, stored);
  try {
    const own = await ownQuotas(needs.keyring, rowsOf<QuotaRow>(quotas)[0]);
    return await exchangeUnder({ ...needs, quotas: withQuotas(needs.quotas, own) }, trust, exchange, key, usesOf(used));
  } catch (error) {
    if (error instanceof ExchangeError) {
      tallyRefusal(needs, trust, error.refusal, error.about);
      if (!RECORDED.has(error.refusal))
        noteRefusal(needs.refusals, needs, { org, trust: name, actor: null, tokenId: null, issuer: null, reason: error.refusal, ip: needs.origin.ip });
    }
    if (error instanceof IssuerError) tallyRefusal(needs, trust, error.refusal, null);
    throw error;
  }
}

function usesOf(found: D1Result | undefined): Uses {
  return { used: rowsOf<UsedIdentity>(found)[0] };
}

async function exchangeUnder(needs: ExchangeNeeds, trust: TrustRow, exchange: Exchange, key: IdentityKey, uses: Uses): Promise<Exchanged> {
  const identity = await verifyIdentity(needs, trust, exchange.subjectToken);
  const { outcome } = judgeIdentity(trust, identity.claims);
  if (outcome instanceof ExchangeError) throw outcome;
  const subject = `trust:${trust.name}:${identity.sub}`.slice(0, 256);
  const permissions = exchange.scope === undefined ? outcome.permissions : parsePermissions(exchange.scope);
  if (permissions.size === 0 || !permissions.isSubsetOf(outcome.permissions as Set<unknown>)) return refuse(needs, trust, subject, "scope-not-given");
  let known: Uses | undefined = uses;
  return retryWhenChanged(async () => {
    const latest = known ?? usesOf((await runBatch(needs.db, [selectIdentity(needs.db, key)]))[0]);
    known = undefined;
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

/** The workload is who it says, and gets nothing all the same: that is a denied attempt for the record. */
async function refuse(
  { db, now, origin, quotas }: ExchangeNeeds,
  { org, name, issuer }: TrustRow,
  subject: string,
  refusal: "scope-not-given" | "identity-used",
): Promise<never> {
  const actor = { org, subject, tokenId: null, lineage: { issuer }, ...origin };
  const unless = unlessRefusalsUsedUp(org, quotas, now);
  await runBatch(db, [insertEvent(db, { actor, action: "token.exchange", outcome: "denied", at: now, target: name }, givenSecrets([], unless))]);
  throw new ExchangeError(refusal);
}

/** Whose identity token it is. */
interface Workload {
  readonly identity: Identity;
  readonly key: IdentityKey;
  readonly subject: string;
}

async function mint(given: ExchangeNeeds, trust: TrustRow, workload: Workload, grant: Grant, uses: Uses): Promise<Exchanged> {
  const needs = await allowSealing(given);
  const { db, keyring, minting, now, origin } = needs;
  const { org, name } = trust;
  const { identity, subject } = workload;
  const use = await planUse(needs, trust, workload, uses);
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

/** What goes with an exchange because of those of the same identity token before it. */
interface PlannedUse {
  /** Of the id of the new token. */
  readonly statements: (id: string) => D1PreparedStatement[];
  /** The number of the last revocation once they have run; `null` when they revoke nothing. */
  readonly lastRevocation: number | null;
}

/** Decides whether an identity token is exchanged again, and what that takes with it. */
async function planUse(needs: ExchangeNeeds, trust: TrustRow, { identity, key, subject }: Workload, { used }: Uses): Promise<PlannedUse> {
  const { db, now, origin } = needs;
  const network = networkOf(origin.ip);
  const at = now.getTime();
  const noted = (id: string) => noteIdentity(db, { ...key, token_id: id, used_at: at, network, forget_at: forgetAt(trust, identity.exp, at) });
  const sameNetwork = used === undefined || used.network === network;
  if (trust.reuse === "until-expiry") {
    const event = (id: string) =>
      insertEvent(
        db,
        { actor: { org: key.org, subject, tokenId: id, lineage: trust, ...origin }, action: "token.reused", outcome: "allowed", at: now, target: trust.name },
        [],
      );
    return { statements: (id) => [...(used ? [] : [noted(id)]), ...(sameNetwork ? [] : [event(id)])], lastRevocation: null };
  }
  if (used === undefined) return { statements: (id) => [requireIdentity(db, key, used), noted(id)], lastRevocation: null };
  if (!sameNetwork || at - used.used_at >= ANSWERED_AGAIN) return refuse(needs, trust, subject, "identity-used");
  const revoked = await planEnd(needs, key.org, await runBatch(db, selectEnding(db, key.org)), [{ kind: "id", value: used.token_id }]);
  const event = {
    actor: { org: key.org, subject, tokenId: used.token_id, lineage: trust, ...origin },
    action: "token.revoke",
    outcome: "allowed",
    at: now,
    target: used.token_id,
  } as const;
  const statements = (id: string) => [requireIdentity(db, key, used), noted(id), ...revoked.statements, insertEvent(db, event, [])];
  return { statements, lastRevocation: revoked.last };
}

/** When a use is forgotten: where it decides nothing, after a day at the latest, whatever an issuer says. */
function forgetAt({ reuse }: TrustRow, exp: number, now: number): number {
  return Math.min(Math.floor(exp) * 1000 + KEPT, reuse === "once" ? Number.MAX_SAFE_INTEGER : now + DAY);
}

/** The issuer may have taken seconds to answer: a trust that was deleted, replaced or suspended meanwhile, or before, gives nothing. */
async function runUnderTrust(db: D1Database, trust: TrustRow, statements: D1PreparedStatement[]): Promise<void> {
  try {
    await runBatch(db, [requireTrust(db, trust.org, trust.name, trust), requireInForce(db, marksOf(trust)), ...statements]);
  } catch (error) {
    if (!(error instanceof GuardError)) throw error;
    if (error.guard.startsWith(QUOTA_GUARD)) throw noEventLeft();
    if (error.guard === "token_in_force") throw new ExchangeError("trust-suspended", { cause: error });
    if (error.guard === "unchanged") throw new ExchangeError("trust-changed", { cause: error });
    throw error;
  }
}
