import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { forgetRevocations } from "../../src/worker/grants/forget-revocations.ts";
import { checkRows } from "../../src/worker/keys/check-rows.ts";
import { DAY, sql } from "../audit/support.ts";
import { makeWorld, NOON } from "../audit/world.ts";
import { keyring } from "../envelope/keyrings.ts";
import { githubTrust } from "../support/exchange.ts";

const world = makeWorld();
const token = { org: "old", exp: 4_102_444_800 };
const LATER = NOON + 380 * DAY;

const revocations = async () =>
  (await env.DB.prepare("SELECT n, kind, value FROM revocations WHERE org = 'old' ORDER BY n").all<{ n: number; kind: string; value: string }>()).results;
const forget = () => forgetRevocations({ db: env.DB, keyring, now: new Date() });
const check = () => checkRows({ db: env.DB, keyring, now: new Date() });
const failures = async () => (await env.DB.prepare("SELECT row_key FROM integrity_failures WHERE org = 'old'").all<{ row_key: string }>()).results;

async function revoke(): Promise<string> {
  const { id } = (await world.call("POST /v1/tokens", { token, json: { label: "x", permissions: ["secrets:read"], expires_in: 600 } })).body;
  expect((await world.call(`DELETE /v1/tokens/${id}`, { token })).status).toBe(204);
  return id;
}

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ["Date"], now: NOON });
  for (const method of ["log", "error"] as const) vi.spyOn(console, method).mockReturnValue();
  await sql("DELETE FROM integrity_failures");
  await sql("DELETE FROM integrity_marks");
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

describe("revocations", () => {
  it("of tokens without a row, which may live for longer, are not forgotten", async () => {
    const of = (jti: string) => ({ org: "rowless", jti, exp: 4_102_444_800 });
    const whoami = async (jti: string) => (await world.call("GET /v1/whoami", { token: of(jti) })).status;
    for (const token_id of ["tok_gone", "tok_last"])
      expect((await world.call("POST /v1/revocations", { token: of("tok_operator"), json: { token_id } })).status).toBe(201);
    vi.setSystemTime(LATER);
    expect(await forget()).toBeGreaterThan(0);
    expect([await whoami("tok_gone"), await whoami("tok_operator")]).toEqual([401, 200]);
    const { body } = await world.call("GET /v1/revocations", { token: of("tok_operator") });
    expect(body.revocations).toMatchObject([{ token_id: "tok_last" }]);
  });

  it("are forgotten a year after, but for a trust's revisions and the last one; numbers go on, and the look at rows finds no gap", async () => {
    await revoke();
    const trust = githubTrust("https://token.actions.githubusercontent.com");
    await world.call("PUT /v1/trusts/github", { token, json: trust });
    expect((await world.call("DELETE /v1/trusts/github", { token })).status).toBe(204);
    await revoke();
    await revoke();
    vi.setSystemTime(NOON + 373 * DAY);
    expect(await forget()).toBe(0);
    vi.setSystemTime(LATER);
    expect(await forget()).toBe(3);
    expect(await revocations()).toEqual([
      { n: 4, kind: "id", value: expect.stringMatching(/^tok_/) },
      { n: 5, kind: "trust-revision", value: "trust:github#1" },
      { n: 6, kind: "floor", value: "4" },
    ]);
    const { body } = await world.call("GET /v1/audit?action=audit.retention", { token });
    expect(body.events).toMatchObject([{ actor: "keyhole:scheduled", target: "revocations:1:3" }]);
    for (let n = 0; n < 2; n++) await check();
    expect(await failures()).toEqual([]);
    const id = await revoke();
    expect((await revocations()).at(-1)).toEqual({ n: 7, kind: "id", value: id });
    expect((await world.call("PUT /v1/trusts/github", { token, json: trust })).status).toBe(201);
    expect(await env.DB.prepare("SELECT revision FROM trusts WHERE org = 'old'").first("revision"), "a revision is not used twice").toBe(2);
  });

  it("are forgotten in their turn, and then there is no more to forget", async () => {
    vi.setSystemTime(LATER);
    expect(await forget()).toBe(1);
    vi.setSystemTime(LATER + 380 * DAY);
    // The one of the last test, and with it the floors of before.
    expect(await forget()).toBeGreaterThan(0);
    expect(await forget()).toBe(0);
    await check();
    expect(await failures()).toEqual([]);
    expect((await revocations()).map(({ kind }) => kind)).toEqual(["floor", "trust-revision", "floor"]);
  });

  it("that somebody else takes away are missed, whatever floors there are, also by who forgets a floor", async () => {
    for (let n = 0; n < 3; n++) await revoke();
    const [first, ...others] = await revocations();
    const last = others.at(-1)?.n ?? 0;
    await sql("DELETE FROM revocations WHERE org = 'old' AND n = ?", last - 1);
    await check();
    expect(await failures()).toEqual([{ row_key: `["old",${last}]` }]);
    await sql("DELETE FROM revocations WHERE org = 'old' AND n <= ?", others[0]?.n ?? 0);
    await check();
    expect(await failures()).toHaveLength(2);
    expect(first?.n).toBeGreaterThan(1);
  });

  it("that are not what was written are not forgotten, nor revoked once more", async () => {
    await sql("DROP TRIGGER IF EXISTS revocations_unchangeable");
    await sql("UPDATE revocations SET at = 1 WHERE org = 'old'");
    const before = await revocations();
    expect(await forget()).toBe(0);
    expect(await revocations()).toEqual(before);
  });
});
