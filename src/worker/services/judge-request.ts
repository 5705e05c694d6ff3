import { findAllowRule } from "../../contract/allow-rule.ts";
import { invalid, Problem } from "../../contract/problem.ts";
import { type PathRefusal, parseRequestPath, type RequestPath } from "../../contract/request-path.ts";
import { isSendableQuery } from "../../contract/request-query.ts";
import type { ServiceDefinition } from "../../contract/service.ts";

/** What somebody asks of a service, as it arrived. */
export interface AskedUse {
  readonly method: string;
  /** What comes after the service's own address, from its `/` on, encoded as it came; `""` for nothing. */
  readonly path: string;
  /** Without its `?`. */
  readonly query: string;
  readonly target: string | null;
}

/** Where a request goes that a service allows. */
export interface AllowedUse {
  readonly origin: string;
  readonly path: RequestPath;
  /** The place of the rule that allows it. */
  readonly rule: number;
}

const REFUSALS: Readonly<Record<PathRefusal, string>> = {
  "not-a-path": "a path begins with '/'",
  "not-encoded": "something in the path has to be percent-encoded, as UTF-8",
  "control-character": "the path has a control character",
  backslash: "the path has a backslash",
  "dot-segment": "the path has a segment '.' or '..'",
  "doubly-encoded": "the path has a separator that is encoded twice",
};

/**
 * Finds the origin that a request is for, and the rule that allows it. Nothing of a path is changed: it is sent on as it came, or
 * refused.
 *
 * @throws {Problem} `invalid-request`, `use-not-allowed`.
 */
export function judgeRequest({ origins, allow }: Pick<ServiceDefinition, "origins" | "allow">, asked: AskedUse): AllowedUse {
  const [, name = "", rest = ""] = /^\/~([a-z0-9][a-z0-9-]{0,31})(\/.*)?$/s.exec(asked.path) ?? [];
  const isNamed = name !== "" && Object.hasOwn(origins, name);
  const origin = origins[isNamed ? name : ""] ?? "";
  const path = parseRequestPath((isNamed ? rest : asked.path) || "/");
  if (typeof path === "string") throw invalid("path:path", REFUSALS[path]);
  // Those who read a query otherwise take a `?` at its beginning for a part of the first name, or for none.
  if (asked.query.startsWith("?")) throw invalid("query:", "the query begins with a second '?'");
  if (!isSendableQuery(asked.query)) throw invalid("query:", "something in the query has to be percent-encoded");
  const rule = findAllowRule(allow, { ...asked, path });
  if (rule === -1) throw new Problem("use-not-allowed", "The service does not allow this method at this path.");
  return { origin, path, rule };
}
