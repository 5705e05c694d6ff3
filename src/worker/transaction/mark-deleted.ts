import type { SecretRow } from "../store/secret-columns.ts";
import type { SealingKeyring } from "./allow-sealing.ts";
import { sealAgain, type Verified } from "./verify-row.ts";

const DAY = 86_400_000;

/** A secret as it is once it is deleted. */
export type DeletedRow = SecretRow & { readonly deleted_at: number; readonly deleted_until: number };

/** Until when what is deleted now can come back, in milliseconds since 1970: it is settled here, whatever the deployment says later. */
export function deletedUntil({ now, recoveryDays }: { readonly now: Date; readonly recoveryDays: number }): number {
  return now.getTime() + recoveryDays * DAY;
}

/** Marks secrets as deleted until a time, sealed again. */
export function markDeleted(
  { keyring, now }: { readonly keyring: SealingKeyring; readonly now: Date },
  rows: readonly Verified<SecretRow>[],
  deleted_until: number,
): Promise<DeletedRow[]> {
  const deleted_at = now.getTime();
  return Promise.all(
    rows.map(async (row) => {
      const deleted = { ...row, revision: row.revision + 1, deleted_at, deleted_until };
      return { ...deleted, seal: await sealAgain(keyring, "secrets", row, deleted) };
    }),
  );
}
