import { env } from "cloudflare:workers";
import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { type CallOptions, call, type Reply } from "../support/call.ts";
import { sealByHand } from "../support/seal-by-hand.ts";
import { seedOrg } from "../support/seed-org.ts";
import type { TokenClaims } from "../support/sign.ts";

const SIZES = { small: 300, large: 6_000 } as const;
const orgs = Object.keys(SIZES) as (keyof typeof SIZES)[];
const beyond = (name: string, scope: string) => `&cursor=${btoa(JSON.stringify({ name, scope })).replace(/=+$/, "")}`;

/** Makes a call, and counts the rows that D1 read for it. */
async function measure(request: string, options: CallOptions): Promise<{ reply: Reply; read: number }> {
  const batch = env.DB.batch.bind(env.DB);
  let read = 0;
  vi.spyOn(env.DB, "batch").mockImplementation((async (statements: D1PreparedStatement[]) => {
    const results = await batch(statements);
    for (const { meta } of results) read += meta.rows_read;
    return results;
  }) as typeof env.DB.batch);
  const reply = await call(request, options);
  vi.restoreAllMocks();
  return { reply, read };
}

/** Makes the same call in both organizations; it must not read more in the large one. */
async function expectSame(request: string, limits: TokenClaims, status: number, most: number, json?: unknown, prefix = ""): Promise<void> {
  const reads: number[] = [];
  for (const size of orgs) {
    const org = `${prefix}${size}`;
    const { reply, read } = await measure(request.replaceAll("{org}", org), { token: { ...limits, org }, json });
    expect([org, reply.status]).toEqual([org, status]);
    reads.push(read);
  }
  const [small = 0, large = 0] = reads;
  expect(large, `rows read: ${small} of ${SIZES.small}, ${large} of ${SIZES.large}`).toBeLessThanOrEqual(small + 10);
  expect(large).toBeLessThanOrEqual(most);
}

beforeAll(async () => {
  for (const org of orgs) await seedOrg(org, SIZES[org]);
}, 60_000);
afterEach(() => vi.restoreAllMocks());

describe("a list reads what it shows, however many secrets there are,", () => {
  it.each<[string, TokenClaims]>([
    ["", {}],
    [beyond("NOISE_0000150", "repo:noise/big"), {}],
    [beyond("NOISE_0000271", "repo:noise/r13"), {}],
    ["&scope=repo:noise%2Fbig", {}],
    ["&scope=team:answer", {}],
    [`&scope=repo:noise%2Fbig${beyond("NOISE_0000200", "repo:noise/big")}`, {}],
    ["&kind=repo", {}],
    ["&kind=team", {}],
    ["&kind=agent", {}],
    ["&name=ANSWER_07", {}],
    ["&prefix=ANSWER_", {}],
    ["&prefix=NOISE_00001", {}],
    ["&kind=repo&prefix=NOISE_00002", {}],
    ["&label=env:noise", {}],
    ["&label=env:answer", {}],
    [`&label=env:noise${beyond("NOISE_0000200", "repo:noise/big")}`, {}],
    ["&label=env:noise&scope=repo:noise%2Fbig", {}],
    ["&label=env:noise&scope=team:answer", {}],
    ["&due=expiry", {}],
    ["&due=rotation", {}],
    ["&due=expiry&label=env:answer&kind=team", {}],
    ["", { secret_scopes: ["team:answer"] }],
    ["", { secret_scopes: ["team:*"] }],
    ["", { secret_scopes: ["repo:*", "global"] }],
    ["", { secret_scopes: ["t*", "namespace:none"] }],
    ["", { secret_scopes: ["team:answer", "repo:noise/big"] }],
    ["", { secret_names: ["ANSWER_0*", "NOISE_00001*"] }],
    ["", { secret_scopes: ["repo:noise/big"], secret_names: ["NOISE_00001*"] }],
    ["&label=env:noise", { secret_scopes: ["team:answer"] }],
    ["&label=env:answer", { secret_scopes: ["team:*"] }],
    ["&due=expiry", { secret_scopes: ["team:*"], secret_names: ["ANSWER_*"] }],
  ])("with %j and the limits %j", async (query, limits) => {
    await expectSame(`GET /v1/secrets?limit=20${query}`, limits, 200, 250);
  });
});

