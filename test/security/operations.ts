import { at, call, put, type Reply } from "../support/call.ts";
import type { TokenClaims } from "../support/sign.ts";

/** What the rows of {@link OPERATIONS} are about: one secret of its own for each check. */
export interface Subject {
  readonly scope: string;
  readonly name: string;
  readonly id: string;
}

/** One operation of the API, and how the security matrix calls it. A new route is one more row. */
export interface Operation {
  /** The permission that it needs. */
  readonly permission: string;
  /** Makes the request with a token; it succeeds for a token with the permission whose grant covers the subject. */
  readonly request: (subject: Subject, token: string | TokenClaims | null) => Promise<Reply>;
  /** What a token of another organization gets: a 404, a list with nothing of the subject's, or a secret of its own. */
  readonly elsewhere: 404 | "nothing" | "its own";
  /** The limits of a grant that this operation checks; a list leaves out what the grant does not cover instead. */
  readonly limits: readonly ("secret_scopes" | "secret_names")[];
  /** The action that a denied call is on record with. */
  readonly action: string;
}

const both = ["secret_scopes", "secret_names"] as const;
const path = ({ scope, name }: Subject) => at(scope, name);
const json = { value: "written" };

export const OPERATIONS: Record<string, Operation> = {
  "PUT /v1/scopes/{scope}/secrets/{name}": {
    permission: "secrets:write",
    request: (subject, token) => call(`PUT ${path(subject)}`, { token, json }),
    elsewhere: "its own",
    limits: both,
    action: "secret.update",
  },
  "GET /v1/scopes/{scope}/secrets/{name}": {
    permission: "secrets:read",
    request: (subject, token) => call(`GET ${path(subject)}`, { token }),
    elsewhere: 404,
    limits: both,
    action: "secret.read",
  },
  "DELETE /v1/scopes/{scope}/secrets/{name}": {
    permission: "secrets:write",
    request: (subject, token) => call(`DELETE ${path(subject)}`, { token }),
    elsewhere: 404,
    limits: both,
    action: "secret.delete",
  },
  "POST /v1/secrets": {
    permission: "secrets:write",
    request: ({ scope, name }, token) => call("POST /v1/secrets", { token, json: { ...json, scope, name: `${name}_NEW` } }),
    elsewhere: "its own",
    limits: both,
    action: "secret.create",
  },
  "GET /v1/secrets": {
    permission: "secrets:read",
    request: (_, token) => call("GET /v1/secrets", { token }),
    elsewhere: "nothing",
    limits: [],
    action: "secret.read",
  },
  "GET /v1/secrets/{id}": {
    permission: "secrets:read",
    request: ({ id }, token) => call(`GET /v1/secrets/${id}`, { token }),
    elsewhere: 404,
    limits: both,
    action: "secret.read",
  },
  "PATCH /v1/secrets/{id}": {
    permission: "secrets:write",
    request: ({ id }, token) => call(`PATCH /v1/secrets/${id}`, { token, json }),
    elsewhere: 404,
    limits: both,
    action: "secret.update",
  },
  "DELETE /v1/secrets/{id}": {
    permission: "secrets:write",
    request: ({ id }, token) => call(`DELETE /v1/secrets/${id}`, { token }),
    elsewhere: 404,
    limits: both,
    action: "secret.delete",
  },
  "POST /v1/resolve": {
    permission: "secrets:resolve",
    request: ({ scope, name }, token) => call("POST /v1/resolve", { token, json: { scopes: [scope], names: [name] } }),
    elsewhere: 404,
    limits: both,
    action: "secret.resolve",
  },
  "GET /v1/resolve/{name}": {
    permission: "secrets:resolve",
    request: ({ scope, name }, token) => call(`GET /v1/resolve/${name}?scope=${scope}`, { token }),
    elsewhere: 404,
    limits: both,
    action: "secret.resolve",
  },
  "GET /v1/explain/{name}": {
    permission: "secrets:read",
    request: ({ scope, name }, token) => call(`GET /v1/explain/${name}?scope=${scope}`, { token }),
    elsewhere: "nothing",
    limits: both,
    action: "secret.read",
  },
};

let made = 0;

/** Makes a secret in an organization, under a name that no other check uses. */
export async function makeSubject(org: string): Promise<Subject> {
  const name = `SUBJECT_${made++}`;
  const { body } = await put("team:subject", name, "subject-value", { token: { org } });
  return { scope: "team:subject", name, id: body.id };
}
