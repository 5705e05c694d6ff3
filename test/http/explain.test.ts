import { describe, expect, it } from "vitest";
import { call, put } from "../support/call.ts";
import { putExpired } from "../support/put-expired.ts";

const explain = (name: string, scopes: string[], token = {}) =>
  call(`GET /v1/explain/${name}?${scopes.map((scope) => `scope=${encodeURIComponent(scope)}`).join("&")}`, { token });

describe("GET /v1/explain/{name}", () => {
  it("lists every scope in search order with what it holds, the winner, and no value", async () => {
    const team = await put("team:t", "EXPLAINED", "explained-value");
    const wide = await putExpired("global", "EXPLAINED", "explained-value");
    await put("team:t", "EXPLAINED", "explained-value 2");
    const { status, body, text } = await explain("EXPLAINED", ["team:t", "repo:a/b"]);
    expect(status).toBe(200);
    expect(body).toEqual({
      name: "EXPLAINED",
      winner: { scope: "team:t", id: team.body.id, version: 2 },
      candidates: [
        { scope: "repo:a/b", found: false },
        { scope: "team:t", found: true, id: team.body.id, version: 2, expired: false },
        { scope: "global", found: true, id: wide.body.id, version: 1, expired: true },
        { scope: "builtin", found: false },
      ],
    });
    expect(text).not.toContain("explained-value");
  });

  it("names an expired winner, because a resolve does not pass it over", async () => {
    const { body } = await putExpired("team:t", "EXPLAIN_OLD", "v");
    await put("global", "EXPLAIN_OLD", "v");
    const explained = await explain("EXPLAIN_OLD", ["team:t"]);
    expect(explained.body.winner).toEqual({ scope: "team:t", id: body.id, version: 1 });
    expect(explained.body.candidates[0].expired).toBe(true);
  });

  it("shows a builtin as the platform's", async () => {
    const { body } = await put("global", "EXPLAIN_BUILTIN", "v", { token: { org: "platform" } });
    expect((await explain("EXPLAIN_BUILTIN", [])).body.winner).toEqual({ scope: "builtin", id: body.id, version: 1 });
  });

  it("has no winner for a name that is nowhere", async () => {
    const { status, body } = await explain("EXPLAIN_NOTHING", ["agent:a"]);
    expect([status, body.winner]).toEqual([200, null]);
    expect(body.candidates).toHaveLength(3);
  });

  it("needs secrets:read, not secrets:resolve, and searches only what the grant covers", async () => {
    expect((await explain("EXPLAINED", [], { scope: "secrets:resolve" })).status).toBe(403);
    const { body } = await explain("EXPLAINED", ["team:t"], { scope: "secrets:read", secret_scopes: ["team:*"] });
    expect(body.candidates.map(({ scope }: { scope: string }) => scope)).toEqual(["team:t"]);
    expect((await explain("EXPLAINED", ["global"], { secret_scopes: ["team:*"] })).status).toBe(403);
    expect((await explain("EXPLAINED", [], { secret_names: ["OTHER"] })).status).toBe(403);
  });

  it.each(["1X", "A?scope=nowhere", "A?scope=team:a&scope=team:b", "A?depth=2"])("refuses %s with 400", async (rest) => {
    expect((await call(`GET /v1/explain/${rest}`)).status).toBe(400);
  });
});
