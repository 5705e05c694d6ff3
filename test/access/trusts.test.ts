import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { PERMISSIONS } from "../../src/contract/permission.ts";
import { type CallOptions, call } from "../support/call.ts";
import { callInsecure, exchange, githubClaims, githubTrust } from "../support/exchange.ts";
import { startIssuer } from "../support/issuer.ts";

const ISSUER = "https://token.actions.githubusercontent.com";

const KEY = { kty: "OKP", crv: "Ed25519", x: "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" };

const putTrust = (name: string, fields: object = {}, options: CallOptions = {}) =>
  call(`PUT /v1/trusts/${name}`, { ...options, json: { ...githubTrust(ISSUER), ...fields } });

describe("a trust", () => {
  it("is made, shown, replaced, listed and deleted", async () => {
    const made = await putTrust("github");
    expect(made.status).toBe(201);
    const given = {
      ...githubTrust(ISSUER),
      permissions: ["secrets:read", "secrets:resolve"],
      secret_names: null,
      services: null,
      expires_in: 900,
      lease_seconds: 0,
      suspended: false,
      reuse: "once",
      jwks_url: null,
      jwks: null,
    };
    expect(made.body).toEqual({
      name: "github",
      ...given,
      created_at: expect.stringMatching(/Z$/),
      created_by: "tester",
      updated_at: made.body.created_at,
      updated_by: "tester",
    });
    expect((await call("GET /v1/trusts/github")).body).toEqual(made.body);

    const replaced = await putTrust("github", { secret_names: ["DEPLOY_*"], expires_in: 60, lease_seconds: 30 }, { token: { sub: "bob" } });
    expect(replaced.status).toBe(200);
    expect(replaced.body).toMatchObject({
      secret_names: ["DEPLOY_*"],
      expires_in: 60,
      lease_seconds: 30,
      created_by: "tester",
      updated_by: "bob",
      created_at: made.body.created_at,
    });

    await putTrust("gitlab");
    expect((await call("GET /v1/trusts")).body.trusts.map(({ name }: { name: string }) => name)).toEqual(["github", "gitlab"]);
    expect((await call("DELETE /v1/trusts/github")).status).toBe(204);
    for (const request of ["GET /v1/trusts/github", "DELETE /v1/trusts/github"])
      expect(await call(request)).toMatchObject({ status: 404, body: { code: "trust-not-found" } });
  });

  it("is another organization's business alone", async () => {
    await putTrust("private");
    const token = { org: "globex" };
    expect((await call("GET /v1/trusts/private", { token })).status).toBe(404);
    expect((await call("DELETE /v1/trusts/private", { token })).status).toBe(404);
    expect((await call("GET /v1/trusts", { token })).body.trusts).toEqual([]);
    expect((await putTrust("private", {}, { token })).status).toBe(201);
    expect((await call("GET /v1/trusts/private")).body.created_by).toBe("tester");
    expect((await call("DELETE /v1/trusts/private", { token })).status).toBe(204);
    expect((await call("GET /v1/trusts/private")).status).toBe(200);
  });

  it("and its deletion are events with its name", async () => {
    await putTrust("on-record");
    await call("DELETE /v1/trusts/on-record");
    const events = await env.DB.prepare("SELECT action, outcome FROM audit_events WHERE target = 'on-record' ORDER BY seq").all();
    expect(events.results).toEqual([
      { action: "trust.put", outcome: "allowed" },
      { action: "trust.delete", outcome: "allowed" },
    ]);
  });
});

