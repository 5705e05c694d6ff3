import type { Unavailable } from "./unavailable-reasons.ts";

/** Every problem code with its status and title: the one table behind replies, the OpenAPI document and the client. */
export const PROBLEMS = {
  "invalid-request": { status: 400, title: "The request is not valid" },
  unauthenticated: { status: 401, title: "A valid token is needed" },
  forbidden: { status: 403, title: "The token does not allow this" },
  "use-not-allowed": { status: 403, title: "The service does not allow this request, or its secret is not for it" },
  "secret-not-found": { status: 404, title: "No such secret" },
  "token-not-found": { status: 404, title: "No such token" },
  "trust-not-found": { status: 404, title: "No such trust" },
  "login-not-found": { status: 404, title: "No such login" },
  "device-not-found": { status: 404, title: "No such device" },
  "service-not-found": { status: 404, title: "No such service" },
  "webhook-not-found": { status: 404, title: "No such webhook" },
  "store-not-found": { status: 404, title: "No such store" },
  "scope-not-found": { status: 404, title: "No such scope" },
  "version-not-found": { status: 404, title: "No such version" },
  "route-not-found": { status: 404, title: "No such route" },
  "method-not-allowed": { status: 405, title: "The route does not take this method" },
  "secret-exists": { status: 409, title: "The secret exists already" },
  "write-conflict": { status: 409, title: "Others kept writing the same thing" },
  "scope-in-store": { status: 409, title: "The scope is in a store, and this is not done there" },
  "store-in-use": { status: 409, title: "A scope is in the store already" },
  "env-name-conflict": { status: 409, title: "Two secrets share one environment name" },
  "secret-expired": { status: 410, title: "The secret has expired" },
  "version-conflict": { status: 412, title: "The secret is not in the expected state" },
  "body-too-large": { status: 413, title: "The body is too large" },
  "value-too-large": { status: 413, title: "The value is too large" },
  "answer-too-large": { status: 413, title: "The values are too large for one answer" },
  "too-many-secrets": { status: 413, title: "Too many secrets at once" },
  "unsupported-media-type": { status: 415, title: "The content type is not supported" },
  "quota-exceeded": { status: 422, title: "The organization has as much as it may" },
  "name-locked": { status: 422, title: "A wider scope has locked the name" },
  "name-reserved": { status: 422, title: "The name is reserved" },
  "scope-cycle": { status: 422, title: "The scopes would form a cycle or a chain that is too deep" },
  "store-refused": { status: 422, title: "The store does not do this" },
  "value-too-short": { status: 422, title: "The value is too short to be kept out of replies" },
  "value-not-injectable": { status: 422, title: "The value does not fit into a request" },
  "source-cycle": { status: 422, title: "A store's credential has its value from a store" },
  "host-not-allowed": { status: 422, title: "A secret is not for the host that it would go to" },
  "upgrade-required": { status: 426, title: "The service takes no WebSocket" },
  "rate-limited": { status: 429, title: "Too many requests" },
  internal: { status: 500, title: "Something went wrong here" },
  "integrity-failed": { status: 500, title: "What is stored is not what was written" },
  "upstream-unreachable": { status: 502, title: "The service could not be reached" },
  "upstream-encoding": { status: 502, title: "The service replied in an encoding that cannot be looked through" },
  "redirect-refused": { status: 502, title: "The service redirects to where nothing may go" },
  "token-refused": { status: 502, title: "The service's token endpoint gave no access token" },
  "signature-unsupported": { status: 501, title: "A request that is signed like this cannot be signed anew" },
  "loop-detected": { status: 508, title: "The request has been through Keyhole already" },
  "upstream-timeout": { status: 504, title: "The service did not answer in time" },
  "storage-unavailable": { status: 503, title: "Storage or a key is not available" },
  "store-unavailable": { status: 503, title: "The store that has the value does not give it" },
} as const satisfies Record<string, { status: number; title: string }>;

export type ProblemCode = keyof typeof PROBLEMS;

/** One thing that is wrong with a request: where (a JSON Pointer, RFC 6901, or `query:<name>`-style place) and what. */
export interface ProblemError {
  pointer: string;
  detail: string;
}

/** The extension members of a problem reply, RFC 9457 section 3.2. */
export interface ProblemMembers {
  errors?: ProblemError[];
  missing?: string[];
  locked?: string[];
  expired?: string[];
  unavailable?: Unavailable[];
  searched?: string[];
}

/** A problem reply, RFC 9457, section 3. */
export interface ProblemBody extends ProblemMembers {
  type: string;
  title: string;
  status: number;
  code: ProblemCode;
  detail: string;
  request_id: string;
}
