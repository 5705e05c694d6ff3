import { vaultErrorSchema } from "../../../contract/vault.ts";
import type { Route } from "../operation.ts";
import type { ApiAbout } from "./api-document.ts";
import type { ResponseObject } from "./api-types.ts";

const info = {
  title: "Keyhole, Vault's wire",
  version: "1",
  license: { name: "Apache-2.0", identifier: "Apache-2.0" },
  description: [
    "What clients of HashiCorp Vault and OpenBao use of their API to read, write and list secrets, over the same secrets, grants and audit log as Keyhole's own API. There are the mounts `secret/`, `kv/` and `env/`, all of the second version of the key-value store.",
    "The token is in `X-Vault-Token` or `Authorization: Bearer`. Bodies are JSON whatever their `Content-Type` says, fields that a route does not know are not read, and PUT is POST. An organization is a namespace: `X-Vault-Namespace` may say its name, and so may the first segment of a path. `{path}` stands for any number of segments.",
    "Errors are `{errors: [...]}`: 404 with an empty list for what is not there, 400 where a check-and-set does not match. Nothing is wrapped, renewable or leased as Vault means it. The method LIST is refused by the platform with 501: `?list=true` lists.",
  ].join("\n\n"),
};

const tags = [
  { name: "A scope as one object", description: "`secret/`: every name of one scope, read and written together." },
  { name: "One secret", description: "`kv/`: one secret, with versions of its own." },
  { name: "Resolved", description: "`env/`: what a scope resolves to, with everything that it inherits." },
  { name: "Tokens", description: "How clients get a token, and what they ask of it." },
  { name: "System", description: "What clients want to know of a server." },
];

const securityScheme = {
  type: "http" as const,
  scheme: "bearer",
  bearerFormat: "JWT",
  description: "A token, here or in `X-Vault-Token`. An operation names the permission that it must carry.",
};

const EXAMPLES: Readonly<Record<number, { readonly description: string; readonly errors: readonly string[] }>> = {
  400: {
    description: "The request is not valid, there is no token, or the check-and-set does not match.",
    errors: ["check-and-set parameter did not match the current version"],
  },
  403: { description: "The token is not good, or does not allow this.", errors: ["permission denied", "The token lacks the permission secrets:write."] },
  404: { description: "It is not there.", errors: [] },
  413: { description: "The body, a value or the answer is too large.", errors: ["A body has at most 1 MiB."] },
  429: { description: "Too many requests.", errors: ["Too many requests from here; wait and try again."] },
  503: { description: "Storage or a key is not available, or others kept writing the same.", errors: ["D1 does not answer."] },
};

const RETRY_AFTER = { "Retry-After": { description: "Seconds to wait.", schema: { type: "integer" as const }, example: 2 } };

function errorReply(description: string, errors: readonly string[], headers = {}): ResponseObject {
  return {
    description,
    headers: { ...headers, "X-Request-Id": { $ref: "#/components/headers/X-Request-Id" } },
    content: { "application/json": { schema: { $ref: "#/components/schemas/VaultErrors" }, example: { errors } } },
  };
}

function sharedResponses(): Record<string, ResponseObject> {
  const byStatus = Object.entries(EXAMPLES).map(([status, { description, errors }]) => [
    `error-${status}`,
    errorReply(description, errors, status === "429" || status === "503" ? RETRY_AFTER : {}),
  ]);
  return {
    ...Object.fromEntries(byStatus),
    internal: errorReply("Something went wrong here, or what is stored is not what was written.", ["Something went wrong here."]),
    "no-such-route": errorReply("There is no such path, or it does not take the method.", ["no handler for route"], {
      Allow: { description: "With 405: the methods that the path takes.", schema: { type: "string" as const }, example: "GET, POST" },
    }),
  };
}

/** Any call may be refused in any of these ways; the list of a route is not closed, because a wrong header is answered alike everywhere. */
function problems({ path }: Route): Record<string, ResponseObject> {
  const open = path === "/v1/sys/seal-status" || path === "/v1/sys/leader";
  const statuses = open ? ["400", "429"] : Object.keys(EXAMPLES);
  return Object.fromEntries(statuses.map((status) => [status, { $ref: `#/components/responses/error-${status}` }]));
}

/** What is said of Vault's wire as a whole. */
export const VAULT_API: ApiAbout = { info, tags, securityScheme, errorSchema: vaultErrorSchema, problems, sharedResponses };
