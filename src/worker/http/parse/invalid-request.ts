import { Problem, type ProblemError } from "../../../contract/problem.ts";

type Issue = { readonly code?: string; readonly path: readonly PropertyKey[]; readonly message: string; readonly keys?: readonly string[] };

const WHERE = { json: "", query: "query:", param: "path:" } as const;
type Target = keyof typeof WHERE;

/**
 * The problem that lists everything wrong in the part of the request that `target` names. A place in the body is a JSON
 * Pointer (RFC 6901), a query parameter is `query:<name>`, a part of the path `path:<name>`. No value is repeated.
 */
export function invalidRequest(issues: readonly Issue[], target: Target): Problem {
  const errors = issues.flatMap((issue) => errorsOf(issue, target));
  const [first] = errors;
  const more = errors.length > 1 ? ` (and ${errors.length - 1} more)` : "";
  return new Problem("invalid-request", first ? `${first.pointer || "body"}: ${first.detail}${more}` : "The request is not valid.", { members: { errors } });
}

function errorsOf({ code, path, message, keys }: Issue, target: Target): ProblemError[] {
  if (code === "unrecognized_keys" && keys) {
    return keys.map((key) => ({ pointer: pointer([...path, key], target), detail: "unknown field" }));
  }
  return [{ pointer: pointer(path, target), detail: message }];
}

function pointer(path: readonly PropertyKey[], target: Target): string {
  const where = WHERE[target];
  if (where !== "") return `${where}${path.map(String).join(".")}`;
  return path.map((part) => `/${String(part).replaceAll("~", "~0").replaceAll("/", "~1")}`).join("");
}
