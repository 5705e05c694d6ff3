import { Problem, type ProblemError } from "../../../contract/problem.ts";

type Issue = { readonly code?: string; readonly path: readonly PropertyKey[]; readonly message: string; readonly keys?: readonly string[] };
type Outcome = { readonly success: true } | { readonly success: false; readonly target: string; readonly error: { readonly issues: readonly Issue[] } };

const WHERE: Record<string, string> = { json: "", form: "", query: "query:", param: "path:", header: "header:" };

/**
 * Turns a failed validation into one problem that lists everything wrong. A place in the body is a JSON Pointer
 * (RFC 6901), a query parameter is `query:<name>`, a part of the path `path:<name>`. No value is repeated.
 *
 * @throws {Problem} `invalid-request`.
 */
export function validationHook(outcome: Outcome): undefined {
  if (outcome.success) return undefined;
  throw invalidRequest(outcome.error.issues, outcome.target);
}

/** The problem that lists `issues`, found in the part of the request that `target` names. */
export function invalidRequest(issues: readonly Issue[], target: string): Problem {
  const errors = issues.flatMap((issue) => errorsOf(issue, target));
  const [first] = errors;
  const more = errors.length > 1 ? ` (and ${errors.length - 1} more)` : "";
  return new Problem("invalid-request", first ? `${first.pointer || "body"}: ${first.detail}${more}` : "The request is not valid.", { members: { errors } });
}

function errorsOf({ code, path, message, keys }: Issue, target: string): ProblemError[] {
  if (code === "unrecognized_keys" && keys) {
    return keys.map((key) => ({ pointer: pointer([...path, key], target), detail: "unknown field" }));
  }
  return [{ pointer: pointer(path, target), detail: message }];
}

function pointer(path: readonly PropertyKey[], target: string): string {
  const where = WHERE[target] ?? "";
  if (where !== "") return `${where}${path.map(String).join(".")}`;
  return path.map((part) => `/${String(part).replaceAll("~", "~0").replaceAll("/", "~1")}`).join("");
}
