import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { checkRows } from "../../src/worker/keys/check-rows.ts";
import { keyring } from "../envelope/keyrings.ts";
import { call } from "../support/call.ts";
import { callInsecure, exchange, githubClaims, githubTrust } from "../support/exchange.ts";
import { startIssuer } from "../support/issuer.ts";
import { mint } from "../support/mint.ts";
import { sealByHand } from "../support/seal-by-hand.ts";

const check = () => checkRows({ db: env.DB, keyring, now: new Date() });
const failures = async (org: string) =>
  (await env.DB.prepare("SELECT table_name, row_key FROM integrity_failures WHERE org = ?").bind(org).all<{ table_name: string; row_key: string }>()).results;

beforeAll(() => env.DB.prepare("DROP TRIGGER revocations_unchangeable").run());

async function revokedToken(org: string): Promise<string> {
  const { id, token } = await mint({}, { token: { org } });
  expect((await call(`DELETE /v1/tokens/${id}`, { token: { org } })).status).toBe(204);
  return token;
}

describe("a revocation that somebody takes away", () => {
  it("from the end is missed by every isolate that has seen it: nothing is answered", async () => {
    const token = await revokedToken("end");
    await env.DB.prepare("DELETE FROM revocations WHERE org = 'end'").run();
    for (const asked of [token, { org: "end" }]) expect((await call("GET /v1/whoami", { token: asked })).status).toBe(503);
  });

  it("from the middle leaves a gap that the scheduled run finds, and says so until it is closed", async () => {
    await revokedToken("gap");
    const row = await env.DB.prepare("SELECT * FROM revocations WHERE org = 'gap'").first<Record<string, string | number>>();
    await revokedToken("gap");
    await env.DB.prepare("DELETE FROM revocations WHERE org = 'gap' AND n = 1").run();
    for (let n = 0; n < 3; n++) {
      await check();
      expect(await failures("gap")).toEqual([{ table_name: "revocations", row_key: '["gap",2]' }]);
    }
    const { results } = await env.DB.prepare("SELECT actor FROM audit_events WHERE org = 'gap' AND action = 'integrity.failed'").all();
    expect(results).toEqual([{ actor: "keyhole:scheduled" }]);
    await env.DB.prepare("INSERT INTO revocations (org, n, kind, value, at, seal) VALUES (?, ?, ?, ?, ?, ?)")
      .bind(...["org", "n", "kind", "value", "at", "seal"].map((column) => row?.[column] ?? null))
      .run();
    await check();
    expect(await failures("gap")).toEqual([]);
  });
});

describe("a trust that was deleted and that somebody puts back, with its seal", () => {
  it("gives nothing: its revision is revoked already", async () => {
    const issuer = await startIssuer();
    const token = { org: "back" };
    expect((await callInsecure("PUT /v1/trusts/github", { token, json: githubTrust(issuer.url) })).status).toBe(201);
    const row = await env.DB.prepare("SELECT * FROM trusts WHERE org = 'back'").first<Record<string, string | number>>();
    const swap = async () => (await exchange(await issuer.sign(githubClaims(issuer.url)), { audience: "back/github" })).body.access_token;
    expect((await call("GET /v1/whoami", { token: await swap() })).status).toBe(200);
    expect((await call("DELETE /v1/trusts/github", { token })).status).toBe(204);
    const columns = Object.keys(row ?? {});
    await env.DB.prepare(`INSERT INTO trusts (${columns.join(", ")}) VALUES (${columns.map(() => "?").join(", ")})`)
      .bind(...Object.values(row ?? {}))
      .run();
    expect(await swap()).toBeUndefined();
    expect((await call("GET /v1/trusts/github", { token })).body.suspended).toBe(true);
  });
});

describe("the scheduled run", () => {
  it("seals anew what is sealed under an older key or in an older format, and nothing that is not well", async () => {
    await call("PUT /v1/scopes/repo%3Aa%2Fb", { token: { org: "anew" }, json: { parent: "team:t" } });
    const key = keyring.seals.keys.get(keyring.seals.current);
    if (!key) throw new Error("the test keyring has a key");
    const { seals } = keyring;
    const rotated = {
      ...keyring,
      seals: { ...seals, current: "k_2", keys: new Map([...seals.keys, ["k_2", key]]), counted: new Set([...seals.counted, "k_2"]) },
    };
    await env.DB.prepare("INSERT INTO scopes (org, scope, parent) VALUES ('anew', 'repo:by/hand', 'team:t')").run();
    expect((await checkRows({ db: env.DB, keyring: rotated, now: new Date() })).resealed).toBeGreaterThan(0);
    const seal = (scope: string) => env.DB.prepare("SELECT seal FROM scopes WHERE org = 'anew' AND scope = ?").bind(scope).first<string>("seal");
    expect(await seal("repo:a/b")).toMatch(/^s1:k_2:/);
    expect(await seal("repo:by/hand")).toBeNull();
    await sealByHand("scopes", "org = 'anew'");
  });
});
