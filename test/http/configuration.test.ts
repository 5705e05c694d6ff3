import { createExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { version } from "../../package.json";
import { PERMISSIONS } from "../../src/contract/permission.ts";
import { ConfigError, type Env, parseConfig } from "../../src/worker/config.ts";
import { createApp } from "../../src/worker/http/app.ts";
import { call } from "../support/call.ts";
import { callWith } from "../support/call-with.ts";
import { sign } from "../support/sign.ts";
import { FOREIGN_SIGNING_KEY, OIDC_TEST_KEY } from "../support/test-secrets.ts";

const WRAPPED = JSON.parse(env.KEYRING ?? "").keys.k1 as string;
const PRIVATE = JSON.parse(env.SIGNING_KEY ?? "") as { x: string; d: string; kid: string };
const RSA = JSON.parse(OIDC_TEST_KEY) as { n: string; d: string };
const keyring = (value: unknown) => ({ KEYRING: JSON.stringify(value) });
const signing = (change: object) => ({ SIGNING_KEY: JSON.stringify({ ...PRIVATE, ...change }) });

/** What is wrong with the environment, the part it belongs to, and what the fault must name. */
const FAULTS: [label: string, change: Partial<Record<keyof Env, string | undefined>>, part: string, named: string][] = [
  ["no ROOT_KEY", { ROOT_KEY: undefined }, "keyring", "ROOT_KEY is not set"],
  ["an empty ROOT_KEY", { ROOT_KEY: "" }, "keyring", "ROOT_KEY is not set"],
  ["a ROOT_KEY that is no base64", { ROOT_KEY: "not base64 at all!" }, "keyring", "ROOT_KEY"],
  ["a ROOT_KEY that is too short", { ROOT_KEY: btoa("short") }, "keyring", "ROOT_KEY"],
  ["another ROOT_KEY", { ROOT_KEY: new Uint8Array(32).toBase64() }, "keyring", "does not unwrap under ROOT_KEY"],
  ["no KEYRING", { KEYRING: undefined }, "keyring", "KEYRING is not set"],
  ["a KEYRING that is no JSON", { KEYRING: "{" }, "keyring", "KEYRING"],
  ["a KEYRING without keys", keyring({ current: "k1" }), "keyring", "KEYRING"],
  ["a KEYRING whose current key is not there", keyring({ current: "k2", keys: { k1: WRAPPED } }), "keyring", "current"],
  ["a KEYRING that calls a property of all objects current", keyring({ current: "toString", keys: { k1: WRAPPED } }), "keyring", "current"],
  ["a KEYRING with a key that is cut off", keyring({ current: "k1", keys: { k1: WRAPPED.slice(8) } }), "keyring", "k1"],
  ["no SIGNING_KEY", { SIGNING_KEY: undefined }, "signing_key", "SIGNING_KEY is not set"],
  ["a SIGNING_KEY that is no JSON", { SIGNING_KEY: "x" }, "signing_key", "SIGNING_KEY"],
  ["a SIGNING_KEY without its private half", signing({ d: undefined }), "signing_key", "SIGNING_KEY"],
  ["a SIGNING_KEY of another curve", signing({ crv: "X25519" }), "signing_key", "SIGNING_KEY"],
  ["a SIGNING_KEY whose halves do not match", signing({ x: JSON.parse(FOREIGN_SIGNING_KEY).x }), "signing_key", "SIGNING_KEY"],
  ["an empty set of signing keys", { SIGNING_KEY: '{"keys":[]}' }, "signing_key", "SIGNING_KEY"],
  ["two signing keys with one kid", { SIGNING_KEY: JSON.stringify({ keys: [PRIVATE, PRIVATE] }) }, "signing_key", "kid"],
  ["an OIDC_KEY that is no JSON", { OIDC_KEY: "x" }, "oidc_key", "OIDC_KEY"],
  ["an OIDC_KEY without its private half", { OIDC_KEY: JSON.stringify({ ...RSA, d: undefined }) }, "oidc_key", "OIDC_KEY"],
  ["an OIDC_KEY whose halves do not match", { OIDC_KEY: JSON.stringify({ ...RSA, n: `w${RSA.n.slice(1)}` }) }, "oidc_key", "OIDC_KEY"],
  ["an OIDC_KEY that is a signing key", { OIDC_KEY: JSON.stringify(PRIVATE) }, "oidc_key", "OIDC_KEY"],
  ["two keys with one kid in OIDC_KEY", { OIDC_KEY: JSON.stringify({ keys: [RSA, RSA] }) }, "oidc_key", "kid"],
  ["a PUBLIC_URL with a path", { PUBLIC_URL: "https://keyhole.example.com/x" }, "vars", "PUBLIC_URL"],
  ["a PUBLIC_URL in the clear", { PUBLIC_URL: "http://keyhole.example.com" }, "vars", "PUBLIC_URL"],
  ["a PLATFORM_ORG that is no name", { PLATFORM_ORG: "a/b" }, "vars", "PLATFORM_ORG"],
  ["a PLATFORM_ORG that is a part of Keyhole's own addresses", { PLATFORM_ORG: "secret" }, "vars", "PLATFORM_ORG"],
  ["RESERVED_NAMES with a * in the middle", { RESERVED_NAMES: "A*B" }, "vars", "RESERVED_NAMES"],
];

const environment = (change: object): Env => ({ ...env, ...change });

async function ask(changed: Env, path: string): Promise<{ status: number; body: { unusable?: unknown; code?: string }; text: string; headers: Headers }> {
  const request = new Request(`https://keyhole.test${path}`, { headers: { Authorization: `Bearer ${await sign()}` } });
  const reply = await createApp().fetch(request, changed, createExecutionContext());
  const text = await reply.text();
  return { status: reply.status, headers: reply.headers, text, body: JSON.parse(text) };
}

/** The secrets of an environment, and those parts of them that are secret by themselves. */
function secretsOf({ ROOT_KEY, KEYRING, SIGNING_KEY }: Env): string[] {
  return [ROOT_KEY, KEYRING, SIGNING_KEY, WRAPPED, WRAPPED.slice(8), PRIVATE.d, RSA.d].filter((text): text is string => (text?.length ?? 0) > 4);
}

let logged: string[];
beforeEach(() => {
  logged = [];
  for (const method of ["log", "error", "warn"] as const) vi.spyOn(console, method).mockImplementation((line: string) => void logged.push(line));
});
afterEach(() => vi.restoreAllMocks());

describe.each(FAULTS)("with %s", (_, change, part, named) => {
  it("nothing under /v1 works, /readyz names the part, the log says what is wrong, and no secret is shown", async () => {
    const changed = environment(change);
    const ready = await ask(changed, "/readyz");
    expect(ready.status).toBe(503);
    expect(ready.body).toEqual({ status: "not-ready", unusable: [{ part }] });
    expect(logged.filter((line) => line.includes('"event":"not-ready"'))).toEqual([expect.stringContaining(named.replaceAll('"', '\\"'))]);
    const refused = await ask(changed, "/v1/secrets");
    expect([refused.status, refused.body.code]).toEqual([503, "storage-unavailable"]);
    expect((await ask(changed, "/.well-known/jwks.json")).status).toBe(503);
    expect((await ask(changed, "/healthz")).status).toBe(200);
    expect(logged.filter((line) => line.includes('"event":"config"'))).toEqual([expect.stringContaining(named.replaceAll('"', '\\"'))]);
    for (const secret of secretsOf(changed)) expect(ready.text + refused.text + logged.join("\n")).not.toContain(secret);
  });

  it("parsing throws a ConfigError that names it", async () => {
    const error = await parseConfig(environment(change)).catch((error: unknown) => error);
    expect(error).toBeInstanceOf(ConfigError);
    expect(String(error)).toContain(named);
  });
});

describe("configuration", () => {
  it("names everything that is wrong at once", async () => {
    const { body } = await ask(environment({ ROOT_KEY: undefined, SIGNING_KEY: "x", PLATFORM_ORG: "/" }), "/readyz");
    expect((body.unusable as { part: string }[]).map(({ part }) => part)).toEqual(["keyring", "signing_key", "vars"]);
  });

  it("takes an old key beside the current one, a set of signing keys, and a key without a kid", async () => {
    const keys = { keys: [JSON.parse(FOREIGN_SIGNING_KEY), { ...PRIVATE, kid: undefined }] };
    const config = await parseConfig(
      environment({ SIGNING_KEY: JSON.stringify(keys), PLATFORM_ORG: "", ...keyring({ current: "k2", keys: { k1: WRAPPED, k2: WRAPPED } }) }),
    );
    expect([config.keyring.current, [...config.keyring.keys.keys()], config.platformOrg]).toEqual(["k2", ["k1", "k2"], null]);
    expect(config.signingKeys.jwks.keys.map(({ kid }) => kid)).toEqual(["smwqxu5fx", expect.stringMatching(/^[\w-]{43}$/)]);
  });

  it("keeps keys that nobody can export", async () => {
    const { keyring, signingKeys } = await parseConfig(env);
    for (const key of [...keyring.keys.values(), signingKeys.signer.key]) expect(key.extractable).toBe(false);
    expect(JSON.stringify(signingKeys.jwks)).not.toContain('"d"');
  });
});

it("reserved names are those of the environment, so they are taken in capital letters", async () => {
  expect((await parseConfig(environment({ RESERVED_NAMES: "my_* , OTHER" }))).reservedNames).toEqual(["MY_*", "OTHER"]);
});

describe("/readyz", () => {
  const readiness = async (changed: object) => ask(environment(changed), "/readyz");

  it("is 200 when all is well", async () => {
    const { status, body } = await readiness({});
    // Without a run there is nothing that anybody has found.
    const rows = { verdict: "unknown", faults: 0, compared_since: null, lost_at: null };
    const integrity = { registry: "unknown", logs: 0, forged_objects: 0, judged_at: null, lost_at: null, rows, shorter_retention: null };
    const notices = [{ part: "log_key", detail: "LOG_KEY is not set: SIGNING_KEY signs the audit log too" }];
    const backlog = {
      ...{
        set_aside: 0,
        legacy_plaintext: 0,
        audit_logs: 0,
        integrity_failures: 0,
        env_name_conflicts: 0,
        lost_values: 0,
        leases_unsettled: 0,
      },
      ...{ scheduled: expect.objectContaining({ sealed: { events: 0, seconds: 0 } }), database_bytes: expect.any(Number), database_days_left: null },
    };
    expect([status, body]).toEqual([200, { status: "ready", unusable: [], version, degraded: [], notices, backlog, integrity }]);
    expect(body).toHaveProperty(
      "backlog.database_bytes",
      expect.toSatisfy((bytes: number) => bytes > 100_000),
    );
  });

  it.each([
    ["d1", { DB: undefined }],
    ["d1", { DB: { prepare: () => ({}), batch: () => Promise.reject(new Error("down")) } }],
    ["d1", { DB: { prepare: () => ({}), batch: () => Promise.resolve([{ results: [{ n: 3 }] }]) } }],
    ["kv", { KV: undefined }],
    ["kv", { KV: { get: () => Promise.reject(new Error("down")) } }],
  ])("is 503 naming %s when it is not usable", async (part, changed) => {
    const { status, body } = await readiness(changed);
    expect([status, body.unusable]).toEqual([503, [part === "d1" ? { part } : { part, detail: expect.any(String) }]]);
  });

  it.each([
    ["nobody", null],
    ["a token without keys:read", { scope: PERMISSIONS.filter((permission) => permission !== "keys:read").join(" ") }],
  ])("tells %s only whether it is ready, and what is not usable", async (_, token) => {
    expect((await callWith({})("GET /readyz", { token })).body).toEqual({ status: "ready", unusable: [] });
    const down = await callWith({ KV: undefined })("GET /readyz", { token });
    expect([down.status, down.body]).toEqual([503, { status: "not-ready", unusable: [{ part: "kv" }] }]);
    const old = await callWith(keyring({ current: "k1", keys: { k1: WRAPPED, k0: "AAAA" } }))("GET /readyz", { token });
    expect([old.status, old.body]).toEqual([200, { status: "ready", unusable: [] }]);
  });

  it("refuses a token that is not good, as everywhere", async () => {
    const minted = (await call("POST /v1/tokens", { json: { label: "ops", permissions: ["keys:read"], expires_in: 60 } })).body;
    expect((await call("GET /readyz", { token: minted.token })).body).toMatchObject({ status: "ready", backlog: {}, integrity: {} });
    expect((await call(`DELETE /v1/tokens/${minted.id}`)).status).toBe(204);
    for (const token of [minted.token, `${await sign()}x`, await sign({ exp: 1 })]) {
      const reply = await call("GET /readyz", { token });
      expect([reply.status, reply.body.code, reply.headers.get("WWW-Authenticate")]).toEqual([401, "unauthenticated", 'Bearer error="invalid_token"']);
    }
  });

  it("asks D1 of nobody for no more than it needs to say whether it is ready", async () => {
    const batches = vi.spyOn(env.DB, "batch");
    const ask = callWith({});
    await ask("GET /readyz", { token: null });
    batches.mockClear();
    await ask("GET /readyz", { token: null });
    expect(batches.mock.calls.map(([statements]) => statements.length)).toEqual([3]);
  });
});
