import { UNLIMITED } from "../../contract/limits.ts";
import { createCaller } from "../access/caller.ts";
import { verifyLog } from "../log/verify-log.ts";
import { newId } from "../transaction/new-id.ts";
import type { BackupNeeds } from "./take-backup.ts";

/**
 * Verifies a log that was restored, by its chain. That it is behind what is on record elsewhere is no fault of what is there.
 *
 * @param after The checkpoint to begin after.
 * @returns Whether it is what was signed, and the checkpoint to go on after; `null` at the end.
 */
export async function verifyRestored(needs: BackupNeeds, org: string, after: number): Promise<{ readonly verified: boolean; readonly next: number | null }> {
  const { reason, next } = await verifyLog(needs, reader(org), after);
  return { verified: reason !== "changed", next };
}

/** Nobody's token: what reads on behalf of the deployment itself. */
function reader(org: string) {
  return createCaller({
    ...{ org, subject: "keyhole:restore", tokenId: null, lineage: null, expiresAt: null, verifiedUntil: null, leaseSeconds: 0 },
    ...{ permissions: new Set(["audit:read"] as const), ...UNLIMITED, requestId: newId("req"), ip: null, userAgent: null },
  });
}
