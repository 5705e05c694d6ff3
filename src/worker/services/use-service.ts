import { PROBLEMS, Problem } from "../../contract/problem.ts";
import type { Caller } from "../access/caller.ts";
import { type CallsOfLease, countRequest, countStatus } from "../leases/calls-of-lease.ts";
import type { Attempt } from "../transaction/record-denial.ts";
import { type CallNeeds, callService, type ForwardedRequest } from "./call-service.ts";
import { type AllowedUse, judgeRequest } from "./judge-request.ts";
import { type CredentialsOfUse, type JudgedUse, type LeasedUseNeeds, leasedCredentials, recordedCredentials } from "./leased-use.ts";
import type { FoundService } from "./read-services.ts";
import { decideInForce, serviceAtHand } from "./service-at-hand.ts";
import { requireSignature } from "./sign-request.ts";
import { takeUse } from "./take-use.ts";

/** What a use needs. */
export type UseNeeds = LeasedUseNeeds & CallNeeds;

/** A request to a service, as it arrived, without the token that it came with. */
export interface Use extends ForwardedRequest {
  readonly service: string;
  /** What comes after the service's own address. */
  readonly path: string;
  /** The zone of the Worker that it comes from (`CF-Worker`), or `null`: all of them have one address. */
  readonly zone: string | null;
  /** Where the token was that only some services take there. */
  readonly tokenIn: "basic" | "query" | "header";
}

/** What a use has whose caller is known by something else than a token in the request. */
export const WITHOUT_TOKEN = { zone: null, tokenIn: "header", tokenParameters: new Set<string>(), socket: null } as const;

/** Asks for a token as the password of Basic credentials (RFC 7617). */
export const BASIC_CHALLENGE = 'Basic realm="keyhole", charset="UTF-8"';

/** How much of a path is on record. */
const RECORDED_PATH = 300;

/** What is on record of a use that is refused before it is known which rule allows it. */
export function attemptedUse({ service, method, path }: Pick<Use, "service" | "method" | "path">): Attempt {
  return { action: "secret.use", secretId: null, target: `${service} ${method} ${path.slice(0, RECORDED_PATH)}` };
}

/**
 * Makes a request of a service with the credentials that it has, and gives the reply without them. Whether it is allowed is decided
 * before any secret is looked for, and it is on record before it leaves: by itself, or under the lease that an earlier one like it has
 * opened, where the service says so.
 *
 * @throws {Problem} what {@link judgeRequest} and {@link recordedCredentials} refuse; `unauthenticated`, `service-not-found`, `rate-limited`,
 *   `body-too-large`, `signature-unsupported`, `token-refused`, `upstream-unreachable`, `upstream-timeout`, `upstream-encoding`, `redirect-refused`,
 *   `storage-unavailable`.
 * @throws {UnreleasedError} when it is on record and did not leave.
 */
export async function useService(needs: UseNeeds, caller: Caller, use: Use): Promise<Response> {
  caller.require("secrets:use", [], [], use.service);
  const service = await serviceAtHand(needs, caller, use.service);
  const { definition } = service;
  const { origin, path, rule } = await decideInForce(needs, caller, () => judge(service, use));
  const giveBack = await decideInForce(needs, caller, () => takeUse(needs, caller, use.service, definition));
  const target = `${use.service}#${service.row.revision} rule ${rule + 1} ${use.method} ${path.raw.slice(0, RECORDED_PATH)}`;
  const allowed = { service, rule, origin, said: use.headers.get("Keyhole-Scope"), zone: use.zone, target };
  const { credentials, calls } = await credentialsFor(needs, caller, allowed).catch((error: unknown) => {
    giveBack();
    throw error;
  });
  const call = { definition, origin, path, credentials, request: use, calls };
  return calls ? counted(calls, use.method, path.raw, () => callService(needs, caller, call)) : callService(needs, caller, call);
}

function credentialsFor(needs: UseNeeds, caller: Caller, use: JudgedUse): Promise<CredentialsOfUse> {
  const isLeased = use.service.definition.audit === "lease" && needs.leaseSeconds > 0;
  return isLeased ? leasedCredentials(needs, caller, use) : recordedCredentials(needs, caller, use, null);
}

/** Counts a call under its lease: what was asked, and what its caller is told. */
async function counted(calls: CallsOfLease, method: string, path: string, call: () => Promise<Response>): Promise<Response> {
  countRequest(calls, method, path);
  try {
    const reply = await call();
    countStatus(calls, reply.status);
    return reply;
  } catch (error) {
    countStatus(calls, PROBLEMS[error instanceof Problem ? error.code : "internal"].status);
    throw error;
  }
}

/** Which rule allows a use, before anything is read for it. */
function judge(service: FoundService, use: Use): AllowedUse {
  const { definition } = service;
  requireTokenWhere(service, use);
  if (use.socket && !definition.websocket) throw new Problem("upgrade-required", "The service takes no WebSocket.");
  const allowed = judgeRequest(definition, { ...use, target: use.headers.get("X-Amz-Target") });
  requireSignature(definition, new URL(`${allowed.origin}${allowed.path.raw}?${use.query}`), use.headers);
  return allowed;
}

function requireTokenWhere({ definition: { basic, inject } }: FoundService, { tokenIn }: Use): void {
  const taken = tokenIn === "header" || (tokenIn === "basic" ? basic : inject.some((injection) => injection.in === "query"));
  if (!taken)
    throw new Problem(
      "unauthenticated",
      `This service takes no token ${tokenIn === "basic" ? "as Basic credentials" : "in the query"}: send it as Authorization: Bearer.`,
      { headers: { "WWW-Authenticate": basic ? BASIC_CHALLENGE : 'Bearer error="invalid_token"' } },
    );
}
