import type { SecretRow } from "../store/secret-columns.ts";
import type { SealingKeyring } from "./allow-sealing.ts";
import { sealAgain, type Verified } from "./verify-row.ts";

const DAY = 86_400_000;

/** A secret as it is once it is deleted. */
export type DeletedRow = SecretRow & { readonly deleted_at: number; readonly deleted_until: number };

/** Marks secrets as deleted, sealed again. Until when they can come back is settled here, whatever the deployment says later. */
export function markDeleted(
  { keyring, now, recoveryDays }: { readonly keyring: SealingKeyring; readonly now: Date; readonly recoveryDays: number },
  rows: readonly Verified<SecretRow>[],
): Promise<DeletedRow[]> {
  const deleted_at = now.getTime();
  const deleted_until = deleted_at + recoveryDays * DAY;
  return Promise.all(
    rows.map(async (row) => {
      const deleted = { ...row, revision: row.revision + 1, deleted_at, deleted_until };
      return { ...deleted, seal: await sealAgain(keyring, "secrets", row, deleted) };
    }),
  );
}