describe("reading as much in a large organization as in a small one,", () => {
  const names = ["ANSWER_01", "ANSWER_02", "NOISE_0000000", "NOWHERE"];
  const explain = `GET /v1/explain/ANSWER_01?scope=${encodeURIComponent("namespace:under")}`;

  // The seeded values do not open: the rows are read all the same.
  it.each<[string, string, TokenClaims, number, number, unknown]>([
    ["a resolve by names", "POST /v1/resolve", {}, 200, 300, { scopes: ["repo:noise/big", "team:answer"], names, allow_missing: true }],
    ["a resolve of all", "POST /v1/resolve", {}, 200, 370, { scopes: ["team:answer"], allow_missing: true }],
    ["a resolve through parents", "POST /v1/resolve", {}, 200, 400, { scopes: ["namespace:under"], allow_missing: true }],
    ["a resolve of all that the grant names", "POST /v1/resolve", { secret_names: ["ANSWER_1*"] }, 200, 250, { scopes: ["team:answer"], allow_missing: true }],
    ["a resolve of one", "GET /v1/resolve/ANSWER_01?scope=team:answer", {}, 503, 200, undefined],
    ["an explanation", explain, {}, 200, 80, undefined],
    ["a secret by its id", "GET /v1/secrets/sec_{org}_ANSWER_00", {}, 200, 10, undefined],
    ["a secret by its name", "GET /v1/scopes/team:answer/secrets/ANSWER_00", {}, 200, 10, undefined],
    ["a page of versions", "GET /v1/secrets/sec_{org}_ANSWER_00/versions?limit=20", {}, 200, 40, undefined],
    ["a deep page of versions", `GET /v1/secrets/sec_{org}_ANSWER_00/versions?limit=20&cursor=${btoa("150")}`, {}, 200, 40, undefined],
    ["the metrics", "GET /metrics", {}, 200, 80, undefined],
    ["a page of scopes", "GET /v1/scopes?limit=10", {}, 200, 45, undefined],
    ["a page of scopes within limits", "GET /v1/scopes?limit=5", { secret_scopes: ["team:*", "repo:noise/r1*"] }, 200, 40, undefined],
    ["a deep page of scopes", `GET /v1/scopes?limit=10&cursor=${btoa('"repo:noise/r1"').replace(/=+$/, "")}`, {}, 200, 45, undefined],
    ["a version that is destroyed", "DELETE /v1/secrets/sec_{org}_ANSWER_00/versions/2", {}, 204, 40, undefined],
    ["a change of what is said", "PATCH /v1/secrets/sec_{org}_ANSWER_05", {}, 200, 40, { labels: { env: "answer", a: "b" } }],
    ["a new version, with the oldest destroyed", "PATCH /v1/secrets/sec_{org}_ANSWER_00", {}, 200, 80, { value: "new" }],
    ["an import", "POST /v1/import", {}, 200, 80, { scope: "repo:noise/big", secrets: { NOISE_0000002: "new", NOISE_NEW: "new" } }],
    ["a deleted secret", "DELETE /v1/scopes/team:answer/secrets/ANSWER_19", {}, 204, 50, undefined],
    ["a scope's parent", "PUT /v1/scopes/repo%3Anoise%2Fbig", {}, 200, 45, { parent: "team:answer" }],
  ])("%s", async (_, request, limits, status, most, json) => {
    await expectSame(request, limits, status, most, json);
  });

  it("looks up what is locked above, of however many locked names", async () => {
    const lock = "UPDATE secrets SET locked = 1, scope = 'team:locks' WHERE org = ?1 AND name GLOB 'NOISE_*'";
    const narrow = `INSERT INTO secrets (id, org, scope, name, version, revision, created_at, created_by, updated_at, updated_by, rotated_at)
      SELECT 'n' || id, org, 'namespace:n', name, 1, 1, 0, 's', 0, 's', 0 FROM secrets WHERE org = ?1 AND scope = 'team:locks' ORDER BY name LIMIT 10`;
    const link = "INSERT INTO scopes (org, scope, parent) VALUES (?1, 'namespace:n', 'team:locks') ON CONFLICT DO UPDATE SET parent = excluded.parent";
    for (const size of orgs) {
      const org = `locks-${size}`;
      await seedOrg(org, SIZES[size]);
      for (const sql of [lock, narrow, link]) await env.DB.prepare(sql).bind(org).run();
      await sealByHand("secrets", `s.org = '${org}'`);
      await sealByHand("scopes", `org = '${org}' AND parent IS NOT NULL`);
    }
    const limits = { secret_scopes: ["namespace:n"] };
    const names = ["NOISE_0000000", "NOISE_0000001", "NOWHERE"];
    await expectSame("POST /v1/resolve", limits, 200, 400, { scopes: ["namespace:n"] }, "locks-");
    await expectSame("POST /v1/resolve", limits, 404, 250, { scopes: ["namespace:n"], names }, "locks-");
    await expectSame("PUT /v1/scopes/namespace:n/secrets/NOISE_0000000", limits, 422, 150, { value: "v" }, "locks-");
    await expectSame("PUT /v1/scopes/namespace:n/secrets/FREE", limits, 201, 60, { value: "v" }, "locks-");
  }, 60_000);

  it("deletes a scope of any size in bounded batches", async () => {
    for (const org of orgs) {
      let remaining = SIZES[org];
      for (let calls = 0; remaining > 0; calls++) {
        const { reply, read } = await measure("DELETE /v1/scopes/repo%3Anoise%2Fbig?secrets=true", { token: { org } });
        expect(reply.body.deleted).toBeLessThanOrEqual(200);
        expect(read).toBeLessThan(32 * reply.body.deleted + 100);
        remaining = reply.body.remaining;
        expect(calls).toBeLessThan(SIZES[org] / 200 + 1);
      }
    }
  }, 60_000);
});
