import type { SecretRow } from "../store/secret-columns.ts";
import type { SealingKeyring } from "../transaction/allow-sealing.ts";
import { sealAgain, type Verified } from "../transaction/verify-row.ts";
import type { Write } from "./write-secrets.ts";

/** Plans to bring a deleted secret back as it was. Its name is taken like that of one that is created. */
export async function planUndeletion({ keyring }: { readonly keyring: SealingKeyring }, deleted: Verified<SecretRow>): Promise<Write> {
  const back = { ...deleted, revision: deleted.revision + 1, deleted_at: null, deleted_until: null, deleted_revision: null };
  const row = { ...back, seal: await sealAgain(keyring, "secrets", deleted, back) };
  return { row, outcome: "created", value: undefined, sets: true, decides: true };
}
