import type { ZodType } from "zod";
import { PROBLEMS, type ProblemBody, type ProblemCode } from "../../../contract/problem.ts";
import type { ReplySpec, Route } from "../operation.ts";
import type { ResponseObject } from "./api-types.ts";

const REQUEST_ID = "req_0b6ae8a2c5f64f0c9a2f7d0d5b1c3e4f";

/** A JSON reply for the API description. Its example is the schema's own. */
export function json(schema: ZodType, description: string): ReplySpec {
  return { description, content: { "application/json": { schema } } };
}

/** The header that every reply carries. */
export const REQUEST_ID_HEADER = {
  description: "Names the request, in problems, in the audit log and in the Worker's log.",
  schema: { type: "string" as const },
  example: REQUEST_ID,
};

/** What a client needs to know beside the problem, by status. */
const PROBLEM_HEADERS: Record<number, object> = {
  401: { "WWW-Authenticate": header("RFC 6750, section 3.", 'Bearer error="invalid_token"') },
  403: { "WWW-Authenticate": header("RFC 6750, section 3: the permission that is needed.", 'Bearer error="insufficient_scope", scope="secrets:write"') },
  405: { Allow: header("With 405: the methods that the route takes.", "GET, HEAD, PUT") },
  429: { "Retry-After": header("Seconds to wait.", "10") },
  503: { "Retry-After": header("Seconds to wait.", "2") },
};

/** Problems that any route with a token can answer: described once, as components of the document named by their codes. */
const EVERYWHERE: readonly ProblemCode[] = ["unauthenticated", "forbidden", "rate-limited", "internal", "storage-unavailable"];

const OF_BODIES: readonly ProblemCode[] = ["body-too-large", "unsupported-media-type"];

/** The problem replies of a route, by status: its own, and those that follow from what it takes and who may call it. */
export function problems({ permission, params, query, body, problems: own }: Route): Record<string, ResponseObject> {
  const ofRequest: ProblemCode[] = [...(params || query || body ? (["invalid-request"] as const) : []), ...(body ? OF_BODIES : [])];
  // A route that anybody may ask has problems of its own only, or another form of errors.
  const codes = permission === null ? own : [...ofRequest, ...own, ...EVERYWHERE];
  // The documentation is built of this on Node 20, too, which has no Map.groupBy.
  const statuses = new Set(codes.map((code) => PROBLEMS[code].status));
  return Object.fromEntries(
    [...statuses].map((status) => {
      const list = [...new Set(codes)].filter((code) => PROBLEMS[code].status === status);
      const [only, another] = list;
      const shared = only !== undefined && another === undefined && EVERYWHERE.includes(only);
      return [status, shared ? { $ref: `#/components/responses/${only}` } : problemResponse(list)];
    }),
  );
}

/** The components that {@link problems} refers to, and `no-such-route` for the wrong method or path. */
export function sharedResponses(): Record<string, ResponseObject> {
  const alone = EVERYWHERE.map((code) => [code, problemResponse([code])] as const);
  return { ...Object.fromEntries(alone), "no-such-route": problemResponse(["method-not-allowed", "route-not-found"]) };
}

function problemResponse(codes: readonly ProblemCode[]): ResponseObject {
  const [first = "internal"] = codes;
  return {
    description: codes.map((code) => `\`${code}\`: ${PROBLEMS[code].title}.`).join(" "),
    headers: { ...PROBLEM_HEADERS[PROBLEMS[first].status], "X-Request-Id": { $ref: "#/components/headers/X-Request-Id" } },
    content: {
      "application/problem+json": {
        schema: { $ref: "#/components/schemas/Problem" },
        examples: Object.fromEntries(codes.map((code) => [code, { value: problemExample(code) }])),
      },
    },
  };
}

function problemExample(code: ProblemCode): ProblemBody {
  const { status, title } = PROBLEMS[code];
  const common = { type: `urn:keyhole:problem:${code}`, title, status, code, detail: `${title}.`, request_id: REQUEST_ID };
  if (code !== "invalid-request") return common;
  const wrong = { pointer: "/value", detail: "a value has 1 to 65,536 bytes" };
  return { ...common, detail: `${wrong.pointer}: ${wrong.detail}`, errors: [wrong] };
}

function header(description: string, example: string) {
  return { description, schema: { type: "string" as const }, example };
}
