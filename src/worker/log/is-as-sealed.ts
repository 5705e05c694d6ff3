import type { EventVersions } from "../../contract/audit-digest.ts";
import { checkEvents, parseAsSigned } from "../../contract/check-chain.ts";
import type { LogKeys } from "../access/log-keys.ts";
import { verifyPayload } from "../access/sign-payload.ts";
import type { Budget } from "../transaction/work-in-batches.ts";
import type { Stretch } from "./archive-body.ts";

interface Needs {
  readonly logKeys: LogKeys;
  /** The versions of events that are known, if not those of this code. */
  readonly versions?: EventVersions;
  readonly budget?: Budget | undefined;
}

/**
 * Whether a stretch is what was signed, all of it, and of no later Keyhole.
 *
 * @param signedBy Whose signature counts: one with a key that is not known any more is vouched for only by the chain.
 */
export async function isAsSealed(
  { logKeys, versions, budget }: Needs,
  org: string,
  { checkpoint, events }: Stretch,
  signedBy: "a known key" | "any key",
): Promise<boolean> {
  const signed = await verifyPayload(logKeys, "keyhole-checkpoint", checkpoint.jws);
  const parsed = signed?.vouched || signedBy === "any key" ? await parseAsSigned(org, checkpoint, signed) : undefined;
  if (!parsed || parsed.newer) return false;
  const { firstBad, newer } = await checkEvents(checkpoint, events, versions, budget?.work.turn);
  return firstBad === null && newer === null;
}
