import { type Limits, limitsIn } from "../../contract/limits.ts";
import type { Permission } from "../../contract/permission.ts";
import type { Caller, Grant } from "../access/caller.ts";
import { covers } from "../access/covers.ts";
import { unauthenticated } from "../access/verify-token.ts";
import { type MintNeeds, mintChild } from "./mint-child.ts";

/** What a token is made narrower to. What is left out is as the caller's own. */
export interface Narrowing extends Partial<Limits> {
  readonly permissions?: ReadonlySet<Permission>;
  /** What lists call the new token. */
  readonly label: string;
  /** Seconds; it lives no longer than the caller's own, whatever is asked for. */
  readonly expiresIn?: number;
}

/** A token that was made narrower. */
export interface NarrowedToken extends Grant {
  readonly id: string;
  readonly token: string;
  /** Seconds. */
  readonly expiresIn: number;
}

/** How long a token lives at the most that was made from one that lives for longer, in seconds. */
const LONGEST = 31_536_000;

/**
 * Makes the caller's own token narrower: mints a child of the same subject that may do no more than its parent, lives no
 * longer, and ends with it. It takes no permission to have less. What is not asked for by name is the parent's.
 *
 * Only a token of Keyhole's own is made narrower, whether it has a row or not: what another issuer withdraws, by taking its
 * keys back, would still be held by the child. A service binding has no token.
 *
 * @throws {Problem} `forbidden`, `unauthenticated`, `invalid-request`, `quota-exceeded`, `rate-limited`, `storage-unavailable`.
 */
export async function narrowToken(needs: MintNeeds, caller: Caller, asked: Narrowing): Promise<NarrowedToken> {
  const grant: Grant = { permissions: asked.permissions ?? caller.permissions, ...limitsIn({ ...caller, ...given(asked) }) };
  requireNarrower(needs, caller, grant);
  const rest = restOf(caller, needs.now);
  if (rest < 1) throw unauthenticated("expired");
  const expiresIn = Math.min(asked.expiresIn ?? rest, rest, LONGEST);
  const { row, token } = await mintChild(needs, caller, { ...grant, label: asked.label, subject: caller.subject, expiresIn, leaseSeconds: 0 });
  return { id: row.id, token, expiresIn, ...grant };
}

/** The limits that are given: `undefined` is one that is left out. */
function given({ permissions: _, label: __, expiresIn: ___, ...limits }: Narrowing): Partial<Limits> {
  return Object.fromEntries(Object.entries(limits).filter(([, patterns]) => patterns !== undefined));
}

function requireNarrower({ issuer }: MintNeeds, caller: Caller, grant: Grant): void {
  const [first = "secrets:read"] = grant.permissions;
  const lacked = [...grant.permissions].find((permission) => !caller.permissions.has(permission)) ?? first;
  if (caller.lineage?.issuer !== issuer) throw caller.refuse(lacked, "Only a token that Keyhole signed can be made narrower.");
  if (!covers(caller, grant))
    throw caller.refuse(lacked, "A token that is made narrower gets no more than the one it comes from: GET /v1/whoami shows what that holds.");
}

/** How many seconds a token has left, counted as its child will: from the second that has begun. */
function restOf({ expiresAt }: Caller, now: Date): number {
  return expiresAt === null ? 0 : Math.floor(expiresAt / 1000) - Math.floor(now.getTime() / 1000);
}
