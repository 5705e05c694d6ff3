import { env } from "cloudflare:workers";
import { inject } from "vitest";
import type { BackupPage } from "../../src/contract/backup.ts";
import type { ProblemCode } from "../../src/contract/problem.ts";
import { backUp, emptyDeployment, forgetLatest, putBack } from "../backup/other-deployment.ts";
import { at, call, put, type Reply } from "../support/call.ts";
import { callWith } from "../support/call-with.ts";
import { publish, startIssuer } from "../support/issuer.ts";
import type { TokenClaims } from "../support/sign.ts";
import { OIDC_TEST_KEY } from "../support/test-secrets.ts";

/** What the rows of {@link OPERATIONS} are about: one secret of its own for each check. */
export interface Subject {
  readonly org: string;
  readonly scope: string;
  readonly name: string;
  readonly id: string;
  /** What the operation's `prepare` made: a version, a token's id, a trust's name. */
  readonly target: string;
}

/** One operation of the API, and how the security matrix calls it. A new route is one more row. */
export interface Operation {
  /** The permission that it needs; `null` where any valid token will do. */
  readonly permission: string | null;
  /** Makes what else the operation is about. */
  readonly prepare?: (subject: Omit<Subject, "target">) => Promise<string>;
  /** Makes the request with a token; it succeeds for a token with the permission whose grant covers the subject. */
  readonly request: (subject: Subject, token: string | TokenClaims | null) => Promise<Reply>;
  /** What a token of another organization gets: a refusal with this code, a reply with nothing of the subject's, or something new of its own. */
  readonly elsewhere: Extract<ProblemCode, `${string}-not-found` | "forbidden"> | 200 | 201;
  /** The limits of a grant that this operation checks; a list leaves out what the grant does not cover instead. */
  readonly limits: readonly ("secret_scopes" | "secret_names")[];
  /** Whether it concerns every name of a scope, so that a grant of some names does not do. */
  readonly everyName?: true;
  /** A permission that does as well. */
  readonly orElse?: string;
  /** Its reply repeats what the request named. */
  readonly repeats?: true;
  /** The action that a denied call is on record with. */
  readonly action: string;
}

const both = ["secret_scopes", "secret_names"] as const;
const path = ({ scope, name }: Subject) => at(scope, name);
const json = { value: "written" };
const scopePath = ({ scope }: Subject) => `/v1/scopes/${encodeURIComponent(scope)}`;
const limitsOf = ({ scope, name }: Pick<Subject, "scope" | "name">) => ({ secret_scopes: [scope], secret_names: [name] });

async function link({ org, scope }: Pick<Subject, "org" | "scope">): Promise<string> {
  await call(`PUT /v1/scopes/${encodeURIComponent(scope)}`, { token: { org }, json: { parent: "team:parent" } });
  return "";
}

async function addVersion({ org, scope, name }: Pick<Subject, "org" | "scope" | "name">): Promise<string> {
  await put(scope, name, "subject-value-2", { token: { org } });
  return "1";
}

/** A link that somebody has put into D1, and the digest that confirms it. */
export async function unsealedLink({ org, name }: Pick<Subject, "org" | "name">): Promise<string> {
  await env.DB.prepare("INSERT OR REPLACE INTO scopes (org, scope, parent) VALUES (?, ?, 'team:by-hand')").bind(org, `repo:by-hand/${name}`).run();
  return (await callWith({ PLATFORM_ORG: org })("GET /v1/seals", { token: { org } })).body.digest;
}

const tokenOf = (subject: Pick<Subject, "scope" | "name">) => ({ label: "ci", permissions: ["tokens:write"], expires_in: 60, ...limitsOf(subject) });
async function mintToken(subject: Pick<Subject, "org" | "scope" | "name">): Promise<string> {
  return (await call("POST /v1/tokens", { token: { org: subject.org }, json: tokenOf(subject) })).body.id;
}

const trustOf = (subject: Pick<Subject, "scope" | "name">) => ({
  issuer: "https://token.actions.githubusercontent.com",
  audience: "keyhole",
  claims: { sub: "subject" },
  permissions: ["trusts:write"],
  ...limitsOf(subject),
});
async function putTrust(subject: Pick<Subject, "org" | "scope" | "name">): Promise<string> {
  await call(`PUT /v1/trusts/${subject.name}`, { token: { org: subject.org }, json: trustOf(subject) });
  return subject.name;
}

