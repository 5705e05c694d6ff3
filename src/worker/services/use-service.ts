import { PROBLEMS, Problem } from "../../contract/problem.ts";
import type { Caller } from "../access/caller.ts";
import { type CallsOfLease, countRequest, countStatus } from "../leases/calls-of-lease.ts";
import type { FreshnessNeeds } from "../leases/freshness.ts";
import type { Attempt } from "../transaction/record-denial.ts";
import { type CallNeeds, callService, type ForwardedRequest } from "./call-service.ts";
import { type AllowedUse, judgeRequest } from "./judge-request.ts";
import { type CredentialsOfUse, credentialsAtHand, type JudgedUse, type LeasedUseNeeds, leasedCredentials, recordedCredentials } from "./leased-use.ts";
import type { FoundService } from "./read-services.ts";
import { decideInForce, type ServiceAtHand, serviceAtHand, serviceInMemory } from "./service-at-hand.ts";
import { requireSignature } from "./sign-request.ts";
import { takeUse } from "./take-use.ts";

/** What a use needs. */
export type UseNeeds = LeasedUseNeeds & CallNeeds;

/** What a use needs that nobody has to be asked about. */
export type AtHandUseNeeds = CallNeeds &
  FreshnessNeeds &
  Pick<UseNeeds, "leases" | "leaseSeconds" | "platformOrg"> & {
    /** What the leases of the caller's token are found by, as far as that is known. */
    readonly keys: Map<string, string>;
  };

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
  const { credentials, calls } = await credentialsFor(needs, caller, judgedUse(service, use, { origin, path, rule })).catch((error: unknown) => {
    giveBack();
    throw error;
  });
  const call = { definition, origin, path, credentials, request: use, calls };
  return calls ? counted(calls, use.method, path.raw, () => callService(needs, caller, call)) : callService(needs, caller, call);
}

/**
 * {@link useService}, as far as it is allowed, under a lease that is at hand, and nobody has to be asked about that.
 *
 * @param mayBegin Asked last, before anything is counted.
 * @returns `undefined` where `useService` decides: nothing has been done then, and nothing of the request was read.
 * @throws {Problem} what a call of the service may come to; `rate-limited`.
 */
export async function useAtHand(needs: AtHandUseNeeds, caller: Caller, use: Use, mayBegin: () => boolean): Promise<Response | undefined> {
  const found = allowedAtHand(needs, caller, use);
  if (!found) return undefined;
  const { service, allowed } = found;
  const { definition } = service;
  let giveBack: () => void = () => undefined;
  const begin = () => {
    const taken = mayBegin() ? unlessRefused(() => takeUse(needs, caller, use.service, definition)) : undefined;
    if (taken) giveBack = taken;
    return taken !== undefined;
  };
  const given = await credentialsAtHand(needs, caller, judgedUse(service, use, allowed), begin).catch((error: unknown) => {
    giveBack();
    throw error;
  });
  if (!given?.calls) {
    giveBack();
    return undefined;
  }
  const { credentials, calls } = given;
  const { origin, path } = allowed;
  return counted(calls, use.method, path.raw, () => callService(needs, caller, { definition, origin, path, credentials, request: use, calls }));
}

function allowedAtHand(needs: AtHandUseNeeds, caller: Caller, use: Use): { readonly service: ServiceAtHand; readonly allowed: AllowedUse } | undefined {
  const service = serviceInMemory(needs, caller, use.service);
  if (!service || !isLeased(needs, service)) return undefined;
  const allowed = unlessRefused(() => {
    caller.require("secrets:use", [], [], use.service);
    return judge(service, use);
  });
  return allowed && { service, allowed };
}

/** What is refused is for `useService` to refuse, which finds out first whether the token is in force. */
function unlessRefused<T>(decide: () => T): T | undefined {
  try {
    return decide();
  } catch (error) {
    if (error instanceof Problem) return undefined;
    throw error;
  }
}

function isLeased({ leaseSeconds }: Pick<UseNeeds, "leaseSeconds">, { definition }: FoundService): boolean {
  return definition.audit === "lease" && leaseSeconds > 0;
}

function judgedUse(service: ServiceAtHand, use: Use, { origin, path, rule }: AllowedUse): JudgedUse {
  const target = `${use.service}#${service.row.revision} rule ${rule + 1} ${use.method} ${path.raw.slice(0, RECORDED_PATH)}`;
  return { service, rule, origin, said: use.headers.get("Keyhole-Scope"), zone: use.zone, target };
}

function credentialsFor(needs: UseNeeds, caller: Caller, use: JudgedUse): Promise<CredentialsOfUse> {
  return isLeased(needs, use.service) ? leasedCredentials(needs, caller, use) : recordedCredentials(needs, caller, use, null);
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
