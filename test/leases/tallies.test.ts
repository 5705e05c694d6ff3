import { env } from "cloudflare:workers";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { Lease } from "../../src/worker/leases/lease.ts";
import { leasesOf } from "../../src/worker/leases/leases.ts";
import { beginTally, countUse, endTally, keepLease } from "../../src/worker/leases/report-uses.ts";
import { put } from "../support/call.ts";
import { sign } from "../support/sign.ts";
import { openPlace } from "./place.ts";

const START = Date.parse("2026-11-26T12:00:00.000Z");
let count = 0;
let org = "";
let token = "";

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ["Date", "setTimeout", "clearTimeout"], now: START });
  count += 1;
  org = `tallies${count}`;
  token = await sign({ org });
  const place = openPlace();
  await place.call("PUT /v1/scopes/namespace%3Aprod/secrets/KEY", { token, json: { value: "value" } });
  await place.settle();
  // Its ciphertext is in KV for good.
  const { meta } = await env.DB.prepare(
    "UPDATE versions SET ciphertext = NULL WHERE kv_put_at IS NOT NULL AND secret_id IN (SELECT id FROM secrets WHERE org = ?)",
  )
    .bind(org)
    .run();
  expect(meta.changes).toBe(1);
});
afterEach(() => {
  vi.useRealTimers();
});

const pass = (seconds: number) => vi.advanceTimersByTimeAsync(seconds * 1000);

interface Use {
  readonly action: string;
  readonly lease: { readonly id: string; readonly uses?: number; readonly final?: boolean };
}

async function noted(): Promise<Use[]> {
  const { results } = await env.DB.prepare("SELECT action, lease FROM audit_events WHERE org = ? AND lease IS NOT NULL ORDER BY seq")
    .bind(org)
    .all<{ action: string; lease: string }>();
  return results.map(({ action, lease }) => ({ action, lease: JSON.parse(lease) }));
}

/** KV whose reads take as long as is said, in seconds. */
function slowKv(delay: { seconds: number }): KVNamespace {
  return new Proxy(env.KV, {
    get(target, name) {
      const member = Reflect.get(target, name) as unknown;
      if (typeof member !== "function") return member;
      if (name !== "get") return member.bind(target);
      return async (...given: unknown[]) => {
        await new Promise((resolve) => setTimeout(resolve, delay.seconds * 1000));
        return member.apply(target, given);
      };
    },
  });
}

it("an answer that is opened while counts are written loses no use", async () => {
  const delay = { seconds: 0 };
  const place = openPlace({ KV: slowKv(delay) });
  await put("namespace:prod", "OTHER", "x", { token });
  await place.resolve("OTHER", 60, { token });
  await pass(19);
  // The timer of the first rings while the second is still being opened.
  delay.seconds = 4;
  const asking = place.resolve("KEY", 60, { token });
  await pass(4);
  const { body } = await asking;
  expect(body.value).toBe("value");
  delay.seconds = 0;
  for (let n = 0; n < 3; n += 1) expect((await place.resolve("KEY", 60, { token })).body.lease.id).toBe(body.lease.id);
  await pass(40);
  await place.settle();
  const finals = (await noted()).filter(({ action, lease }) => action === "secret.resolve.uses" && lease.id === body.lease.id && lease.final);
  expect(finals.map(({ lease }) => lease.uses)).toEqual([3]);
});

