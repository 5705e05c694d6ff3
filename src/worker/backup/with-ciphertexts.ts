import type { Carried } from "../../contract/backup.ts";
import { readCiphertexts } from "../store/ciphertexts.ts";

/** The name that an archive's object has beside its row's columns. */
export const OBJECT = "object";
/** Where a row's ciphertext goes, which is in KV: into the column of a version, and beside the columns of an archive. */
const PLACES: Readonly<Record<string, string>> = { versions: "ciphertext", audit_archives: OBJECT };

/** Rows with what is in KV of them. What is not there is left out: the row says that there was a value. */
export async function withCiphertexts<T extends Carried>({ kv }: { readonly kv: KVNamespace }, carried: readonly T[]): Promise<T[]> {
  const keyOf = ({ table, row }: Carried) => {
    const place = PLACES[table];
    return row && place !== undefined && typeof row.kv_key === "string" && typeof row[place] !== "string" ? row.kv_key : undefined;
  };
  const keys = carried.flatMap((one) => keyOf(one) ?? []);
  const found = keys.length === 0 ? new Map<string, string>() : await readCiphertexts(kv, keys);
  return carried.map((one) => {
    const key = keyOf(one);
    const place = PLACES[one.table];
    return key === undefined || place === undefined ? one : { ...one, row: { ...one.row, [place]: found.get(key) ?? null } };
  });
}
