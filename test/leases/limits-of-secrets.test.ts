import { env } from "cloudflare:workers";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { put } from "../support/call.ts";
import { sign } from "../support/sign.ts";
import { openPlace } from "./place.ts";

let count = 0;
let token = "";
let id = "";

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ["Date", "setTimeout", "clearTimeout"], now: Date.parse("2026-11-26T12:00:00.000Z") });
  token = await sign({ org: `lease-limits${++count}` });
  id = (await put("namespace:prod", "KEY", "first value", { token })).body.id;
});
afterEach(() => {
  vi.useRealTimers();
});

/** Lets time pass, and whatever waits for it happen. */
const pass = (seconds: number) => vi.advanceTimersByTimeAsync(seconds * 1000);

it.each<[Record<string, number>, number | undefined]>([
  [{ KEY: 30 }, 30],
  [{ KEY: 30, OTHER: 20 }, 20],
  [{ KEY: 300 }, 60],
  [{ KEY: 30, OTHER: 0 }, undefined],
])("a lease lasts no longer than any of its secrets allows: %j", async (limits, seconds) => {
  for (const [name, max_lease_seconds] of Object.entries(limits)) await put("namespace:prod", name, "v", { token, fields: { max_lease_seconds } });
  const request = { scopes: ["namespace:prod"] };
  const { status, body } = await openPlace().call("POST /v1/resolve", { token, headers: { "Cache-Control": "max-age=60" }, json: request });
  expect([status, body.lease?.expires_in]).toEqual([200, seconds]);
});

it("a lease gives again what is left out of variables, and nothing in which a value cannot be had", async () => {
  const place = openPlace({ RESERVED_NAMES: "KEY" });
  await put("namespace:prod", "OTHER", "x", { token });
  const ask = () => {
    const request = { headers: { "Cache-Control": "max-age=60" }, json: { scopes: ["namespace:prod"] } };
    return place.call("POST /v1/resolve?format=env", { token, ...request });
  };
  const replies = [await ask(), await ask()];
  expect(replies.map(({ body, headers }) => [body, headers.get("Age"), headers.get("Keyhole-Left-Out")])).toEqual(
    replies.map(() => [{ OTHER: "x" }, "0", '"KEY";reason=skipped']),
  );
  const before = { ...place.asked };
  await ask();
  expect(place.asked).toEqual(before);
  await env.DB.prepare("UPDATE versions SET key_id = 'k0' WHERE secret_id = ?").bind(id).run();
  const whole = openPlace();
  const all = () => whole.call("POST /v1/resolve", { token, headers: { "Cache-Control": "max-age=60" }, json: { scopes: ["namespace:prod"] } });
  const { body } = await all();
  expect([body.unavailable, body.lease]).toEqual([[{ name: "KEY", reason: "key-missing" }], undefined]);
  const unread = { ...whole.asked };
  await all();
  expect(whole.asked.d1).toBeGreaterThan(unread.d1);
});

it("a change of a lock or of the longest lease is seen within STALE_SECONDS", async () => {
  const [here, there] = [openPlace(), openPlace()];
  await put("global", "KEY", "wide value", { token });
  expect((await here.resolve("KEY", 60, { token })).body.value).toBe("first value");
  await there.call("PUT /v1/scopes/global/secrets/KEY", { token, json: { value: "wide value", locked: true } });
  await pass(5.1);
  const locked = await here.resolve("KEY", 60, { token });
  expect([locked.body.value, locked.body.lease.expires_in]).toEqual(["wide value", 60]);
  await there.call("PUT /v1/scopes/global/secrets/KEY", { token, json: { value: "wide value", max_lease_seconds: 0 } });
  await pass(5.1);
  expect((await here.resolve("KEY", 60, { token })).body.lease).toBeUndefined();
});
