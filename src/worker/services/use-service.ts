import { Problem } from "../../contract/problem.ts";
import { type ServiceDefinition, secretsOf } from "../../contract/service.ts";
import type { Caller } from "../access/caller.ts";
import type { ReadNeeds } from "../secrets/read-values.ts";
import { type RecordNeeds, recordSelection } from "../secrets/record-selection.ts";
import { releaseSecrets } from "../secrets/release-secrets.ts";
import { oneScopeQuery } from "../secrets/resolution-query.ts";
import type { RecordedSelection } from "../secrets/selection.ts";
import type { Attempt } from "../transaction/record-denial.ts";
import { UnreleasedError } from "../transaction/record-failure.ts";
import { type CallNeeds, callService, type ForwardedRequest } from "./call-service.ts";
import { chooseScope, requireHosts } from "./choose-scope.ts";
import { fillCredentials } from "./fill-credentials.ts";
import { judgeRequest } from "./judge-request.ts";
import { type FoundService, findService, type ServiceNeeds } from "./read-services.ts";
import { requireSignature } from "./sign-request.ts";
import { takeUse } from "./take-use.ts";

/** What a use needs. */
export type UseNeeds = ServiceNeeds & RecordNeeds & ReadNeeds & CallNeeds;

/** A request to a service, as it arrived, without the token that it came with. */
export interface Use extends ForwardedRequest {
  readonly service: string;
  /** What comes after the service's own address. */
  readonly path: string;
  /** Where the token was that only some services take there. */
  readonly tokenIn: "basic" | "query" | "header";
}

/** What a use has whose caller is known by something else than a token in the request. */
export const WITHOUT_TOKEN = { tokenIn: "header", tokenParameters: new Set<string>(), socket: null } as const;

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
 * before anything is read, and it is on record before it leaves.
 *
 * @throws {Problem} what {@link judgeRequest} and {@link chooseScope} refuse; `unauthenticated`, `service-not-found`, `rate-limited`,
 *   `body-too-large`, `signature-unsupported`, `token-refused`, `upstream-unreachable`, `upstream-timeout`, `upstream-encoding`, `redirect-refused`,
 *   `storage-unavailable`.
 * @throws {UnreleasedError} when it is on record and did not leave.
 */
export async function useService(needs: UseNeeds, caller: Caller, use: Use): Promise<Response> {
  caller.require("secrets:use", [], [], use.service);
  const found = await findService(needs, caller, use.service);
  const { definition } = found;
  requireTokenWhere(found, use);
  if (use.socket && !definition.websocket) throw new Problem("upgrade-required", "The service takes no WebSocket.");
  const { origin, path, rule } = judgeRequest(definition, { ...use, target: use.headers.get("X-Amz-Target") });
  requireSignature(definition, new URL(`${origin}${path.raw}?${use.query}`), use.headers);
  takeUse(needs, caller, use.service, definition);
  const { hostname } = new URL(origin);
  const scope = await chooseScope(needs, caller, definition, use.headers.get("Keyhole-Scope"), hostname);
  const target = `${use.service}#${found.row.revision} rule ${rule + 1} ${use.method} ${path.raw.slice(0, RECORDED_PATH)}`;
  const query = oneScopeQuery(needs, caller, scope, secretsOf(definition), true);
  const selection = await recordSelection(needs, caller, query, { action: "secret.use", target });
  requireHostsStill(selection, definition, hostname);
  const credentials = await releaseSecrets(needs, selection, ({ secrets }) => fillCredentials(definition.inject, secrets));
  return callService(needs, caller, { definition, origin, path, credentials, request: use });
}

/** The rows that decide are those of the transaction that put the use on record. */
function requireHostsStill({ secrets, event }: RecordedSelection, definition: ServiceDefinition, host: string): void {
  try {
    requireHosts(secrets, definition, host);
  } catch (error) {
    throw new UnreleasedError(
      { unreleased: { ...event, secrets: secrets.map(({ id, name, label, version }) => ({ id, name, scope: label, version })) }, broken: [] },
      error,
    );
  }
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