describe("is refused:", () => {
  it.each<[string, object, string]>([
    ["no issuer", { issuer: undefined }, "/issuer"],
    ["an issuer that is no address", { issuer: "github" }, "/issuer"],
    ["an issuer with a space, though its keys are given", { issuer: "a b", jwks_url: `${ISSUER}/keys` }, "/issuer"],
    ["an issuer that the internet cannot see, without its keys", { issuer: "https://kubernetes.default.svc.cluster.local" }, "/issuer"],
    ["keys at a private address", { jwks_url: "https://10.0.0.1/keys" }, "/jwks_url"],
    ["keys at no address", { jwks_url: "keys" }, "/jwks_url"],
    ["keys and their address", { jwks_url: `${ISSUER}/keys`, jwks: { keys: [KEY] } }, "/jwks"],
    ["no keys among those given", { jwks: { keys: [] } }, "/jwks/keys"],
    ["a private key", { jwks: { keys: [{ ...KEY, d: "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A" }] } }, "/jwks/keys/0"],
    ["a shared secret as a key", { jwks: { keys: [{ kty: "oct", k: "c2VjcmV0" }] } }, "/jwks/keys/0/kty"],
    ["a key that is broken", { jwks: { keys: [KEY, { ...KEY, x: "AAAA" }] } }, "/jwks/keys/1"],
    ["a key for encryption", { jwks: { keys: [{ ...KEY, crv: "X25519" }] } }, "/jwks/keys/0"],
    ["keys without end", { jwks: { keys: [{ ...KEY, padding: "x".repeat(17_000) }] } }, "/jwks"],
    ["another way of reuse", { reuse: "twice" }, "/reuse"],
    ["an empty audience", { audience: "" }, "/audience"],
    ["no claims", { claims: undefined }, "/claims"],
    ["an empty object of claims: the issuer signs for everybody", { claims: {} }, "/claims"],
    ["claims that may be anything", { claims: { sub: "*", ref: "*" } }, "/claims"],
    ["a * in the middle of a claim's pattern", { claims: { sub: "repo:*:main" } }, "/claims/sub"],
    ["an empty pattern", { claims: { sub: "" } }, "/claims/sub"],
    ["a claim that is no text", { claims: { run: 7 } }, "/claims/run"],
    ["a claim's name with a space", { claims: { "a b": "x" } }, "/claims/a b"],
    ["too many claims", { claims: Object.fromEntries(Array.from({ length: 33 }, (_, n) => [`c${n}`, "x"])) }, "/claims"],
    ["no permissions", { permissions: [] }, "/permissions"],
    ["an unknown permission", { permissions: ["admin"] }, "/permissions/0"],
    ["an empty list of scopes", { secret_scopes: [] }, "/secret_scopes"],
    ["a template of the kind", { secret_scopes: ["${kind}:x"] }, "/secret_scopes/0"],
    ["a template without a separator before *", { secret_scopes: ["repo:${owner}*"] }, "/secret_scopes/0"],
    ["a template that no claim can fill", { secret_scopes: ["global", "repo:acme//${name}"] }, "/secret_scopes/1"],
    ["a scope that there cannot be", { secret_scopes: ["team:a/b"] }, "/secret_scopes/0"],
    ["a template that a-b and c fill as a and b-c do", { secret_scopes: ["agent:${repository_owner}-${environment}"] }, "/secret_scopes/0"],
    ["the same in a part of a repository", { secret_scopes: ["repo:acme/${a}.${b}"] }, "/secret_scopes/0"],
    ["the same with claims whose names have slashes", { secret_scopes: ["team:${https://x/a}${/b/c}"] }, "/secret_scopes/0"],
    ["a template in a name", { secret_names: ["${name}"] }, "/secret_names/0"],
    ["a lifetime under a minute", { expires_in: 59 }, "/expires_in"],
    ["a lifetime over a day", { expires_in: 86_401 }, "/expires_in"],
    ["an unknown field", { subject: "x" }, "/subject"],
  ])("%s", async (_, fields, pointer) => {
    const reply = await putTrust("bad", fields);
    expect(reply).toMatchObject({ status: 400, body: { code: "invalid-request" } });
    expect(reply.body.errors.map((error: { pointer: string }) => error.pointer)).toContain(pointer);
  });

  it.each(["a%2Fb", "-a", "a%20b", "x".repeat(65), "%00"])("the name %s", async (name) => {
    expect((await putTrust(name)).status).toBe(400);
  });
});

