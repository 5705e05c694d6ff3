import { env } from "cloudflare:workers";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { sql } from "../audit/support.ts";
import { makeWorld, NOON } from "../audit/world.ts";

const world = makeWorld();

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ["Date"], now: NOON });
  for (const method of ["log", "error"] as const) vi.spyOn(console, method).mockReturnValue();
  await world.reset();
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

it("the last revocations that somebody takes away are missed by the next scheduled run, until they are back; the log goes on", async () => {
  const token = { org: "acme" };
  const minted = { label: "x", permissions: ["secrets:read"], expires_in: 600 };
  const { id } = (await world.call("POST /v1/tokens", { token, json: minted })).body;
  expect((await world.call(`DELETE /v1/tokens/${id}`, { token })).status).toBe(204);
  expect(await world.run(0)).toBe("succeeded");
  expect(await world.integrity()).toMatchObject({ registry: "ok" });
  const row = await env.DB.prepare("SELECT org, n, kind, value, at, seal FROM revocations WHERE org = 'acme'").first<Record<string, string | number>>();
  await sql("DELETE FROM revocations WHERE org = 'acme'");
  for (const minute of [1, 2]) {
    await world.run(minute);
    expect(await world.integrity()).toMatchObject({ registry: "failed", logs: 1 });
    expect(await world.findings()).toEqual(["behind:revocations of acme"]);
  }
  expect((await world.call("GET /v1/audit/verify", { token: { org: "platform" } })).body).toMatchObject({ ok: true });
  await sql("INSERT INTO revocations (org, n, kind, value, at, seal) VALUES (?, ?, ?, ?, ?, ?)", ...Object.values(row ?? {}));
  await world.run(3);
  expect(await world.integrity()).toMatchObject({ registry: "ok", logs: 0 });
  expect((await world.call("GET /v1/audit/verify", { token })).body).toMatchObject({ ok: true, unsealed: 0 });
});
