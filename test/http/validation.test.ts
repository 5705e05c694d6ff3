import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { at, type CallOptions, call, put, type Reply } from "../support/call.ts";
import { resolvedValue } from "../support/resolved-value.ts";

const TABLES = ["secrets", "versions", "kv_removals", "audit_events", "guard"];

async function countRows(): Promise<number[]> {
  const results = await env.DB.batch<{ n: number }>(TABLES.map((table) => env.DB.prepare(`SELECT COUNT(*) AS n FROM ${table}`)));
  return results.map(({ results: [row] }) => row?.n ?? -1);
}

/** Makes a request that is to be refused, and sees that it leaves no row in any table. */
async function refused(request: string, options: CallOptions): Promise<Reply> {
  const before = await countRows();
  const reply = await call(request, options);
  expect(await countRows()).toEqual(before);
  expect(reply.headers.get("Content-Type")).toBe("application/problem+json");
  return reply;
}

const setBody = (json: unknown, name = "SUBJECT") => refused(`PUT ${at("global", name)}`, { json });
const raw = (body: BodyInit, contentType: string, name = "SUBJECT") => refused(`PUT ${at("global", name)}`, { body, headers: { "Content-Type": contentType } });

describe("a name", () => {
  it.each(["A", "_", "a.b-c_9", "Z".repeat(128)])("may be %s", async (name) => {
    expect((await put("team:names", name, "v")).status).toBe(201);
  });

  it.each(["1A", "-A", ".A", "A B", "A/B", "É", "A=", "A'", "A\n", "A\0", "Z".repeat(129)])("may not be %j", async (name) => {
    const { status, body } = await refused(`PUT ${at("global", name)}`, { json: { value: "v" } });
    expect([status, body.code, body.errors[0].pointer]).toEqual([400, "invalid-request", "path:name"]);
    const posted = await refused("POST /v1/secrets", { json: { scope: "global", name, value: "v" } });
    expect([posted.status, posted.body.errors[0].pointer]).toEqual([400, "/name"]);
  });
});

describe("a reserved name", () => {
  it.each([
    ["PATH", "PATH", "Keyhole's own list (the user and the search path)"],
    ["LD_PRELOAD", "LD_*", "loaders"],
    ["NODE_OPTIONS", "NODE_OPTIONS", "Node.js"],
    ["GIT_SSH_COMMAND", "GIT_SSH_COMMAND", "version control"],
    ["TAR_OPTIONS", "TAR_OPTIONS", "command line tools"],
    ["LUA_INIT_5_4", "LUA_INIT_*", "other languages"],
    ["NPM_CONFIG_REGISTRY", "NPM_CONFIG_*", "package managers"],
    ["HTTPS_PROXY", "HTTPS_PROXY", "proxies"],
    ["KEYHOLE_URL", "KEYHOLE_*", "Keyhole's own list (Keyhole's own"],
    ["CONNECT_TOKEN", "CONNECT_TOKEN", "RESERVED_NAMES"],
    ["AWS_SECRET_KEY", "AWS_*", "RESERVED_NAMES"],
    ["R2_", "R2_*", "RESERVED_NAMES"],
  ])("%s is refused, and the detail names %s of %s", async (name, pattern, source) => {
    const replies = [await setBody({ value: "v" }, name), await refused("POST /v1/secrets", { json: { scope: "team:x", name, value: "v" } })];
    for (const { status, body } of replies) {
      expect([status, body.code]).toEqual([422, "name-reserved"]);
      expect(body.detail).toContain(`pattern ${pattern} `);
      expect(body.detail).toContain(source);
    }
  });

  it.each(["PATHS", "MY_PATH", "AWS", "FLYING", "session_label_2", "ENVIRONMENT", "OPENAI_BASE_URL"])("is not %s", async (name) => {
    expect((await put("team:free", name, "v")).status).toBe(201);
  });

  it.each(["path", "Ld-Preload", "node.options", "http_proxy", "npm_config_registry", "aws-secret.key"])(
    "is only what %s becomes: it is stored, and no variable",
    async (name) => {
      const scope = `team:${name}`;
      expect((await put(scope, name, "v")).status).toBe(201);
      expect(await resolvedValue(name, scope)).toBe("v");
      const { body, headers } = await call("POST /v1/resolve?format=env", { json: { scopes: [scope], names: [name] } });
      expect([body, headers.get("Keyhole-Left-Out")]).toEqual([{}, `"${name}";reason=skipped`]);
    },
  );
});

