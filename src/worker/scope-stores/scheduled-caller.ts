import { type Caller, createCaller } from "../access/caller.ts";
import { SCHEDULED } from "../transaction/insert-own-event.ts";
import { newId } from "../transaction/new-id.ts";

/** The scheduled run, as it writes in an organization what somebody there has begun. Each has a request of its own. */
export function scheduledCaller(org: string): Caller {
  return createCaller({
    org,
    subject: SCHEDULED,
    tokenId: null,
    lineage: null,
    permissions: new Set(["secrets:write"]),
    secretScopes: null,
    secretNames: null,
    services: null,
    expiresAt: null,
    verifiedUntil: null,
    leaseSeconds: 0,
    requestId: newId("req"),
    ip: null,
    userAgent: null,
  });
}