const loginOf = (subject: Pick<Subject, "scope" | "name">) => ({
  issuer: "https://accounts.google.com",
  client_id: "keyhole",
  claims: { hd: "acme.example" },
  permissions: ["trusts:write"],
  ...limitsOf(subject),
});
async function putLogin(subject: Pick<Subject, "org" | "scope" | "name">): Promise<string> {
  await call(`PUT /v1/logins/${subject.name}`, { token: { org: subject.org }, json: loginOf(subject) });
  return subject.name;
}

const serviceNameOf = ({ name }: Pick<Subject, "name">) => name.toLowerCase().replaceAll("_", "-");
const serviceOf = ({ scope, name }: Pick<Subject, "scope" | "name">) => ({
  origin: "https://api.example.com",
  scopes: [scope],
  inject: [{ in: "header", name: "X-Key", value: `\${${name}}` }],
  allow: [{ methods: ["GET"], paths: ["/**"] }],
});
async function putService(subject: Pick<Subject, "org" | "scope" | "name">): Promise<string> {
  await call(`PUT /v1/services/${serviceNameOf(subject)}`, { token: { org: subject.org }, json: serviceOf(subject) });
  return serviceNameOf(subject);
}

/** A Worker that is an OpenID provider for its stores, one of which is on this machine. */
const withStores = callWith({ OIDC_KEY: OIDC_TEST_KEY, PUBLIC_URL: "https://keyhole.example.com", ALLOW_INSECURE_ORIGINS: "true" });
const storeOf = ({ scope }: Pick<Subject, "scope">) => ({
  kind: "vault",
  address: inject("upstream"),
  mount: "secret",
  credentials: { role: "keyhole", jwt_auth: "jwt" },
  allow: [{ scopes: [scope], keys: ["*"] }],
  write: true,
});
async function putStore(subject: Pick<Subject, "org" | "scope" | "name">): Promise<string> {
  await withStores(`PUT /v1/stores/${serviceNameOf(subject)}`, { token: { org: subject.org }, json: storeOf(subject) });
  return serviceNameOf(subject);
}

/** Each check makes one of its own. */
const withWebhooks = callWith({ ALLOW_INSECURE_ORIGINS: "true", QUOTAS: JSON.stringify({ webhooks: 1_000 }) });
const WEBHOOK = { url: `${inject("upstream")}/hook`, events: ["calls.refused"] };
async function putWebhook(subject: Pick<Subject, "org" | "name">, limits: Pick<TokenClaims, "secret_scopes" | "secret_names"> = {}): Promise<string> {
  await withWebhooks(`PUT /v1/webhooks/${serviceNameOf(subject)}`, { token: { org: subject.org, ...limits }, json: WEBHOOK });
  return serviceNameOf(subject);
}
/** Whoever makes a webhook has to be allowed to read what it is told of, too. */
const readingTheLog = (token: string | TokenClaims | null) =>
  typeof token === "object" && token?.scope !== undefined ? { ...token, scope: `${token.scope} audit:read` } : token;

/** Puts a scope into a store that no other row writes. */
async function bindParent(subject: Pick<Subject, "org" | "scope" | "name">): Promise<string> {
  const scope = "team:parent";
  const token = { org: subject.org };
  await withStores(`PUT /v1/stores/${serviceNameOf(subject)}`, { token, json: storeOf({ scope }) });
  await withStores(`PUT /v1/scopes/${encodeURIComponent(scope)}`, { token, json: { store: serviceNameOf(subject), prefix: "" } });
  return scope;
}

/** Claims of the operator's own organization, unless they say another one. */
const asOperator = (token: string | TokenClaims | null) => (typeof token === "object" && token !== null ? { org: "platform", ...token } : token);

/** The digest of what there is to accept. */
async function restorationsDigest(): Promise<string> {
  return (await call("GET /v1/audit/restorations", { token: { org: "platform" } })).body.digest;
}

