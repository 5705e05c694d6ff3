import * as z from "zod";
import { type Unavailable, unavailableSchema } from "./unavailable.ts";

/** Every problem code with its status and title: the one table behind replies, the OpenAPI document and the client. */
export const PROBLEMS = {
  "invalid-request": { status: 400, title: "The request is not valid" },
  unauthenticated: { status: 401, title: "A valid token is needed" },
  forbidden: { status: 403, title: "The token does not allow this" },
  "use-not-allowed": { status: 403, title: "The service does not allow this request, or its secret is not for it" },
  "secret-not-found": { status: 404, title: "No such secret" },
  "token-not-found": { status: 404, title: "No such token" },
  "trust-not-found": { status: 404, title: "No such trust" },
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
const PROBLEM_CODES = Object.keys(PROBLEMS) as [ProblemCode, ...ProblemCode[]];

export const problemCodeSchema = z.enum(PROBLEM_CODES);

/** One thing that is wrong with a request: where (a JSON Pointer, RFC 6901, or `query:<name>`-style place) and what. */
const problemErrorSchema = z
  .object({
    pointer: z.string().meta({ description: "A JSON Pointer (RFC 6901) into the body, or `query:<name>`, `path:<name>`, `header:<name>`, `line:<number>`." }),
    detail: z.string(),
  })
  .meta({ id: "ProblemError", example: { pointer: "/value", detail: "a value has 1 to 65,536 bytes" } });
export type ProblemError = z.infer<typeof problemErrorSchema>;

/** An error reply: RFC 9457 `application/problem+json` with a stable `code`. */
export const problemSchema = z
  .looseObject({
    type: z.string().meta({ description: "`urn:keyhole:problem:<code>`." }),
    title: z.string(),
    status: z.int().min(400).max(599),
    code: problemCodeSchema.meta({ description: "Stable: what programs compare." }),
    detail: z.string().meta({ description: "For people. It never holds a value." }),
    request_id: z.string().meta({ description: "Also in the reply's `X-Request-Id`, in the audit log and in the Worker's log." }),
    errors: z
      .array(problemErrorSchema)
      .optional()
      .meta({ description: "What is wrong with the request: the first 20 places, and as the last how many more there are." }),
    missing: z.array(z.string()).optional().meta({ description: "The names that a resolve did not find." }),
    locked: z
      .array(z.string())
      .optional()
      .meta({ description: "The names that are locked in a scope that is not searched, or is wider than the one to be written." }),
    expired: z.array(z.string()).optional().meta({ description: "The names whose secret has expired." }),
    unavailable: z.array(unavailableSchema).optional().meta({ description: "The names whose value cannot be had now, and why." }),
    searched: z.array(z.string()).optional().meta({ description: "The scopes that a resolve searched, in order." }),
  })
  .meta({
    id: "Problem",
    description: "RFC 9457 problem details. `code` is stable; `detail` is for people.",
    example: {
      type: "urn:keyhole:problem:secret-not-found",
      title: "No such secret",
      status: 404,
      code: "secret-not-found",
      detail: "There is no secret OPENAI_API_KEY in namespace:prod.",
      request_id: "req_0b6ae8a2c5f64f0c9a2f7d0d5b1c3e4f",
    },
  });

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

/** A secret that a refused call asked for, for the audit log. */
export interface ProblemSubject {
  readonly scope: string | null;
  readonly name: string | null;
}

/**
 * What else a problem carries: reply members, reply headers, what it is about, and the error behind it; the last two are never
 * shown. A problem that says what it is about is on record as a denial.
 */
export interface ProblemOptions {
  members?: ProblemMembers;
  headers?: Record<string, string>;
  about?: readonly ProblemSubject[];
  cause?: unknown;
}

/**
 * The one error that the Worker's own code throws for what a client should hear about.
 * Its detail goes to the client, so it never holds a value.
 */
export class Problem extends Error {
  readonly code: ProblemCode;
  readonly members: ProblemMembers;
  readonly headers: Record<string, string>;
  readonly about: readonly ProblemSubject[];

  constructor(code: ProblemCode, detail: string, { members = {}, headers = {}, about = [], cause }: ProblemOptions = {}) {
    super(detail, { cause });
    this.name = "Problem";
    this.code = code;
    this.members = members;
    this.headers = headers;
    this.about = about;
  }

  /** The reply's status code. */
  get status(): number {
    return PROBLEMS[this.code].status;
  }
}

/** A problem as replies carry it, RFC 9457, section 3. */
export function problemBody(problem: Problem, requestId: string): ProblemBody {
  const { status, title } = PROBLEMS[problem.code];
  return { type: `urn:keyhole:problem:${problem.code}`, title, status, code: problem.code, detail: problem.message, request_id: requestId, ...problem.members };
}

/** How many of the things that are wrong with a request a problem lists, and how many characters they may have together: a reply is no echo of the request. */
const MOST_ERRORS = 20;
const MOST_CHARACTERS = 4000;
/** How long one text in the list may be: the name of a secret fits. */
const LONGEST = 200;

/**
 * Everything that is wrong with a request, as one problem: the first of it, and how many there are more.
 *
 * @param ending A sentence that holds for all of them.
 */
export function problemOfErrors(code: ProblemCode, found: Iterable<ProblemError>, ending = ""): Problem {
  const errors: ProblemError[] = [];
  let characters = 0;
  let count = 0;
  for (const { pointer, detail } of found) {
    count++;
    if (errors.length === MOST_ERRORS || characters > MOST_CHARACTERS) continue;
    const error = { pointer: shorten(pointer), detail: shorten(detail) };
    characters += JSON.stringify(error).length;
    errors.push(error);
  }
  const [first] = errors;
  if (!first) return new Problem(code, `The request is not valid.${ending}`);
  const more = count > 1 ? ` (and ${count - 1} more)` : "";
  if (count > errors.length) errors.push({ pointer: "", detail: `and ${count - errors.length} more, which are not listed` });
  return new Problem(code, `${first.pointer || "body"}: ${first.detail}${more}${ending}`, { members: { errors } });
}

function shorten(text: string): string {
  return text.length > LONGEST ? `${text.slice(0, LONGEST).toWellFormed()}…` : text;
}

/** One thing that is wrong with a request, as a problem: where it stands ({@link ProblemError}), and what it should be. */
export function invalid(pointer: string, detail: string): Problem {
  return new Problem("invalid-request", `${pointer || "body"}: ${detail}`, { members: { errors: [{ pointer, detail }] } });
}

/** The answer when a binding fails: try again soon (RFC 9110, section 10.2.3). */
export function storageUnavailable(detail: string, cause?: unknown): Problem {
  return new Problem("storage-unavailable", detail, { headers: { "Retry-After": "2" }, cause });
}
