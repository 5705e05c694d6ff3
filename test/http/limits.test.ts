import { expect, it } from "vitest";
import { callWith } from "../support/call-with.ts";
import { sign } from "../support/sign.ts";

/** A brake that lets so many through for each key, and remembers the keys. */
function brake(allowed: number) {
  const counts = new Map<string, number>();
  const limit = async ({ key }: { key: string }) => {
    counts.set(key, (counts.get(key) ?? 0) + 1);
    return { success: (counts.get(key) ?? 0) <= allowed };
  };
  return { counts, limit };
}

const address = (ip: string) => ({ "CF-Connecting-IP": ip });

it("holds up a token that resolves too often, and no other one", async () => {
  const resolves = brake(2);
  const call = callWith({ RESOLVE_LIMIT: resolves });
  const token = await sign({ jti: "tok_busy" });
  const resolve = (by: string) => call("POST /v1/resolve", { token: by, json: { names: ["A"], allow_missing: true } });
  expect([(await resolve(token)).status, (await resolve(token)).status]).toEqual([200, 200]);
  const { status, body, headers } = await resolve(token);
  expect([status, body.code, headers.get("Retry-After")]).toEqual([429, "rate-limited", "10"]);
  expect((await resolve(await sign())).status).toBe(200);
  expect((await call("GET /v1/secrets", { token })).status, "other calls go on").toBe(200);
  expect([...resolves.counts.keys()][0]).toBe("acme/tok_busy");
});

it("holds up an address that fails to authenticate too often, but not who has a valid token there", async () => {
  const failures = brake(3);
  const call = callWith({ FAILURE_LIMIT: failures });
  const fail = (ip: string) => call("GET /v1/whoami", { token: "a.b.c", headers: address(ip) });
  const statuses = [];
  for (let n = 0; n < 5; n++) statuses.push((await fail("192.0.2.1")).status);
  expect(statuses).toEqual([401, 401, 401, 429, 429]);
  expect((await fail("192.0.2.2")).status).toBe(401);
  expect((await call("GET /v1/whoami", { headers: address("192.0.2.1") })).status).toBe(200);
  expect(failures.counts.get("192.0.2.1"), "only failures count").toBe(5);
});
