import { Problem } from "../../contract/problem.ts";
import { shownEncoding } from "../../contract/secret.ts";
import type { CurrentRow } from "../store/secret-rows.ts";
import type { SecretValue } from "./change.ts";
import { isSame } from "./is-same.ts";
import { type ReadNeeds, readValue } from "./read-values.ts";

/** Whether a secret's current value is this one already, compared in constant time. Who is shown JSON as text sets the same when it sends that text. */
export async function holds(needs: ReadNeeds, current: CurrentRow, { bytes, encoding, typed = false }: SecretValue): Promise<boolean> {
  if ((current.encoding === "source") !== (encoding === "source")) return false;
  if (encoding !== "source" && (typed ? current.encoding : shownEncoding(current.encoding)) !== encoding) return false;
  const held = await readCurrent(needs, current);
  return held !== undefined && isSame(held, bytes);
}

/** The current value, or `undefined` when it cannot be read now: that must not keep anyone from replacing it. */
async function readCurrent(needs: ReadNeeds, current: CurrentRow): Promise<Uint8Array | undefined> {
  try {
    return await readValue(needs, { ...current, binding: current });
  } catch (error) {
    if (error instanceof Problem) return undefined;
    throw error;
  }
}
