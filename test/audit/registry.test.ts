import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { addKey } from "../../src/keys-file/add-key.ts";
import { promoteKey } from "../../src/keys-file/promote-key.ts";
import { loadConfig } from "../../src/worker/config.ts";
import { readRegistry } from "../../src/worker/log/read-registry.ts";
import { NO_REGISTRY, type Registry } from "../../src/worker/log/registry.ts";
import { thinRegistry } from "../../src/worker/log/thin-registry.ts";
import { writeRegistry } from "../../src/worker/log/write-registry.ts";
import { append, DAY, MINUTE, seal, sql, verified } from "./support.ts";
import { erase, makeWorld, NOON, objects } from "./world.ts";

const HOUR = 60 * MINUTE;
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

const kinds = async () => (await objects()).map((name) => name.split("/")[2]?.slice(0, 4));
const needs = async () => {
  const { logKeys, keyring } = await loadConfig(env);
  return { db: env.DB, kv: env.KV, logKeys, keyring, now: new Date(), accused: new Set<string>() };
};

describe("the registry", () => {
  it("gets an object when a head has changed, none when not, and all heads once an hour", async () => {
    await append("acme", 1, { at: NOON });
    await world.run(0);
    expect(await kinds()).toEqual(["f0.1"]);
    await world.run(1);
    await append("acme", 1, { at: NOON });
    await world.run(2);
    await world.run(3);
    expect(await kinds()).toEqual(["c0.1", "f0.1"]);
    await world.run(61);
    expect(await kinds()).toEqual(["f0.1", "c0.1", "f0.1"]);
  });

  it("shows no organization, neither by the names of its objects nor in them", async () => {
    await append("acme-and-sons", 1, { at: NOON });
    await world.run(0);
    const [name = ""] = await objects();
    const jws = (await env.KV.get(name)) ?? "";
    expect(atob((jws.split(".")[1] ?? "").replaceAll("-", "+").replaceAll("_", "/"))).toContain('"number":1');
    expect(name + atob((jws.split(".")[1] ?? "").replaceAll("-", "+").replaceAll("_", "/"))).not.toContain("acme");
  });

  it("is in several objects where there are many logs, and counts only when all of them are there", { timeout: 120_000 }, async () => {
    const { logKeys, keyring } = await loadConfig(env);
    await append("acme", 1, { at: NOON });
    await seal();
    const made = Array.from({ length: 6_500 }, (_, n) => ({
      key: keyring.current,
      log: `log-${n}`,
      generation: 1,
      number: 1,
      checkpoint: "x",
      last_seq: 1,
      removed_to: 0,
    }));
    const registry: Registry = { ...NO_REGISTRY, entries: new Map(made.map((entry) => [`${entry.key}:${entry.log}`, entry])) };
    expect(await writeRegistry({ ...(await needs()), registry })).toBe(6_501);
    expect(await kinds()).toEqual(["f0.3", "f1.3", "f2.3"]);
    for (const name of await objects()) expect(((await env.KV.get(name)) ?? "").length).toBeLessThan(2 ** 20);
    const read = async () => readRegistry({ kv: env.KV, logKeys, now: new Date() });
    expect([(await read()).entries.size, (await read()).fullAt]).toEqual([6_501, NOON]);
    await env.KV.delete((await objects())[1] ?? "");
    expect([(await read()).entries.size, (await read()).fullAt]).toEqual([3_501, null]);
  });

  it("goes on under a new key of the keyring, and when the old one is gone", async () => {
    for (const org of ["acme", "other"]) await append(org, 2, { at: NOON });
    await world.run(0);
    const ROOT_KEY = env.ROOT_KEY ?? "";
    const { secrets } = await addKey({ ROOT_KEY, KEYRING: env.KEYRING ?? "" });
    const { KEYRING = "" } = (await promoteKey({ ROOT_KEY, ...secrets })).secrets;
    const rotated = makeWorld({ KEYRING });
    await rotated.run(1);
    await append("acme", 1, { at: NOON });
    await rotated.run(2);
    await rotated.run(62);
    const { current, keys } = JSON.parse(KEYRING);
    const alone = makeWorld({ KEYRING: JSON.stringify({ current, keys: { [current]: keys[current] } }) });
    await alone.run(63);
    expect(await alone.integrity()).toMatchObject({ registry: "ok", logs: 0 });
    await erase("other");
    await alone.run(64);
    expect(await alone.integrity()).toMatchObject({ registry: "failed", logs: 1 });
  });

  it("is not put in the place of a log that is behind, however long that takes", async () => {
    await append("acme", 2, { at: NOON });
    await world.run(0);
    await erase("acme");
    for (const minute of [61, 122, 183, 244]) await world.run(minute);
    await append("acme", 9, { at: NOON });
    await world.run(305);
    expect(await verified("acme")).toMatchObject({ ok: false, reason: "behind", first_bad: 1, unsealed: 9 });
  });

  it("is begun by a deployment of before it, without a finding", async () => {
    await append("acme", 2, { at: NOON });
    await seal();
    await world.run(0);
    expect(await world.integrity()).toMatchObject({ registry: "ok", lost_at: null });
    expect(await world.findings()).toEqual([]);
    await sql("DELETE FROM audit_heads");
    await world.run(1);
    expect(await world.integrity()).toMatchObject({ registry: "failed" });
  });
});

describe("of registry objects", () => {
  it("are kept: an hour of what changed, one an hour for 30 days, one a day for as long as events are", { timeout: 120_000 }, async () => {
    const name = (at: number, kind: string) => `r/${String(9_999_999_999_999 - at).padStart(13, "0")}/${kind}.1.0123456789ab`;
    const put = (ago: number, kind: string) => env.KV.put(name(NOON - ago, kind), "x");
    for (let hour = 0.5; hour < 3; hour += 0.25) await put(hour * HOUR, "c0");
    for (let hour = 1.25; hour < 6; hour += 0.5) await put(hour * HOUR, "f0");
    for (const day of [28.99, 29, 40, 40.1, 41, 364, 366]) await put(day * DAY, "f0");
    const registry: Registry = { ...NO_REGISTRY, fullAt: NOON - 1.25 * HOUR };
    const thin = () => thinRegistry({ kv: env.KV, retentionDays: 365, now: new Date(), registry });
    expect(await thin()).toBeGreaterThan(0);
    const agoOf = (one: string) => Math.round((NOON - (9_999_999_999_999 - Number(one.split("/")[1]))) / MINUTE) / 60;
    const left = (await objects()).map((one) => [one.split("/")[2]?.slice(0, 2), agoOf(one)]);
    expect(left).toEqual([
      ...[0.5, 0.75, 1, 1.25].map((hour) => ["c0", hour]),
      ...[1.25, 1.75, 2.25, 3.25, 4.25, 5.25].map((hour) => ["f0", hour]),
      ...[28.99, 40, 41, 364].map((day) => ["f0", Math.round(day * 24 * 60) / 60]),
    ]);
    expect(await thin(), "once is enough").toBe(0);
  });

  it("none goes that is after the last time that all logs were put on record", async () => {
    await append("acme", 1, { at: NOON });
    await world.run(0);
    await append("acme", 1, { at: NOON });
    await world.run(1);
    const before = await objects();
    const registry: Registry = { ...NO_REGISTRY, fullAt: NOON };
    expect(await thinRegistry({ kv: env.KV, retentionDays: 365, now: new Date(NOON + 9 * HOUR), registry })).toBe(0);
    expect(await objects()).toEqual(before);
  });
});