describe("the name __proto__, which JavaScript's objects lose", () => {
  const name = '"__proto__"';
  it.each<[string, string]>([
    ["PUT /v1/scopes/global/secrets/LOST", `{"value":"v","labels":{${name}:"a"}}`],
    ["PUT /v1/scopes/global/secrets/LOST", '{"value":"v","labels":{"\\u005f_proto__":"a"}}'],
    ["PUT /v1/trusts/lost", `{"claims":{"a/b":{${name}:"x"},"sub":"x"}}`],
    ["POST /v1/resolve", `{${name}:{}}`],
  ])("is refused in a body: %s %s", async (request, body) => {
    const reply = await call(request, { body, headers: { "Content-Type": "application/json" } });
    expect([reply.status, reply.body.errors]).toEqual([400, [{ pointer: "", detail: "the name __proto__ is not taken" }]]);
  });

  it("is no name of a secret", async () => {
    const set = await refused(`PUT ${at("global", "__proto__")}`, { json: { value: "v" } });
    expect([set.status, set.body.errors]).toEqual([400, [{ pointer: "path:name", detail: "the name __proto__ is not taken" }]]);
    const created = await refused("POST /v1/secrets", { json: { scope: "global", name: "__proto__", value: "v" } });
    expect([created.status, created.body.errors[0].pointer]).toEqual([400, "/name"]);
  });

  it("may be part of a value", async () => {
    expect((await put("global", "ABOUT_PROTO", '{"__proto__":1} \\u005f')).status).toBe(201);
  });
});

describe("a scope", () => {
  const deepest = `repo:${Array(20).fill("p".repeat(100)).join("/")}`;
  const real = ["repo:acme/.github", "repo:acme/_site", "repo:-a/..a/...", `repo:acme/${"p".repeat(80)}`, "repo:a/b/c/d/e/f/g/h/i"];
  it.each(["global", `team:${"t".repeat(64)}`, "namespace:9.a_b-c", "agent:A", deepest, ...real])("may be %s", async (scope) => {
    const set = await put(scope, "SCOPED", scope);
    expect([set.status, set.body.scope]).toEqual([201, scope]);
    expect(await resolvedValue("SCOPED", scope)).toBe(scope);
  });

  const wrong = ["", "Global", "global:", "global:x", "team", "team:", "team:a/b", "team:.a", "team:-a", "team:a b", "team:é", "teams:a", "builtin"];
  const long = [
    `team:${"t".repeat(65)}`,
    `repo:${Array(21).fill("p").join("/")}`,
    `repo:${"p".repeat(101)}`,
    "repo:.",
    "repo:a/..",
    "repo:./a",
    "repo:a//b",
    "repo:/a",
    "repo:a/",
    "repo:a/../b",
    "repo:a\n",
    "team:a*",
  ];
  it.each([...wrong, ...long])("may not be %j", async (scope) => {
    const posted = await refused("POST /v1/secrets", { json: { scope, name: "SUBJECT", value: "v" } });
    expect([posted.status, posted.body.errors[0].pointer]).toEqual([400, "/scope"]);
    if (scope !== "") expect((await refused(`PUT ${at(scope, "SUBJECT")}`, { json: { value: "v" } })).body.errors[0].pointer).toBe("path:scope");
  });

  it("is one percent-encoded segment of the path", async () => {
    expect((await refused("PUT /v1/scopes/repo:a/b/secrets/SUBJECT", { json: { value: "v" } })).body.code).toBe("route-not-found");
  });
});

