import type { Context } from "hono";
import type { ResolveRequest } from "../secrets/resolution-query.ts";
import { type OpenLease, resolveLeased } from "../secrets/resolve-leased.ts";
import { resolveSecrets } from "../secrets/resolve-secrets.ts";
import type { RecordedSelection } from "../secrets/selection.ts";
import type { HonoEnv } from "./hono-env.ts";
import { type KeptForm, leaseAskOf } from "./lease-asks.ts";
import type { RequestNeeds } from "./needs-of.ts";

/** Selects what a request resolves, strictly, or under a lease where it asks for one. */
export async function selectLeased(
  c: Context<HonoEnv>,
  needs: RequestNeeds,
  request: ResolveRequest,
): Promise<{ readonly selection: RecordedSelection; readonly lease: OpenLease<KeptForm> | null }> {
  const ask = leaseAskOf(c.req.raw);
  const caller = c.get("caller");
  if (!ask) return { selection: await resolveSecrets(needs, caller, request), lease: null };
  return resolveLeased({ ...needs, clock: Date.now }, caller, request, ask);
}
