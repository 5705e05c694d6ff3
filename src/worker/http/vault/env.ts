import { vaultReadReplySchema } from "../../../contract/vault.ts";
import { json } from "../docs/responses.ts";
import { limitResolves } from "../middleware/limit-rate.ts";
import { readValues } from "./read-values.ts";
import { pathParameter, vaultOperation } from "./vault-operation.ts";
import { namedSegments } from "./vault-path.ts";
import { scopeOf } from "./vault-scope.ts";
import { versionQuerySchema } from "./version-asked.ts";

/** The route of what a scope resolves to, which only reads. */
export const envRoutes = [
  vaultOperation(
    {
      method: "get",
      path: "/v1/env/data/{path}",
      id: "vaultReadEnv",
      summary: "Read what a scope resolves to",
      description:
        "By environment name, most specific first, with everything that the scope inherits. `metadata.version` is a number that is the same for as long as the same versions of the same secrets are found: it tells whether something has changed, not how often.",
      tag: "Resolved",
      permission: "secrets:resolve",
      action: "secret.resolve",
      head: false,
      params: pathParameter("A scope: `myorg/myrepo`, `global`, `team/x`, `namespace/x`, `agent/x` or `repo/a/b`.", "acme/payments"),
      query: versionQuerySchema,
      middleware: [limitResolves],
      problems: ["name-locked", "too-many-secrets", "answer-too-large"],
      replies: { 200: json(vaultReadReplySchema, "The values.") },
    },
    async ({ c, needs, path, query: { version } }) => {
      const request = { scopes: [scopeOf(namedSegments(path, 2))], allowMissing: false, inherit: true, asVariables: true };
      return readValues(c, needs, request, { of: "vault-variables" }, version);
    },
  ),
];