describe("a body of a megabyte in which everything is wrong", () => {
  const names = (name: (n: number) => string, count: number) => Object.fromEntries(Array.from({ length: count }, (_, n) => [name(n), "v"]));
  it.each<[string, string, unknown, number]>([
    ["fields that there are not", `PUT ${at("global", "SUBJECT")}`, names((n) => `f${n}`, 80_000), 80_001],
    ["a name as long as it", `PUT ${at("global", "SUBJECT")}`, { value: "v", ["é".repeat(500_000)]: 1 }, 1],
    ["long names of control characters", `PUT ${at("global", "SUBJECT")}`, { value: "v", ...names((n) => "\u0001".repeat(300) + n, 550) }, 550],
    ["names of secrets", "POST /v1/import", { scope: "global", secrets: names((n) => `- ${n}${"x".repeat(1800)}`, 500) }, 500],
    ["claims", "PUT /v1/trusts/wide", { claims: names((n) => `- ${n}${"x".repeat(1800)}`, 500) }, 502],
  ])("is answered with few of them, and how many more there are: %s", async (_, request, json, count) => {
    const { status, body, text } = await refused(request, { json });
    expect([status, body.code]).toEqual([400, "invalid-request"]);
    expect(text.length).toBeLessThan(8_000);
    const { errors } = body as { errors: { detail: string }[] };
    const [, more = "0"] = /^and (\d+) more, which are not listed$/.exec(errors.at(-1)?.detail ?? "") ?? [];
    expect(Number(more) + errors.length - (more === "0" ? 0 : 1)).toBe(count);
    if (count > 1) expect(body.detail).toContain(` (and ${count - 1} more)`);
  });
});

describe("a field of the body", () => {
  it.each<[object, string]>([
    [{ value: "v", valeu: "x" }, "/valeu"],
    [{ value: "v", "a/b~c": 1 }, "/a~1b~0c"],
    [{}, "/value"],
    [{ value: "" }, "/value"],
    [{ value: null }, "/value"],
    [{ value: 7 }, "/value"],
    [{ value: "\ud800" }, "/value"],
    [{ value: "a\udc00b" }, "/value"],
    [{ value: "v", description: "\ud800" }, "/description"],
    [{ value: "v", description: "d".repeat(1025) }, "/description"],
    [{ value: "v", labels: { k: "\udfff" } }, "/labels/k"],
    [{ value: "v", labels: { "": "x" } }, "/labels/"],
    [{ value: "v", labels: { k: 1 } }, "/labels/k"],
    [{ value: "v", labels: { k: "x".repeat(257) } }, "/labels/k"],
    [{ value: "v", labels: Object.fromEntries(Array.from({ length: 33 }, (_, n) => [`k${n}`, ""])) }, "/labels"],
    [{ value: "v", encoding: "hex" }, "/encoding"],
    [{ value: "v", expires_at: "tomorrow" }, "/expires_at"],
    [{ value: "v", expires_at: "2030-02-30T00:00:00Z" }, "/expires_at"],
    [{ value: "v", expires_at: 1900000000 }, "/expires_at"],
    [{ value: "v", rotate_after_days: 0 }, "/rotate_after_days"],
    [{ value: "v", rotate_after_days: 3651 }, "/rotate_after_days"],
    [{ value: "v", rotate_after_days: 1.5 }, "/rotate_after_days"],
  ])("as in %j is refused at %s", async (json, pointer) => {
    const { status, body } = await setBody(json);
    expect([status, body.code, body.errors[0].pointer]).toEqual([400, "invalid-request", pointer]);
  });

  it.each(["[]", "null", '"v"', "{", '{"value":', "", "\u0000"])("cannot come from the body %j", async (body) => {
    expect((await raw(body, "application/json")).status).toBe(400);
  });

  it("is refused once for each thing that is wrong", async () => {
    const { body } = await setBody({ value: "", encoding: "hex", what: 1 });
    expect(body.errors.map(({ pointer }: { pointer: string }) => pointer).sort()).toEqual(["/encoding", "/value", "/what"]);
  });

  it("named __proto__ is refused as unknown", async () => {
    expect((await raw('{"value":"v","__proto__":{"encoding":"base64"}}', "application/json")).status).toBe(400);
  });
});

describe("base64", () => {
  it.each(["YQ", "YQ=", "YR==", "Y Q", "-_-_", "YQ==YQ==", "YQ==\n!", "====", "é"])("is not %j", async (value) => {
    const { status, body } = await setBody({ value, encoding: "base64" });
    expect([status, body.errors[0].pointer]).toEqual([400, "/value"]);
    expect(JSON.stringify(body)).not.toContain(JSON.stringify(value).slice(1, -1));
  });
});