describe("conditions", () => {
  const GITLAB = "https://gitlab.com";
  const OWN = "https://keycloak.example.org/realms/acme";
  const K8S = { issuer: "https://kubernetes.default.svc", jwks: { keys: [KEY] } };

  it.each<[string, string, Record<string, string>, RegExp]>([
    ["only aud", OWN, { aud: "keyhole" }, /nothing here says whose/],
    ["only iss", OWN, { iss: OWN }, /nothing here says whose/],
    ["only a kind of sub", ISSUER, { sub: "repo:*" }, /nothing here says whose.*repository_owner/],
    ["only a kind of sub, and more of that kind", ISSUER, { sub: "repo:*", ref: "refs/heads/main", event_name: "push" }, /nothing here says whose/],
    ["only what runs and not whose, at an issuer that signs for everybody", GITLAB, { ref_protected: "true", ref: "main" }, /nothing here says whose/],
    ["only an address' scheme", OWN, { sub: "https://*" }, /nothing here says whose/],
    ["only service accounts", OWN, { sub: "system:serviceaccount:*" }, /nothing here says whose/],
    ["a sub that breaks off in a name", OWN, { sub: "ci-*" }, /breaks off in the middle of a name.*ci--something/],
    ["a workflow that anybody may call", ISSUER, { job_workflow_ref: "acme/ci/.github/workflows/deploy.yml@*" }, /whose tokens/],
  ])("that tie nothing down are refused: %s", async (_, issuer, claims, why) => {
    const reply = await putTrust("loose", { issuer, claims });
    expect(reply).toMatchObject({ status: 400, body: { errors: [{ pointer: "/claims", detail: expect.stringMatching(why) }] } });
  });

  it.each<[string, string, string, string, RegExp]>([
    ["an owner that breaks off", ISSUER, "repository_owner", "acme*", /lets in acme-something.*write acme$/],
    ["an owner that breaks off after a dash", ISSUER, "repository", "acme-*", /middle of a name/],
    ["a repository whose owner breaks off", ISSUER, "repository", "acme*", /write acme\/\*/],
    ["a sub whose owner breaks off", ISSUER, "sub", "repo:acme*", /write repo:acme\/\*/],
    ["the same of a GitLab of one's own", "https://gitlab.example.org", "project_path", "acme*", /write acme\/\*/],
    ["a configuration whose owner breaks off", GITLAB, "ci_config_ref_uri", "gitlab.com/ac*", /gitlab.com\/ac\/\*/],
    ["another issuer", ISSUER, "iss", "https://gitlab.com", /never match/],
    ["a time", OWN, "iat", "1700000000", /another one in each token/],
    ["a token's own id", OWN, "jti", "x", /another one in each token/],
    ["an owner with a slash", ISSUER, "repository_owner", "acme/", /write acme$/],
    ["a repository without one", ISSUER, "repository", "acme", /write owner\/name/],
    ["a branch that GitHub calls otherwise", ISSUER, "ref", "main", /write refs\/heads\/main/],
    ["a branch that GitLab calls otherwise", GITLAB, "ref", "refs/heads/main", /write main/],
    ["a number that is a name", ISSUER, "repository_owner_id", "acme", /is a number/],
    ["an object", OWN, "kubernetes.io", "prod", /write a JSON Pointer, such as \/kubernetes.io\/namespace/],
    ["a member of an object with a dot", OWN, "kubernetes.io.pod.name", "x", /\/kubernetes.io\/pod\/name/],
    ["a member of an object with a slash", OWN, "kubernetes.io/namespace", "x", /\/kubernetes.io\/namespace/],
  ])("that let in others or can never match are refused, and it is said what to write: %s", async (_, issuer, claim, pattern, why) => {
    const reply = await putTrust("loose", { issuer, claims: { sub: "somebody", [claim]: pattern } });
    expect(reply).toMatchObject({ status: 400, body: { errors: [{ pointer: `/claims/${claim.replaceAll("/", "~1")}`, detail: expect.stringMatching(why) }] } });
  });

  it.each<[string, string, Record<string, string>]>([
    ["a sub of an owner's", ISSUER, { sub: "repo:acme/*" }],
    ["repositories that begin alike", ISSUER, { repository: "acme/api-*", ref: "refs/heads/release-*" }],
    ["the beginning of every branch", ISSUER, { repository_owner_id: "123", ref: "refs/*" }],
    ["a workflow of an owner's", ISSUER, { repository_owner: "acme", job_workflow_ref: "acme/ci/.github/workflows/deploy.yml@*" }],
    ["an issuer of one enterprise", `${ISSUER}/acme`, { repository_owner: "acme" }],
    ["a namespace", GITLAB, { namespace_path: "acme", ref: "main" }],
    ["a trust domain", OWN, { sub: "spiffe://example.org/*" }],
    ["service accounts of a namespace", OWN, { sub: "system:serviceaccount:prod:*" }],
    ["what lies deeper", OWN, { "/kubernetes.io/namespace": "prod" }],
    ["one of a list", OWN, { groups: "acme:deployers" }],
    ["a name with slashes", OWN, { "https://example.org/tenant": "acme" }],
    ["the issuer's beginning beside a sub", OWN, { iss: "https://keycloak.example.org/*", sub: "x" }],
  ])("that say whose tokens these are, are taken: %s", async (_, issuer, claims) => {
    expect((await putTrust("tied", { issuer, claims })).status).toBeLessThan(300);
  });

  it("address what lies deeper, one of a list, and a name with slashes; templates do so too", async () => {
    const issuer = await startIssuer();
    const fields = {
      claims: { "/kubernetes.io/namespace": "prod", groups: "deployers", "https://example.org/tenant": "acme", "/a~1b/0": "x" },
      secret_scopes: ["namespace:${/kubernetes.io/namespace}", "team:${https://example.org/tenant}", "repo:${/kubernetes.io/namespace}/${/a~1b/0}"],
    };
    expect((await callInsecure("PUT /v1/trusts/deep", { json: { ...githubTrust(issuer.url), ...fields } })).status).toBe(201);
    const good = {
      ...githubClaims(issuer.url),
      "kubernetes.io": { namespace: "prod" },
      groups: ["dev", "deployers"],
      "https://example.org/tenant": "acme",
      "a/b": ["x"],
    };
    const swap = async (claims: object) => exchange(await issuer.sign({ ...good, ...claims }), { audience: "acme/deep" });
    const { body } = await swap({});
    expect((await call("GET /v1/whoami", { token: body.access_token })).body.secret_scopes).toEqual(["namespace:prod", "team:acme", "repo:prod/x"]);
    const others = [
      { "kubernetes.io": { namespace: "dev" } },
      { "kubernetes.io": "prod" },
      { "kubernetes.io": [{ namespace: "prod" }] },
      { groups: ["dev"] },
      { groups: { 0: "deployers" } },
      { groups: [["deployers"]] },
      { "a/b": ["y", "x"] },
      { "/kubernetes.io/namespace": "prod", "kubernetes.io": undefined },
    ];
    for (const claims of others) expect((await swap(claims)).status).toBe(400);
  });

  it("take the deployment's own address as the audience where none is given", async () => {
    expect((await putTrust("here", { audience: undefined, ...K8S, claims: { sub: "x" } })).body).toMatchObject({
      audience: "https://keyhole.test",
      reuse: "until-expiry",
    });
  });
});

