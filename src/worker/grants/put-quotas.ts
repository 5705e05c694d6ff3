import type { Permission } from "../../contract/permission.ts";
import { type QuotasBody, type SomeQuotas, withQuotas } from "../../contract/quota.ts";
import type { Caller } from "../access/caller.ts";
import { type QuotaRow, selectQuotas, upsertQuotas } from "../store/quota-rows.ts";
import { rowsOf } from "../store/run-batch.ts";
import { allowSealing } from "../transaction/allow-sealing.ts";
import { insertOwnEvent } from "../transaction/insert-own-event.ts";
import { ownQuotas } from "../transaction/own-quotas.ts";
import { readForCaller } from "../transaction/run-for-caller.ts";
import { sealFor } from "../transaction/verify-row.ts";
import { writeForCaller } from "../transaction/write-for-caller.ts";
import type { QuotaNeeds } from "../transaction/write-within-quota.ts";

type Needs = QuotaNeeds & { readonly platformOrg: string | null };

/**
 * What an organization may have and do. Only the operator's own organization sees that of others here.
 *
 * @throws {Problem} `forbidden`, `integrity-failed`, `storage-unavailable`.
 */
export async function readQuotas(needs: Needs, caller: Caller, org: string): Promise<QuotasBody> {
  requireOperator(needs, caller, "keys:read");
  const [found] = await readForCaller(needs, caller, [selectQuotas(needs.db, org)]);
  const own = await ownQuotas(needs.keyring, rowsOf<QuotaRow>(found)[0]);
  return { org, own, quotas: withQuotas(needs.quotas, own) };
}

/**
 * Sets what an organization may have and do where that is not what every organization may. What it has by then stays. It is
 * on record in the operator's log and in its own.
 *
 * @param own All that differs: what is left out is what every organization has.
 * @throws {Problem} `forbidden`, `storage-unavailable`.
 */
export async function putQuotas(needs: Needs, caller: Caller, org: string, own: SomeQuotas): Promise<QuotasBody> {
  requireOperator(needs, caller, "keys:write");
  const { db, keyring, now } = await allowSealing(needs);
  const row = { org, limits: JSON.stringify(own), updated_at: now.getTime(), updated_by: caller.subject };
  const target = describe(org, own);
  const noted = org === caller.org ? [] : [insertOwnEvent(db, org, "quota.put", target, now)];
  const statements = [upsertQuotas(db, { ...row, seal: await sealFor(keyring, "quotas", row) }), ...noted];
  await writeForCaller(needs, caller, statements, { action: "quota.put", secrets: [], target });
  return { org, own, quotas: withQuotas(needs.quotas, own) };
}

/** What was set, as the log has it: `acme secrets=50000 tokens=10`, or that nothing is the organization's own. */
function describe(org: string, own: SomeQuotas): string {
  const set = Object.entries(own).flatMap(([quota, limit]) => (limit === undefined ? [] : [`${quota}=${limit}`]));
  return [org, ...(set.length === 0 ? ["as usual"] : set)].join(" ");
}

function requireOperator({ platformOrg }: Needs, caller: Caller, permission: Permission): void {
  caller.require(permission);
  if (caller.org !== platformOrg) throw caller.refuse(permission, "Only the operator's own organization (PLATFORM_ORG) sees to quotas.");
}
