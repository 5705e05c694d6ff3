import { Problem } from "../../contract/problem.ts";
import type { CurrentRow } from "../store/secret-rows.ts";
import type { Value } from "./change.ts";
import { type ReadNeeds, readValues } from "./read-values.ts";

/** Whether a secret's current value is this one already, compared in constant time. */
export async function holds(needs: ReadNeeds, current: CurrentRow, { bytes, encoding }: Value): Promise<boolean> {
  if (current.encoding !== encoding) return false;
  const held = await readCurrent(needs, current);
  if (!held) return false;
  const [a, b] = await Promise.all([crypto.subtle.digest("SHA-256", held), crypto.subtle.digest("SHA-256", bytes)]);
  return crypto.subtle.timingSafeEqual(a, b);
}

/** The current value, or `undefined` when it cannot be read now: that must not keep anyone from replacing it. */
async function readCurrent(needs: ReadNeeds, current: CurrentRow): Promise<Uint8Array | undefined> {
  try {
    const [held] = await readValues(needs, [{ ...current, binding: current }]);
    return held;
  } catch (error) {
    if (error instanceof Problem) return undefined;
    throw error;
  }
}