describe("never more than the maker holds:", () => {
  it.each(PERMISSIONS.filter((permission) => permission !== "trusts:write"))("not %s, which it lacks", async (permission) => {
    const scope = PERMISSIONS.filter((held) => held !== permission).join(" ");
    expect((await putTrust("climb", { permissions: [permission] }, { token: { scope } })).status).toBe(403);
  });

  it("nothing at all without trusts:write, for any call", async () => {
    await putTrust("kept");
    const token = { scope: PERMISSIONS.filter((held) => held !== "trusts:write").join(" ") };
    for (const request of ["GET /v1/trusts", "GET /v1/trusts/kept", "DELETE /v1/trusts/kept"]) expect((await call(request, { token })).status).toBe(403);
    expect((await putTrust("kept", {}, { token })).status).toBe(403);
  });

  it.each<[string[], string[] | undefined, number]>([
    [["repo:acme/*"], ["repo:acme/${name}"], 201],
    [["repo:acme/*"], ["repo:acme/${name}/*"], 201],
    [["repo:acme/*"], ["repo:acme/api"], 201],
    [["repo:*"], ["repo:${repository}"], 201],
    [["repo:acme/*"], ["repo:${repository}"], 403],
    [["repo:acme/*"], ["repo:${owner}/api"], 403],
    [["repo:acme/*"], ["repo:acme${name}"], 403],
    [["repo:acme/*"], ["repo:acme/${name}", "namespace:${env}"], 403],
    [["repo:acme/api"], ["repo:acme/${name}"], 403],
    [["repo:acme/*"], ["repo:acme*"], 403],
    [["repo:acme/*"], undefined, 403],
    [["repo:acme/*"], ["*"], 403],
    [["repo:acme/*", "global"], ["global", "repo:acme/${name}"], 201],
    [["team:a*"], ["team:a${name}"], 201],
    [["team:a*"], ["team:${name}"], 403],
  ])("with the limits %j it may give %j: %i", async (held, secret_scopes, status) => {
    const name = `limits-${crypto.randomUUID()}`;
    expect((await putTrust(name, { secret_scopes }, { token: { secret_scopes: held } })).status).toBe(status);
  });

  it("not a name outside its limits", async () => {
    const token = { secret_names: ["DEPLOY_*"] };
    expect((await putTrust("names", { secret_names: ["DEPLOY_KEY"] }, { token })).status).toBe(201);
    for (const secret_names of [["OTHER"], ["*"], undefined]) expect((await putTrust("names", { secret_names }, { token })).status).toBe(403);
  });

  it("whatever the claims say, an exchanged token stays within what the maker held", async () => {
    const issuer = await startIssuer();
    const trust = { ...githubTrust(issuer.url), secret_scopes: ["repo:acme/${repository}"] };

    expect((await callInsecure("PUT /v1/trusts/within", { token: { secret_scopes: ["repo:acme/*"] }, json: trust })).status).toBe(201);
    for (const repository of ["../globex/x", "api*", "*", "x/y", "", "api:x", "api/"]) {
      const token = await issuer.sign({ ...githubClaims(issuer.url), repository });
      expect((await exchange(token, { audience: "acme/within" })).status).toBe(400);
    }
    const good = await issuer.sign({ ...githubClaims(issuer.url), repository: "api" });
    const reply = await exchange(good, { audience: "acme/within" });
    expect((await call("GET /v1/whoami", { token: reply.body.access_token })).body.secret_scopes).toEqual(["repo:acme/api"]);
  });

  it("and the attempt is a denied event", async () => {
    await putTrust("climb", { permissions: ["keys:write"] }, { token: { scope: "trusts:write", sub: "climber" } });
    const event = await env.DB.prepare("SELECT action, outcome FROM audit_events WHERE actor = 'climber'").first();
    expect(event).toEqual({ action: "trust.put", outcome: "denied" });
  });
});