/** Makes a request that succeeds in an empty deployment only there, and any other one where the rest of the matrix is. */
async function restoring(
  token: string | TokenClaims | null,
  request: string,
  json: (pages: readonly BackupPage[]) => object,
  here: "nothing" | "all",
): Promise<Reply> {
  const claims = asOperator(token);
  const allowed = typeof claims === "object" && claims?.org === "platform" && (claims.scope ?? "backup:write").includes("backup:write");
  if (!allowed) return call(request, { token: claims, json: json([{ jws: "a.b.c", rows: "[]" }]) });
  const pages = await backUp(await emptyDeployment());
  const ask = await emptyDeployment();
  if (here === "all") await putBack(ask, pages);
  const reply = await ask(request, { token: claims, json: json(pages) });
  // It has revocations that the other deployment has not.
  forgetLatest();
  return reply;
}

export const OPERATIONS: Record<string, Operation> = {
  "POST /v1/backup": {
    permission: "backup:read",
    request: (_, token) => call("POST /v1/backup", { token: asOperator(token), json: {} }),
    elsewhere: "forbidden",
    limits: [],
    action: "backup.read",
  },
  "GET /v1/backup/reconcile": {
    permission: "backup:read",
    request: (_, token) => call("GET /v1/backup/reconcile", { token: asOperator(token) }),
    elsewhere: "forbidden",
    limits: [],
    action: "backup.read",
  },
  "POST /v1/backup/reconcile": {
    permission: "backup:write",
    request: (_, token) => restoring(token, "POST /v1/backup/reconcile", () => ({}), "nothing"),
    elsewhere: "forbidden",
    limits: [],
    action: "backup.restore",
  },
  "POST /v1/backup/restore": {
    permission: "backup:write",
    request: (_, token) => restoring(token, "POST /v1/backup/restore", ([first]) => first as BackupPage, "nothing"),
    elsewhere: "forbidden",
    limits: [],
    action: "backup.restore",
  },
  "POST /v1/backup/finish": {
    permission: "backup:write",
    request: (_, token) => restoring(token, "POST /v1/backup/finish", () => ({}), "all"),
    elsewhere: "forbidden",
    limits: [],
    action: "backup.restore",
  },
  "PUT /v1/scopes/{scope}/secrets/{name}": {
    permission: "secrets:write",
    request: (subject, token) => call(`PUT ${path(subject)}`, { token, json }),
    elsewhere: 201,
    limits: both,
    action: "secret.update",
  },
  "GET /v1/scopes/{scope}/secrets/{name}": {
    permission: "secrets:read",
    request: (subject, token) => call(`GET ${path(subject)}`, { token }),
    elsewhere: "secret-not-found",
    limits: both,
    action: "secret.read",
  },
  "DELETE /v1/scopes/{scope}/secrets/{name}": {
    permission: "secrets:write",
    request: (subject, token) => call(`DELETE ${path(subject)}`, { token }),
    elsewhere: "secret-not-found",
    limits: both,
    action: "secret.delete",
  },
  "POST /v1/secrets": {
    permission: "secrets:write",
    request: ({ scope, name }, token) => call("POST /v1/secrets", { token, json: { ...json, scope, name: `${name}_NEW` } }),
    elsewhere: 201,
    limits: both,
    action: "secret.create",
  },
  "GET /v1/secrets": {
    permission: "secrets:read",
    request: (_, token) => call("GET /v1/secrets", { token }),
    elsewhere: 200,
    limits: [],
    action: "secret.read",
  },
  "GET /v1/secrets/{id}": {
    permission: "secrets:read",
    request: ({ id }, token) => call(`GET /v1/secrets/${id}`, { token }),
    elsewhere: "secret-not-found",
    limits: both,
    action: "secret.read",
  },
  "PATCH /v1/secrets/{id}": {
    permission: "secrets:write",
    request: ({ id }, token) => call(`PATCH /v1/secrets/${id}`, { token, json }),
    elsewhere: "secret-not-found",
    limits: both,
    action: "secret.update",
  },
  "DELETE /v1/secrets/{id}": {
    permission: "secrets:write",
    request: ({ id }, token) => call(`DELETE /v1/secrets/${id}`, { token }),
    elsewhere: "secret-not-found",
    limits: both,
    action: "secret.delete",
  },
  "POST /v1/secrets/{id}/undelete": {
    permission: "secrets:write",
    prepare: async ({ org, id }) => String((await call(`DELETE /v1/secrets/${id}`, { token: { org } })).status),
    request: ({ id }, token) => call(`POST /v1/secrets/${id}/undelete`, { token }),
    elsewhere: "secret-not-found",
    limits: both,
    action: "secret.undelete",
  },
  "POST /v1/resolve": {
    permission: "secrets:resolve",
    request: ({ scope, name }, token) => call("POST /v1/resolve", { token, json: { scopes: [scope], names: [name] } }),
    elsewhere: "secret-not-found",
    limits: both,
    action: "secret.resolve",
  },
  "GET /v1/resolve/{name}": {
    permission: "secrets:resolve",
    request: ({ scope, name }, token) => call(`GET /v1/resolve/${name}?scope=${scope}`, { token }),
    elsewhere: "secret-not-found",
    limits: both,
    action: "secret.resolve",
  },
  "GET /v1/explain/{name}": {
    permission: "secrets:read",
    request: ({ scope, name }, token) => call(`GET /v1/explain/${name}?scope=${scope}`, { token }),
    elsewhere: 200,
    limits: both,
    action: "secret.read",
  },
  "GET /v1/secrets/{id}/versions": {
    permission: "secrets:read",
    request: ({ id }, token) => call(`GET /v1/secrets/${id}/versions`, { token }),
    elsewhere: "secret-not-found",
    limits: both,
    action: "secret.read",
  },
  "POST /v1/secrets/{id}/rollback": {
    permission: "secrets:write",
    prepare: addVersion,
    request: ({ id }, token) => call(`POST /v1/secrets/${id}/rollback`, { token, json: { version: 1 } }),
    elsewhere: "secret-not-found",
    limits: both,
    action: "secret.rollback",
  },
  "DELETE /v1/secrets/{id}/versions/{version}": {
    permission: "secrets:write",
    prepare: addVersion,
    request: ({ id, target }, token) => call(`DELETE /v1/secrets/${id}/versions/${target}`, { token }),
    elsewhere: "secret-not-found",
    limits: both,
    action: "secret.destroy",
  },
  "POST /v1/import": {
    permission: "secrets:write",
    request: ({ scope, name }, token) => call("POST /v1/import", { token, json: { scope, secrets: { [name]: "imported" } } }),
    elsewhere: 200,
    limits: both,
    action: "secret.import",
  },
  "POST /v1/import/object": {
    permission: "secrets:write",
    request: ({ scope, name }, token) => call("POST /v1/import/object?overwrite=true", { token, json: { scope, members: [{ key: name, value: "imported" }] } }),
    elsewhere: 200,
    limits: both,
    action: "secret.import",
  },
  "PUT /v1/scopes/{scope}": {
    permission: "secrets:write",
    request: (subject, token) => call(`PUT ${scopePath(subject)}`, { token, json: { parent: "team:parent" } }),
    elsewhere: 200,
    limits: ["secret_scopes"],
    everyName: true,
    action: "scope.put",
  },
  "POST /v1/scopes/{scope}/sync": {
    permission: "secrets:write",
    prepare: bindParent,
    request: ({ target }, token) => withStores(`POST /v1/scopes/${encodeURIComponent(target)}/sync`, { token }),
    elsewhere: "scope-not-found",
    limits: ["secret_scopes"],
    everyName: true,
    repeats: true,
    action: "secret.import",
  },
  "GET /v1/scopes": {
    permission: "secrets:read",
    request: (_, token) => call("GET /v1/scopes", { token }),
    elsewhere: 200,
    limits: [],
    action: "scope.read",
  },
  "DELETE /v1/scopes/{scope}": {
    permission: "secrets:write",
    prepare: link,
    request: (subject, token) => call(`DELETE ${scopePath(subject)}`, { token }),
    elsewhere: "scope-not-found",
    limits: ["secret_scopes"],
    everyName: true,
    action: "scope.delete",
  },
  "POST /v1/tokens": {
    permission: "tokens:write",
    request: (subject, token) => call("POST /v1/tokens", { token, json: tokenOf(subject) }),
    elsewhere: 201,
    limits: both,
    action: "token.create",
  },
  "GET /v1/audit": {
    permission: "audit:read",
    request: (_, token) => call("GET /v1/audit", { token }),
    elsewhere: 200,
    limits: [],
    action: "audit.read",
  },
  "GET /v1/audit/checkpoints": {
    permission: "audit:read",
    request: (_, token) => call("GET /v1/audit/checkpoints", { token }),
    elsewhere: 200,
    limits: [],
    action: "audit.read",
  },
  "GET /v1/audit/verify": {
    permission: "audit:read",
    request: (_, token) => call("GET /v1/audit/verify", { token }),
    elsewhere: 200,
    limits: [],
    action: "audit.read",
  },
  "GET /v1/audit/anchor": {
    permission: "audit:read",
    request: (_, token) => call("GET /v1/audit/anchor", { token }),
    elsewhere: 200,
    limits: [],
    action: "audit.read",
  },
  "GET /v1/audit/restorations": {
    permission: "audit:write",
    request: (_, token) => call("GET /v1/audit/restorations", { token: asOperator(token) }),
    elsewhere: "forbidden",
    limits: [],
    action: "audit.read",
  },
  "POST /v1/audit/restorations": {
    permission: "audit:write",
    prepare: restorationsDigest,
    request: ({ target: digest }, token) => call("POST /v1/audit/restorations", { token: asOperator(token), json: { digest } }),
    elsewhere: "forbidden",
    limits: [],
    action: "log.restored",
  },
  "GET /v1/keys": {
    permission: "keys:read",
    request: (_, token) => call("GET /v1/keys", { token }),
    elsewhere: 200,
    limits: [],
    action: "keys.read",
  },
  "POST /v1/keys/rewrap": {
    permission: "keys:write",
    request: (_, token) => call("POST /v1/keys/rewrap", { token }),
    elsewhere: 200,
    limits: [],
    action: "keys.rewrap",
  },
  "GET /v1/usage": {
    permission: "secrets:read",
    request: (_, token) => call("GET /v1/usage", { token }),
    elsewhere: 200,
    limits: [],
    action: "quota.read",
  },
  "GET /metrics": {
    permission: "metrics:read",
    request: (_, token) => call("GET /metrics", { token }),
    elsewhere: 200,
    limits: [],
    action: "metrics.read",
  },
  "GET /v1/quotas/{org}": {
    permission: "keys:read",
    prepare: async ({ org }) => org,
    request: ({ org }, token) => callWith({ PLATFORM_ORG: org })(`GET /v1/quotas/${org}`, { token }),
    elsewhere: "forbidden",
    limits: [],
    action: "quota.read",
  },
  "PUT /v1/quotas/{org}": {
    permission: "keys:write",
    prepare: async ({ org }) => org,
    request: ({ org }, token) => callWith({ PLATFORM_ORG: org })(`PUT /v1/quotas/${org}`, { token, json: { secrets: 1000 } }),
    elsewhere: "forbidden",
    limits: [],
    action: "quota.put",
  },
  "GET /v1/seals": {
    permission: "keys:read",
    request: ({ org }, token) => callWith({ PLATFORM_ORG: org })("GET /v1/seals", { token }),
    elsewhere: "forbidden",
    limits: [],
    action: "keys.read",
  },
  "POST /v1/seals": {
    permission: "keys:write",
    prepare: unsealedLink,
    request: ({ org, target }, token) => callWith({ PLATFORM_ORG: org })("POST /v1/seals", { token, json: { digest: target } }),
    elsewhere: "forbidden",
    limits: [],
    action: "keys.seal",
  },
  "GET /v1/tokens": {
    permission: "tokens:write",
    prepare: mintToken,
    request: (_, token) => call("GET /v1/tokens", { token }),
    elsewhere: 200,
    limits: [],
    action: "token.read",
  },
  "DELETE /v1/tokens/{id}": {
    permission: "tokens:write",
    prepare: mintToken,
    request: ({ target }, token) => call(`DELETE /v1/tokens/${target}`, { token }),
    elsewhere: "token-not-found",
    limits: both,
    action: "token.revoke",
  },
  "POST /v1/revocations": {
    permission: "tokens:write",
    prepare: mintToken,
    request: ({ target }, token) => call("POST /v1/revocations", { token, json: { token_id: target } }),
    elsewhere: 201,
    repeats: true,
    limits: both,
    action: "token.revoke",
  },
  "GET /v1/revocations": {
    permission: "tokens:write",
    request: (_, token) => call("GET /v1/revocations", { token }),
    elsewhere: 200,
    limits: [],
    action: "token.read",
  },
  "GET /v1/whoami": {
    permission: null,
    request: (_, token) => call("GET /v1/whoami", { token }),
    elsewhere: 200,
    limits: [],
    action: "",
  },
  "PUT /v1/trusts/{name}": {
    permission: "trusts:write",
    request: (subject, token) => call(`PUT /v1/trusts/${subject.name}`, { token, json: trustOf(subject) }),
    elsewhere: 201,
    limits: both,
    action: "trust.put",
  },
  "GET /v1/trusts/{name}": {
    permission: "trusts:write",
    prepare: putTrust,
    request: ({ target }, token) => call(`GET /v1/trusts/${target}`, { token }),
    elsewhere: "trust-not-found",
    limits: both,
    action: "trust.read",
  },
  "POST /v1/trusts/{name}/test": {
    permission: "trusts:write",
    prepare: putTrust,
    request: ({ target }, token) => call(`POST /v1/trusts/${target}/test`, { token, json: { subject_token: "a.b.c" } }),
    elsewhere: "trust-not-found",
    limits: both,
    action: "trust.read",
  },
  "GET /v1/trusts/{name}/refusals": {
    permission: "trusts:write",
    prepare: putTrust,
    request: ({ target }, token) => call(`GET /v1/trusts/${target}/refusals`, { token }),
    elsewhere: "trust-not-found",
    limits: both,
    action: "trust.read",
  },
  "GET /v1/trusts": {
    permission: "trusts:write",
    prepare: putTrust,
    request: (_, token) => call("GET /v1/trusts", { token }),
    elsewhere: 200,
    limits: [],
    action: "trust.read",
  },
  "PUT /v1/logins/{name}": {
    permission: "trusts:write",
    request: (subject, token) => call(`PUT /v1/logins/${subject.name}`, { token, json: loginOf(subject) }),
    elsewhere: 201,
    limits: both,
    // The callback has both.
    repeats: true,
    action: "trust.put",
  },
  "GET /v1/logins/{name}": {
    permission: "trusts:write",
    prepare: putLogin,
    request: ({ target }, token) => call(`GET /v1/logins/${target}`, { token }),
    elsewhere: "login-not-found",
    limits: both,
    action: "trust.read",
  },
  "GET /v1/logins": {
    permission: "trusts:write",
    prepare: putLogin,
    request: (_, token) => call("GET /v1/logins", { token }),
    elsewhere: 200,
    limits: [],
    action: "trust.read",
  },
  "DELETE /v1/logins/{name}": {
    permission: "trusts:write",
    prepare: putLogin,
    request: ({ target }, token) => call(`DELETE /v1/logins/${target}`, { token }),
    elsewhere: "login-not-found",
    limits: both,
    action: "trust.delete",
  },
  "PUT /v1/services/{name}": {
    permission: "services:write",
    prepare: async (subject) => serviceNameOf(subject),
    request: (subject, token) => call(`PUT /v1/services/${subject.target}`, { token, json: serviceOf(subject) }),
    elsewhere: 201,
    limits: both,
    repeats: true,
    action: "service.put",
  },
  "GET /v1/services/{name}": {
    permission: "secrets:use",
    orElse: "services:write",
    prepare: putService,
    request: ({ target }, token) => call(`GET /v1/services/${target}`, { token }),
    elsewhere: "service-not-found",
    limits: [],
    action: "service.read",
  },
  "DELETE /v1/services/{name}": {
    permission: "services:write",
    prepare: putService,
    request: ({ target }, token) => call(`DELETE /v1/services/${target}`, { token }),
    elsewhere: "service-not-found",
    limits: both,
    action: "service.delete",
  },
  "GET /v1/services": {
    permission: "secrets:use",
    orElse: "services:write",
    prepare: putService,
    request: (_, token) => call("GET /v1/services", { token }),
    elsewhere: 200,
    limits: [],
    action: "service.read",
  },
  "PUT /v1/stores/{name}": {
    permission: "stores:write",
    prepare: async (subject) => serviceNameOf(subject),
    request: (subject, token) => withStores(`PUT /v1/stores/${subject.target}`, { token, json: storeOf(subject) }),
    elsewhere: 201,
    limits: ["secret_scopes"],
    repeats: true,
    action: "store.put",
  },
  "GET /v1/stores/{name}": {
    permission: "stores:write",
    prepare: putStore,
    request: ({ target }, token) => withStores(`GET /v1/stores/${target}`, { token }),
    elsewhere: "store-not-found",
    limits: [],
    action: "store.read",
  },
  "DELETE /v1/stores/{name}": {
    permission: "stores:write",
    prepare: putStore,
    request: ({ target }, token) => withStores(`DELETE /v1/stores/${target}`, { token }),
    elsewhere: "store-not-found",
    limits: ["secret_scopes"],
    action: "store.delete",
  },
  "POST /v1/stores/{name}/check": {
    permission: "stores:write",
    prepare: putStore,
    request: ({ target }, token) => withStores(`POST /v1/stores/${target}/check`, { token }),
    elsewhere: "store-not-found",
    limits: ["secret_scopes"],
    action: "store.check",
  },
  "GET /v1/stores": {
    permission: "stores:write",
    prepare: putStore,
    request: (_, token) => withStores("GET /v1/stores", { token }),
    elsewhere: 200,
    limits: [],
    action: "store.read",
  },
  "PUT /v1/webhooks/{name}": {
    permission: "webhooks:write",
    prepare: async (subject) => serviceNameOf(subject),
    request: ({ target }, token) => withWebhooks(`PUT /v1/webhooks/${target}`, { token: readingTheLog(token), json: WEBHOOK }),
    elsewhere: 201,
    limits: [],
    repeats: true,
    action: "webhook.put",
  },
  "GET /v1/webhooks/{name}": {
    permission: "webhooks:write",
    prepare: (subject) => putWebhook(subject),
    request: ({ target }, token) => withWebhooks(`GET /v1/webhooks/${target}`, { token }),
    elsewhere: "webhook-not-found",
    limits: [],
    action: "webhook.read",
  },
  "DELETE /v1/webhooks/{name}": {
    permission: "webhooks:write",
    prepare: (subject) => putWebhook(subject),
    request: ({ target }, token) => withWebhooks(`DELETE /v1/webhooks/${target}`, { token }),
    elsewhere: "webhook-not-found",
    limits: [],
    action: "webhook.delete",
  },
  "POST /v1/webhooks/{name}/rotate": {
    permission: "webhooks:write",
    // What its messages are signed with is for whoever may read all that it tells of.
    prepare: (subject) => putWebhook(subject, { secret_scopes: [subject.scope], secret_names: [subject.name] }),
    request: ({ target }, token) => withWebhooks(`POST /v1/webhooks/${target}/rotate`, { token: readingTheLog(token) }),
    elsewhere: "webhook-not-found",
    limits: both,
    action: "webhook.put",
  },
  "POST /v1/webhooks/{name}/test": {
    permission: "webhooks:write",
    prepare: (subject) => putWebhook(subject),
    request: ({ target }, token) => withWebhooks(`POST /v1/webhooks/${target}/test`, { token }),
    elsewhere: "webhook-not-found",
    limits: [],
    action: "webhook.test",
  },
  "GET /v1/webhooks/{name}/deliveries": {
    permission: "webhooks:write",
    prepare: (subject) => putWebhook(subject),
    request: ({ target }, token) => withWebhooks(`GET /v1/webhooks/${target}/deliveries`, { token }),
    elsewhere: "webhook-not-found",
    limits: [],
    action: "webhook.read",
  },
  "GET /v1/webhooks": {
    permission: "webhooks:write",
    prepare: (subject) => putWebhook(subject),
    request: (_, token) => withWebhooks("GET /v1/webhooks", { token }),
    elsewhere: 200,
    limits: [],
    action: "webhook.read",
  },
  "DELETE /v1/trusts/{name}": {
    permission: "trusts:write",
    prepare: putTrust,
    request: ({ target }, token) => call(`DELETE /v1/trusts/${target}`, { token }),
    elsewhere: "trust-not-found",
    limits: both,
    action: "trust.delete",
  },
};