it("a token that is revoked while its answer is opened is not answered from it", async () => {
  const delay = { seconds: 0 };
  const [here, there] = [openPlace({ KV: slowKv(delay) }), openPlace()];
  const minted = await there.call("POST /v1/tokens", { token, json: { label: "ci", permissions: ["secrets:resolve"], expires_in: 3600 } });
  await put("namespace:prod", "OTHER", "x", { token });
  await here.resolve("OTHER", 60, { token });
  delay.seconds = 2;
  const asking = here.resolve("KEY", 60, { token: minted.body.token });
  await pass(1);
  expect((await there.call(`DELETE /v1/tokens/${minted.body.id}`, { token })).status).toBe(204);
  delay.seconds = 0;
  // Whoever asks for changes meanwhile learns of the revocation, with nothing kept yet that it would end.
  await here.call("POST /v1/tokens", { token, json: { label: "another", permissions: ["secrets:resolve"], expires_in: 3600 } });
  await here.resolve("OTHER", 60, { token });
  await pass(1.5);
  expect((await asking).status).toBe(200);
  await pass(5);
  expect((await here.resolve("KEY", 60, { token: minted.body.token })).status).toBe(401);
});

it("an answer is given again at most max_uses times, however many ask at once", () => {
  const leases = leasesOf<null>({});
  const needs = { db: env.DB, clock: Date.now, defer: () => undefined };
  const tally = beginTally(
    leases,
    needs,
    "lse_1",
    {
      ...{ org, actor: "a", token_id: null, issuer: null, secrets: "[]", request_id: "req_1", ip: null, user_agent: null },
    },
    null,
  );
  const lease: Lease<null> = {
    ...{ key: "k", org, holder: "h", orgs: [org], marks: new Set<string>(), issuedAt: null, openedAt: START, until: START + 60_000 },
    ...{ maxUses: 2, size: 1, answer: null, tally, epochs: "", renewing: false, isCut: false },
  };
  keepLease(leases, lease);
  expect([1, 2, 3].map(() => countUse(leases, needs, lease))).toEqual([true, true, false]);
  expect(tally.uses).toBe(2);
});

it("while D1 does not answer no more than some last counts wait for it, and earlier ones are given up", async () => {
  const leases = leasesOf<null>({});
  const db = { prepare: () => ({ bind: () => null }), batch: () => Promise.reject(new Error("D1_ERROR: away")) } as unknown as D1Database;
  const needs = { db, clock: Date.now, defer: (work: Promise<unknown>) => void work.catch(() => undefined) };
  const facts = { org, actor: "a", token_id: null, issuer: null, secrets: "[]", request_id: "req_1", ip: null, user_agent: null };
  for (let n = 0; n < 5_010; n++) endTally(beginTally(leases, needs, `lse_${n}`, facts, null));
  expect([leases.tallies.size, leases.tallies.has("lse_5009")]).toEqual([5_000, true]);
  await pass(60);
});

it("a token whose end is a fraction of a second opens leases like any other", async () => {
  const place = openPlace();
  const fractional = await sign({ org, exp: START / 1000 + 20.1234567 });
  const { status, body } = await place.resolve("KEY", 60, { token: fractional });
  expect([status, body.lease?.expires_in]).toEqual([200, 20]);
});

it("what comes to no lease has the caller's own address in its event", async () => {
  const place = openPlace();
  await put("namespace:prod", "STRICT", "x", { token, fields: { max_lease_seconds: 0 } });
  const { body } = await place.resolve("STRICT", 60, { token, headers: { "CF-Connecting-IP": "2001:db8:1:2:a::1" } });
  expect(body.lease).toBeUndefined();
  const ip = await env.DB.prepare("SELECT ip FROM audit_events WHERE org = ? AND action = 'secret.resolve'").bind(org).first<string>("ip");
  expect(ip).toBe("2001:db8:1:2:a::1");
});

it("a resolve that is refused after it was recorded leaves no lease behind", async () => {
  const place = openPlace();
  await env.DB.prepare("UPDATE secrets SET expires_at = 4102444800000 WHERE org = ?").bind(org).run();
  expect((await place.resolve("KEY", 60, { token })).status).toBe(500);
  await pass(40);
  await place.settle();
  const open = await env.DB.prepare("SELECT COUNT(*) AS n FROM open_leases WHERE org = ?").bind(org).first<number>("n");
  expect(open).toBe(0);
});
