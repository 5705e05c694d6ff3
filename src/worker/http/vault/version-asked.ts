import * as z from "zod";
import type { Permission } from "../../../contract/permission.ts";
import { Problem } from "../../../contract/problem.ts";
import type { Caller } from "../../access/caller.ts";

/** The version that a read asks for. */
export const versionQuerySchema = z.object({
  version: z
    .string()
    .regex(/^(?:-?\d{1,15})?$/, { error: "a version is a whole number" })
    .transform(Number)
    .optional()
    .meta({ description: "The version that is current; 0, nothing, or left out, for whichever is. An older one cannot be read.", example: "0" }),
});

/** Whether a read asks for a version, as far as it asks for one. What is not above 0 is none, as in OpenBao. */
export function isAsked(asked: number | undefined, current: number): boolean {
  return asked === undefined || asked <= 0 || asked === current;
}

/**
 * Refuses a read of another version than the current one.
 *
 * @throws {Problem} `forbidden` for an older one, `version-not-found` for one that never was.
 */
export function requireCurrent(caller: Caller, permission: Permission, asked: number | undefined, current: number): void {
  if (isAsked(asked, current)) return;
  if (asked !== undefined && asked > current) throw new Problem("version-not-found", "There is no such version.");
  throw caller.refuse(permission, "an older version can be made current again; it cannot be read");
}
