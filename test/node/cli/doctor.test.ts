import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { examineDeployment } from "../../../src/cli/doctor/examine-deployment.ts";
import { openSessionAt } from "../../../src/cli/session.ts";
import { type Client, createClient } from "../../../src/client/create-client.ts";
import { readinessSchema } from "../../../src/contract/readiness.ts";

const URL_ = "https://keyhole.example";
const WELL = readinessSchema.meta()?.example as Record<string, unknown>;
const KEY = { id: "k_1", current: true, versions: 4, archives: 0, seals: 2, tokens: 0, available: true };
const CALLER = {
  ...{ org: "acme", sub: "ada", token_id: null, permissions: ["keys:read"], expires_at: null, lease_seconds: 0 },
  ...{ secret_scopes: null, secret_names: null, services: null },
};
/** What a deployment that is well answers. */
const REPLIES: Record<string, unknown> = {
  "/healthz": { status: "ok" },
  "/readyz": WELL,
  "/v1/whoami": CALLER,
  "/v1/keys": { counted: "deployment", keys: [KEY] },
};

/** What was asked, with whether a token went along. */
let asked: string[];
beforeEach(() => {
  asked = [];
  for (const name of ["KEYHOLE_URL", "KEYHOLE_TOKEN", "KEYHOLE_PROFILE", "KEYHOLE_TRUST"]) vi.stubEnv(name, undefined);
  vi.stubEnv("XDG_CONFIG_HOME", "/nowhere");
});
afterEach(() => vi.unstubAllEnvs());

async function examine({ url = URL_, replies = {}, anonymous = false }: { url?: string; replies?: Record<string, unknown>; anonymous?: boolean } = {}) {
  const fetch = (async (input: string, init?: RequestInit) => {
    const path = new URL(input).pathname;
    asked.push(`${path}${new Headers(init?.headers).has("Authorization") ? " with the token" : ""}`);
    const reply = { ...REPLIES, ...replies }[path];
    if (reply instanceof Error) throw reply;
    return Response.json(reply, { status: (reply as { status?: unknown })?.status === "not-ready" ? 503 : 200 });
  }) as typeof globalThis.fetch;
  const client: Client = createClient({ baseUrl: url, token: "secret-token", fetch, retries: 0 });
  const found = await examineDeployment({ url, fetch, version: "0.1.0", session: anonymous ? undefined : { client, held: () => "secret-token" } });
  return found.map((finding) => `${finding.verdict} ${finding.check}: ${finding.says}`);
}

it("says of a deployment that is well what was looked at", async () => {
  expect(await examine()).toEqual([
    "ok address: https://keyhole.example is https",
    "ok health: the Worker answers",
    "ok readiness: it is ready",
    "ok migrations: all that this Worker needs are applied",
    "ok version: 0.1.0, as this command line",
    "ok backlog: nothing waits for somebody to look at it",
    "ok scheduled run: it ran, and is not behind",
    "ok token: ada of acme may keys:read; it expires: never",
    "ok keys: everything of the deployment is under the current key, k_1",
  ]);
});

it("says without a token what anybody is told, and what is not", async () => {
  const replies = { "/readyz": { status: "ready", unusable: [] } };
  expect((await examine({ anonymous: true, replies })).map((line) => line.split(":")[0])).toEqual([
    ...["ok address", "ok health", "ok readiness", "ok migrations", "unknown version", "unknown backlog", "unknown scheduled run"],
    ...["unknown token", "unknown keys"],
  ]);
  expect(asked).toEqual(["/healthz", "/readyz"]);
});

it.each([
  [
    "migrations that were not applied",
    { "/readyz": { status: "not-ready", unusable: [{ part: "d1", detail: "the migrations have not been applied" }] } },
    "failed migrations: the migrations",
  ],
  ["a part that cannot be used", { "/readyz": { status: "not-ready", unusable: [{ part: "kv" }] } }, "failed readiness: kv: cannot be used"],
  [
    "an old key that is missing",
    { "/readyz": { ...WELL, status: "degraded", degraded: [{ part: "keyring", detail: "k_0 is missing" }] } },
    "failed readiness: keyring: k_0 is missing",
  ],
  ["another version", { "/readyz": { ...WELL, version: "0.2.0" } }, "warning version: 0.2.0 is deployed, and this command line is 0.1.0"],
  ["lost values", { "/readyz": { ...WELL, backlog: { ...(WELL.backlog as object), lost_values: 2 } } }, "failed backlog: 2 values that are not in KV"],
  [
    "a database that is nearly full",
    { "/readyz": { ...WELL, backlog: { ...(WELL.backlog as object), database_days_left: 5 } } },
    "warning backlog: D1 is full in 5 days",
  ],
  [
    "a log behind the registry",
    { "/readyz": { ...WELL, integrity: { ...(WELL.integrity as object), registry: "failed", logs: 1 } } },
    "failed scheduled run: 1 audit logs",
  ],
  [
    "a key that is not in the keyring",
    { "/v1/keys": { counted: "deployment", keys: [KEY, { ...KEY, id: "k_0", current: false, available: false }] } },
    "failed keys: k_0 is not in the keyring",
  ],
  [
    "versions under an old key",
    { "/v1/keys": { counted: "organization", keys: [KEY, { ...KEY, id: "k_0", current: false }] } },
    "warning keys: 4 versions are still under k_0",
  ],
  ["a token that ends soon", { "/v1/whoami": { ...CALLER, expires_at: "2020-01-01T00:00:00.000Z" } }, "warning token: ada of acme"],
  ["something else at this address", { "/healthz": { hello: "world" } }, "failed health: The reply is not what the contract says"],
  ["an address where nothing answers", { "/healthz": new TypeError("fetch failed") }, "failed health: keyhole.example cannot be reached"],
])("finds %s", async (_, replies, line) => {
  expect((await examine({ replies })).filter((found) => !found.startsWith("ok"))).toEqual(expect.arrayContaining([expect.stringContaining(line)]));
});

it("asks nothing else, and sends no token, where nothing like Keyhole answers", async () => {
  await examine({ replies: { "/healthz": { hello: "world" } } });
  expect(asked).toEqual(["/healthz"]);
});

it("asks /readyz with the token only where it may be told more", async () => {
  await examine({ replies: { "/v1/whoami": { ...CALLER, permissions: ["secrets:resolve"] } } });
  expect(asked).toEqual(["/healthz", "/v1/whoami with the token", "/readyz"]);
});

it("has a token for the address that it is for, and for no other, and for none in the clear", async () => {
  const sourceAt = async (url: string) => (await openSessionAt(url, {}))?.source;
  expect(await sourceAt(URL_)).toBeUndefined();
  vi.stubEnv("KEYHOLE_TOKEN", "token");
  expect(await sourceAt(URL_)).toBe("KEYHOLE_TOKEN");
  expect(await sourceAt("http://keyhole.example")).toBeUndefined();
  vi.stubEnv("KEYHOLE_URL", "https://other.example");
  expect(await sourceAt(URL_)).toBeUndefined();
  vi.stubEnv("KEYHOLE_URL", `${URL_}/`);
  expect(await sourceAt(URL_)).toBe("KEYHOLE_TOKEN");
});