describe("a caller with limits", () => {
  const token = { secret_scopes: ["repo:acme/*"] };

  it("neither sees, replaces nor deletes a trust that reaches further", async () => {
    await putTrust("wide", { secret_scopes: ["repo:${repository}"] });
    await putTrust("narrow", { secret_scopes: ["repo:acme/${name}"] });
    const names = (await call("GET /v1/trusts", { token })).body.trusts.map(({ name }: { name: string }) => name);
    expect(names).toContain("narrow");
    expect(names).not.toContain("wide");
    expect((await call("GET /v1/trusts/wide", { token })).status).toBe(403);
    expect((await putTrust("wide", { secret_scopes: ["repo:acme/api"] }, { token })).status).toBe(403);
    expect((await call("DELETE /v1/trusts/wide", { token })).status).toBe(403);
    expect((await call("GET /v1/trusts/wide")).body.secret_scopes).toEqual(["repo:${repository}"]);
    expect((await putTrust("narrow", { secret_scopes: ["repo:acme/api"] }, { token })).status).toBe(200);
    expect((await call("DELETE /v1/trusts/narrow", { token })).status).toBe(204);
  });

  it("gets full pages of what it may see, and no cursor tells of what it may not", async () => {
    const org = { org: "paged" };
    for (const name of ["a", "c", "d", "e"]) await putTrust(name, { secret_scopes: ["repo:${repository}"] }, { token: org });
    for (const name of ["b", "f"]) await putTrust(name, { secret_scopes: ["repo:acme/${name}"] }, { token: org });
    const page = (query: string, token: { org: string; secret_scopes?: string[] }) => call(`GET /v1/trusts?limit=1${query}`, { token });
    const first = await page("", { ...org, ...token });
    const next = await page(`&cursor=${first.body.next_cursor}`, { ...org, ...token });
    const named = [first, next].map(({ body }) => body.trusts.map(({ name }: { name: string }) => name));
    expect([named, atob(first.body.next_cursor), next.body.next_cursor]).toEqual([[["b"], ["f"]], '"b"', null]);
    expect((await page("", org)).body.trusts).toMatchObject([{ name: "a" }]);
    expect((await page("&cursor=x", org)).body.errors).toEqual([{ pointer: "query:cursor", detail: "not a cursor of this list" }]);
  });
});