/** One request of the console's own page, and who gets an answer. A new route is one more row. */
export interface ConsoleOperation {
  /** What it goes by: the session's cookie, a token in its body, or neither. */
  readonly by: "session" | "token" | null;
  /** Makes what it is about; `cookie` is that of a session. */
  readonly prepare?: (org: string) => Promise<string>;
  readonly request: (
    given: { readonly org: string; readonly target: string; readonly token: string | null },
    headers: Record<string, string>,
  ) => Promise<Reply>;
  /** What it answers where nothing is wrong. */
  readonly status: 200 | 201 | 204;
}

/** What the console's own page sends with each request. */
export const OWN_PAGE = { "Keyhole-Console": "1", "Sec-Fetch-Site": "same-origin", "CF-Connecting-IP": "203.0.113.7" };
const ownProvider = callWith({ ALLOW_INSECURE_ISSUERS: "true", FAILURE_LIMIT: undefined });
const asPage = (request: string, headers: Record<string, string>, json?: object) =>
  ownProvider(request, { token: null, headers, ...(json !== undefined && { json }) });

/** Logs somebody in; the session's cookie. */
export async function beginSession(token: string): Promise<string> {
  const { headers } = await asPage("POST /console/api/session", OWN_PAGE, { token });
  return (headers.get("Set-Cookie") ?? "").split(";")[0] ?? "";
}

