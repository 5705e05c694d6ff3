import { UNLIMITED } from "../../contract/limits.ts";
import { PERMISSIONS } from "../../contract/permission.ts";
import type { Caller, Grant } from "../access/caller.ts";
import { covers } from "../access/covers.ts";

/** What a token may hold of which nothing is known. */
const EVERYTHING: Grant = { permissions: new Set(PERMISSIONS), ...UNLIMITED };

/**
 * Refuses a caller who would take away more than it holds itself: so nobody with a lesser token ends a greater one, its own
 * maker's above all. What descends from a token never holds more than it.
 *
 * @param grant What the token holds that is to be revoked; left out where that is not known, or it is about several.
 * @throws {Problem} `forbidden`.
 */
export function requireMayRevoke(caller: Caller, grant: Grant = EVERYTHING): void {
  if (covers(caller, grant)) return;
  const known = grant !== EVERYTHING;
  throw caller.refuse(
    "tokens:write",
    known
      ? "The token's grant does not cover that token's: only who holds as much may revoke it."
      : "Whether the token's grant covers what this ends is not known: it takes every permission, without limits.",
  );
}
