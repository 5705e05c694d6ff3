import { type SomeQuotas, someQuotasSchema } from "../../contract/quota.ts";
import type { Keyring } from "../envelope/keyring.ts";
import type { QuotaRow } from "../store/quota-rows.ts";
import { verifyRow } from "./verify-row.ts";

/**
 * The quotas that an organization has of its own, by its row, `undefined` for none.
 *
 * @throws {Problem} `integrity-failed` when the row is not what was written, `storage-unavailable`.
 */
export async function ownQuotas(keyring: Keyring, row: QuotaRow | undefined): Promise<SomeQuotas> {
  if (!row) return {};
  const { limits } = await verifyRow(keyring, "quotas", row);
  return someQuotasSchema.parse(JSON.parse(limits));
}