/** A login by a provider that is there. */
async function loginHere(org: string): Promise<string> {
  const { url, jwksUrl, discoveryUrl } = await startIssuer();
  await publish(discoveryUrl, {
    body: JSON.stringify({ issuer: url, jwks_uri: jwksUrl, authorization_endpoint: `${url}/authorize`, token_endpoint: `${url}/token` }),
  });
  const login = { issuer: url, client_id: "keyhole", claims: { hd: "acme.example" }, permissions: ["secrets:read"] };
  await ownProvider("PUT /v1/logins/work", { token: { org }, json: login });
  return "work";
}

/** A device that waits for somebody to let it in; the code that it shows. */
async function deviceThatWaits(org: string): Promise<string> {
  // Of one network only so many wait.
  const headers = { "Content-Type": "application/x-www-form-urlencoded", "CF-Connecting-IP": `2001:db8:${org.slice(-4)}::1` };
  return (await call("POST /oauth/device_authorization", { token: null, body: "client_id=keyhole-cli", headers })).body.user_code;
}

const PROGRAM = { redirect_uri: "http://127.0.0.1:49152/callback", code_challenge: "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", approved: true };

/**
 * All that the console's own page asks. But for the first two it goes by a session, which a permission, a limit or another organization's
 * name is no matter of: those are the verbs' own, which come last.
 */
