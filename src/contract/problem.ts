import * as z from "zod";
import { PROBLEMS, type ProblemBody, type ProblemCode, type ProblemError, type ProblemMembers } from "./problems.ts";
import { unavailableSchema } from "./unavailable.ts";

export { PROBLEMS, type ProblemBody, type ProblemCode, type ProblemError, type ProblemMembers };

const PROBLEM_CODES = Object.keys(PROBLEMS) as [ProblemCode, ...ProblemCode[]];

export const problemCodeSchema = z.enum(PROBLEM_CODES);

/** One thing that is wrong with a request: where (a JSON Pointer, RFC 6901, or `query:<name>`-style place) and what. */
const problemErrorSchema = z
  .object({
    pointer: z.string().meta({ description: "A JSON Pointer (RFC 6901) into the body, or `query:<name>`, `path:<name>`, `header:<name>`, `line:<number>`." }),
    detail: z.string(),
  })
  .meta({ id: "ProblemError", example: { pointer: "/value", detail: "a value has 1 to 65,536 bytes" } });

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
