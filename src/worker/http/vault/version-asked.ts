import * as z from "zod";
import { Problem } from "../../../contract/problem.ts";
import type { Caller } from "../../access/caller.ts";

/** The version that a read asks for. */
export const versionQuerySchema = z.object({
  version: z
    .string()
    .regex(/^\d{1,15}$/, { error: "a version is a whole number" })
    .transform(Number)
    .optional()
    .meta({ description: "The version that is current; 0, or left out, for whichever is. An older one cannot be read.", example: "0" }),
});

/**
 * Refuses a read of another version than the current one.
 *
 * @throws {Problem} `forbidden` for an older one, `version-not-found` for one that never was.
 */
export function requireCurrent(caller: Caller, asked: number | undefined, current: number): void {
  if (asked === undefined || asked === 0 || asked === current) return;
  if (asked > current) throw new Problem("version-not-found", "There is no such version.");
  throw caller.refuse("secrets:resolve", "an older version can be made current again; it cannot be read");
}