export const CONSOLE_OPERATIONS: Readonly<Record<string, ConsoleOperation>> = {
  "POST /console/api/session": {
    by: "token",
    request: ({ token }, headers) => asPage("POST /console/api/session", headers, { token }),
    status: 201,
  },
  "POST /console/api/codes": {
    by: "token",
    // It is there on this machine alone.
    request: ({ token }, headers) => asPage("POST http://127.0.0.1:8787/console/api/codes", headers, { token }),
    status: 201,
  },
  "GET /console/api/session": { by: "session", request: (_, headers) => asPage("GET /console/api/session", headers), status: 200 },
  // Whoever has no session is logged out already.
  "DELETE /console/api/session": { by: null, request: (_, headers) => asPage("DELETE /console/api/session", headers), status: 204 },
  "GET /console/api/logins": {
    by: null,
    prepare: loginHere,
    request: ({ org }, headers) => asPage(`GET /console/api/logins?organization=${org}`, headers),
    status: 200,
  },
  "POST /console/api/logins": {
    by: null,
    prepare: loginHere,
    request: ({ org, target }, headers) => asPage("POST /console/api/logins", headers, { organization: org, login: target }),
    status: 200,
  },
  "POST /console/api/authorizations": {
    by: "session",
    request: (_, headers) => asPage("POST /console/api/authorizations", headers, PROGRAM),
    status: 200,
  },
  "POST /console/api/devices": {
    by: "session",
    prepare: deviceThatWaits,
    request: ({ target }, headers) => asPage("POST /console/api/devices", headers, { user_code: target, approved: true }),
    status: 200,
  },
  "ALL /console/api/*": { by: "session", request: (_, headers) => asPage("GET /console/api/v1/secrets", headers), status: 200 },
};

let made = 0;

/** Makes a secret in an organization, under a name that no other check uses, and what else an operation is about. */
export async function makeSubject(org: string, prepare?: Operation["prepare"]): Promise<Subject> {
  const name = `SUBJECT_${made++}`;
  const { body } = await put("team:subject", name, "subject-value", { token: { org } });
  const subject = { org, scope: "team:subject", name, id: body.id };
  return { ...subject, target: (await prepare?.(subject)) ?? "" };
}
