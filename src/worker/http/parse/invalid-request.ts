import { jsonPointer } from "../../../contract/json-pointer.ts";
import { type Problem, type ProblemError, problemOfErrors } from "../../../contract/problem.ts";

type Issue = { readonly code?: string; readonly path: readonly PropertyKey[]; readonly message: string; readonly keys?: readonly string[] };

const WHERE = { json: "", query: "query:", param: "path:" } as const;
type Target = keyof typeof WHERE;

/**
 * The problem that lists what is wrong in the part of the request that `target` names. A place in the body is a JSON
 * Pointer (RFC 6901), a query parameter is `query:<name>`, a part of the path `path:<name>`. No value is repeated.
 */
export function invalidRequest(issues: readonly Issue[], target: Target): Problem {
  return problemOfErrors("invalid-request", errorsOf(issues, target));
}

/** One at a time: a body of a megabyte may hold a hundred thousand fields that there are not. */
function* errorsOf(issues: readonly Issue[], target: Target): Generator<ProblemError> {
  for (const { code, path, message, keys } of issues) {
    if (code === "unrecognized_keys" && keys) for (const key of keys) yield { pointer: pointer([...path, key], target), detail: "unknown field" };
    else yield { pointer: pointer(path, target), detail: message };
  }
}

function pointer(path: readonly PropertyKey[], target: Target): string {
  const where = WHERE[target];
  if (where !== "") return `${where}${path.map(String).join(".")}`;
  return jsonPointer(path);
}
