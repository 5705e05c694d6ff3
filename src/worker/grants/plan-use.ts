import { withQuotas } from "../../contract/quota.ts";
import { networkOf } from "../access/network-of.ts";
import { insertEvent } from "../audit/insert-event.ts";
import type { Keyring } from "../envelope/keyring.ts";
import { type FoundIdentity, type IdentityKey, noteIdentity, requireIdentity } from "../store/identity-rows.ts";
import { type QuotaRow, selectQuotas, selectUsage, type UsageRow } from "../store/quota-rows.ts";
import { rowsOf, runBatch } from "../store/run-batch.ts";
import type { TrustRow } from "../store/trust-rows.ts";
import { ownQuotas } from "../transaction/own-quotas.ts";
import { lastRevocation, planRevocations } from "./plan-revocation.ts";
import { type RefuseNeeds, refuseIdentity } from "./refuse-identity.ts";
import type { Identity } from "./verify-identity.ts";

/** For how long an identity token that is exchanged once is answered anew to the same address, whose reply may have been lost. In milliseconds. */
const ANSWERED_AGAIN = 60_000;
/** An identity token is on record for this long after it expired, in milliseconds: longer than any clock may differ. */
const KEPT = 120_000;
const DAY = 86_400_000;

/** Whose identity token it is. */
export interface Workload {
  readonly identity: Identity;
  readonly key: IdentityKey;
  readonly subject: string;
}

/** What goes with an exchange because of those of the same identity token before it. */
export interface PlannedUse {
  /** Of the id of the new token. */
  readonly statements: (id: string) => D1PreparedStatement[];
  /** The number of the last revocation once they have run; `null` when they revoke nothing. */
  readonly lastRevocation: number | null;
}

type Needs = RefuseNeeds & { readonly keyring: Keyring };

/**
 * Decides whether an identity token is exchanged again, and what that takes with it. Under `once` the same address is
 * answered anew for a minute, because the reply may have been lost, and what was given first ends with that: it alone,
 * because whoever has made another token or a trust with it did have the reply, and then there is no second one. Nor is there
 * where half of the organization's quota of revocations is used up.
 *
 * @throws {ExchangeError} `identity-used`.
 * @throws {Problem} `integrity-failed`, `storage-unavailable`.
 */
export async function planUse(needs: Needs, trust: TrustRow, workload: Workload, used: FoundIdentity | undefined): Promise<PlannedUse> {
  if (trust.reuse === "until-expiry") return planReuse(needs, trust, workload, used);
  const { db, now, origin } = needs;
  const { key, subject } = workload;
  const noted = (id: string) => [requireIdentity(db, key, used), note(needs, trust, workload, id)];
  if (used === undefined) return { statements: noted, lastRevocation: null };
  // A login comes back once: what comes a second time is no lost reply.
  const lost = trust.login === null && used.network === networkOf(origin.ip) && now.getTime() - used.used_at < ANSWERED_AGAIN && used.has_made === 0;
  if (!lost) return refuseIdentity(needs, trust, subject, "identity-used");
  const [last, found, own] = await runBatch(db, [lastRevocation(db, key.org), selectUsage(db, key.org, now.getTime(), 0), selectQuotas(db, key.org)]);
  // What callers have to end must never find that lost replies have taken its place.
  const { revocations } = withQuotas(needs.quotas, await ownQuotas(needs.keyring, rowsOf<QuotaRow>(own)[0]));
  if ((rowsOf<Partial<UsageRow>>(found)[0]?.revocations ?? 0) >= revocations / 2) return refuseIdentity(needs, trust, subject, "identity-used");
  const revoked = await planRevocations(needs, key.org, last, [{ kind: "id", value: used.token_id }]);
  const actor = { org: key.org, subject, tokenId: used.token_id, lineage: trust, ...origin };
  const event = insertEvent(db, { actor, action: "token.revoke", outcome: "allowed", at: now, target: used.token_id }, []);
  return { statements: (id) => [...noted(id), ...revoked.statements, event], lastRevocation: revoked.last };
}

/** As often as is asked; from another address it is on record. */
function planReuse(needs: Needs, trust: TrustRow, workload: Workload, used: FoundIdentity | undefined): PlannedUse {
  const { db, now, origin } = needs;
  if (used === undefined) return { statements: (id) => [note(needs, trust, workload, id)], lastRevocation: null };
  if (used.network === networkOf(origin.ip)) return { statements: () => [], lastRevocation: null };
  const actor = (id: string) => ({ org: trust.org, subject: workload.subject, tokenId: id, lineage: trust, ...origin });
  const event = (id: string) => insertEvent(db, { actor: actor(id), action: "token.reused", outcome: "allowed", at: now, target: trust.name }, []);
  return { statements: (id) => [event(id)], lastRevocation: null };
}

function note({ db, now, origin }: Needs, trust: TrustRow, { identity, key }: Workload, id: string): D1PreparedStatement {
  const at = now.getTime();
  return noteIdentity(db, { ...key, token_id: id, used_at: at, network: networkOf(origin.ip), forget_at: forgetAt(trust, identity.exp, at) });
}

/** When a use is forgotten: where it decides nothing, after a day at the latest, whatever an issuer says. */
function forgetAt({ reuse }: TrustRow, exp: number, now: number): number {
  return Math.min(Math.floor(exp) * 1000 + KEPT, reuse === "once" ? Number.MAX_SAFE_INTEGER : now + DAY);
}
