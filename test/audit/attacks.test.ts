import { env } from "cloudflare:workers";
import { CompactSign, importJWK, type JWK } from "jose";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { verifyExport } from "../../scripts/verify-export.ts";
import { call } from "../support/call.ts";
import { FOREIGN_SIGNING_KEY } from "../support/test-secrets.ts";
import { append, exported, MINUTE, sql, verified } from "./support.ts";
import { type Copy, copyOf, erase, makeWorld, NOON, objects, restore } from "./world.ts";

const world = makeWorld();
const { run } = world;

/** The copies that somebody made of D1, each after a run; and an anchor that was kept elsewhere. */
let copies: Copy[] = [];
let anchor = "";
/** The first minute after the runs so far. */
let minute = 0;

// Two logs with three checkpoints each, of two events; and one run more, in which nothing happened.
beforeEach(async () => {
  vi.useFakeTimers({ toFake: ["Date"], now: NOON });
  for (const method of ["log", "error"] as const) vi.spyOn(console, method).mockReturnValue();
  await world.reset();
  copies = [];
  for (minute = 0; minute < 3; minute++) {
    for (const org of ["acme", "other"]) await append(org, 2, { at: NOON });
    expect(await run(minute)).toBe("succeeded");
    copies.push(await copyOf("acme", "other"));
  }
  anchor = (await call("GET /v1/audit/anchor", { token: { org: "acme" } })).body.anchor;
  await run(minute++);
  expect(await world.integrity()).toMatchObject({ registry: "ok", logs: 0, forged_objects: 0, lost_at: null });
  expect(await verified("acme")).toEqual({ ok: true, checked: 6, unsealed: 0, first_bad: null });
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

async function signForeign(typ: string, payload: unknown): Promise<string> {
  const jwk = JSON.parse(FOREIGN_SIGNING_KEY) as JWK;
  const { kid } = JSON.parse(env.SIGNING_KEY ?? "") as JWK;
  const header = { alg: "EdDSA", typ, kid: kid ?? "" };
  return new CompactSign(new TextEncoder().encode(JSON.stringify(payload))).setProtectedHeader(header).sign(await importJWK(jwk, "EdDSA"));
}

const payloadOf = (jws: string) => JSON.parse(new TextDecoder().decode(Uint8Array.fromBase64(jws.split(".")[1] ?? "", { alphabet: "base64url" })));
const textOf = async (name: string) => (await env.KV.get(name)) ?? "";
const newest = async () => (await objects())[0] ?? "";
const cutBackTo = (n: number) => restore("acme", copies[n] as Copy);

interface Attack {
  readonly by: "D1" | "KV" | "both";
  readonly how: () => Promise<unknown>;
  /** What a verification of the log says at once, before any run. */
  readonly verified: object;
  /** What `/readyz` says, after how many runs at the most. */
  readonly ready: object;
  readonly within: number;
  /** What is in the operator's own log. */
  readonly findings: readonly string[];
  /** What an anchor shows, offline, that was kept before. */
  readonly anchored: object;
}

const WHOLE = { ok: true, first_bad: null };
const ENTRY = /^(behind|missing|differs):/;
const behind = (first_bad: number) => ({ ok: false, reason: "behind", first_bad });
const accused = { ready: { registry: "failed", logs: 1 }, within: 1, findings: ["behind:acme"] };

const ATTACKS: Record<string, Attack> = {
  "the whole log is erased, with its checkpoints, its head and its marks": {
    ...{ by: "D1", how: () => erase("acme"), verified: behind(1), ...accused },
    // Nothing in D1 says the organization's name any more.
    findings: [expect.stringMatching(/^missing:/) as never],
    anchored: { ok: false, reason: "behind", first_bad: 1 },
  },
  "the whole log is erased, and goes on": {
    ...{ by: "D1", verified: behind(1), ...accused, anchored: behind(1) },
    how: async () => {
      await erase("acme");
      await append("acme", 9, { at: NOON });
    },
  },
  "the log is cut back to an older state, head included": {
    ...{ by: "D1", how: () => cutBackTo(1), verified: behind(5), ...accused, anchored: behind(5) },
  },
  "the log is cut back, and other events are written": {
    ...{ by: "D1", verified: behind(5), ...accused, anchored: behind(5) },
    how: async () => {
      await cutBackTo(1);
      await append("acme", 2, { at: NOON });
    },
  },
  "the head is replaced by an older one": {
    ...{ by: "D1", verified: { ok: false, reason: "changed", first_bad: 7 }, ...accused, anchored: { ok: false, reason: "changed" } },
    how: () => sql("UPDATE audit_heads SET jws = ? WHERE org = 'acme'", copies[1]?.audit_heads?.find(({ org }) => org === "acme")?.jws),
  },
  "the head is removed": {
    ...{ by: "D1", how: () => sql("DELETE FROM audit_heads WHERE org = 'acme'"), verified: { ok: false, reason: "changed", first_bad: 7 } },
    ...{ ...accused, anchored: { ok: false, reason: "changed" } },
  },
  "the head and all after it are another organization's": {
    ...{ by: "D1", ready: { registry: "failed", logs: 1 }, within: 1, findings: ["differs:acme"] },
    how: async () => {
      const others = Object.fromEntries(
        Object.entries(copies[2] ?? {}).map(([table, rows]) => [table, rows.filter(({ org }) => org === "other").map((row) => ({ ...row, org: "acme" }))]),
      );
      await restore("acme", others);
    },
    ...{ verified: { ok: false, reason: "changed", first_bad: 1 }, anchored: { ok: false, reason: "changed", first_bad: 1 } },
  },
  "two checkpoints are swapped between organizations": {
    ...{ by: "D1", verified: { ok: false, reason: "changed", first_bad: 3 }, anchored: { ok: false, reason: "changed", first_bad: 3 } },
    how: async () => {
      for (const [from, to] of [
        ["acme", "x"],
        ["other", "acme"],
        ["x", "other"],
      ])
        await sql("UPDATE audit_checkpoints SET org = ? WHERE org = ? AND number = 2", to, from);
    },
    // The heads are what they were: only a verification reads what is behind them.
    ...{ ready: { registry: "ok", logs: 0 }, within: 1, findings: [] },
  },
  "a restore is made up": {
    ...{ by: "D1", verified: { ok: false, reason: "changed", first_bad: 3 }, ...accused, anchored: { ok: false, reason: "changed", first_bad: 3 } },
    findings: ["differs:acme"],
    how: async () => {
      await cutBackTo(0);
      const { number, checkpoint } = payloadOf(String(copies[0]?.audit_heads?.find(({ org }) => org === "acme")?.jws));
      const lost = { number: 3, checkpoint: "x", first_seq: 3, last_seq: 6 };
      const made = { org: "acme", generation: 2, number: 3, after: { number, checkpoint, last_seq: 2 }, lost, at: new Date(NOON).toISOString(), by: "ops" };
      await sql("INSERT INTO audit_generations VALUES ('acme', 2, 3, 6, ?)", await signForeign("keyhole-generation", made));
      const head = { org: "acme", number: 3, checkpoint: "x", removed_to: 0, generation: 2 };
      await sql("UPDATE audit_heads SET jws = ? WHERE org = 'acme'", await signForeign("keyhole-head", head));
    },
  },
  "all marks are erased": {
    ...{ by: "D1", how: () => sql("DELETE FROM audit_marks"), verified: WHOLE, ready: { registry: "ok" }, within: 1, findings: [], anchored: WHOLE },
  },
  "what the scheduled run has noted is erased": {
    ...{ by: "D1", how: () => sql("DELETE FROM audit_statements"), verified: WHOLE, ready: { registry: "ok" }, within: 1, findings: [], anchored: WHOLE },
  },
  "what the scheduled run has noted is bent": {
    ...{ by: "D1", how: () => sql("UPDATE audit_statements SET jws = jws || 'x'"), verified: WHOLE, ready: { registry: "ok" }, within: 1 },
    ...{ findings: ["statement:run", "statement:registry", "statement:rows"], anchored: WHOLE },
  },
  "the newest registry object is removed": {
    ...{ by: "KV", how: async () => env.KV.delete(await newest()), verified: { ok: false, reason: "registry-lost", first_bad: null } },
    ...{ ready: { registry: "lost", logs: 0 }, within: 1, findings: ["registry-lost"], anchored: WHOLE },
  },
  "all registry objects are removed": {
    ...{ by: "KV", verified: { ok: false, reason: "registry-lost", first_bad: null } },
    how: async () => {
      for (const name of await objects()) await env.KV.delete(name);
    },
    ...{ ready: { registry: "lost", logs: 0 }, within: 1, findings: ["registry-lost"], anchored: WHOLE },
  },
  "a registry object is made up by which the log had come further": {
    ...{ by: "KV", verified: WHOLE, ready: { registry: "ok", logs: 0, forged_objects: 1 }, within: 1, findings: [], anchored: WHOLE },
    how: async () => {
      const name = (await newest()).replace(/[0-9a-f]{12}$/, "0123456789ab");
      const payload = payloadOf(await textOf(await newest()));
      for (const entry of payload.entries) entry.number = 99;
      await env.KV.put(name, await signForeign("keyhole-registry", { ...payload, name }));
    },
  },
  "an older registry object is put under a newer name": {
    ...{ by: "KV", verified: WHOLE, ready: { registry: "ok", logs: 0, forged_objects: 1 }, within: 1, findings: [], anchored: WHOLE },
    how: async () => env.KV.put((await newest()).replace(/[0-9a-f]{12}$/, "0123456789ab"), await textOf((await objects()).at(-1) ?? "")),
  },
  "two registry objects change places": {
    ...{ by: "KV", verified: { ok: false, reason: "registry-lost", first_bad: null }, within: 1, findings: ["registry-lost"], anchored: WHOLE },
    ready: { registry: "lost", logs: 0, forged_objects: 2 },
    how: async () => {
      const [a = "", b = ""] = await objects();
      const [one, two] = [await textOf(a), await textOf(b)];
      await env.KV.put(a, two);
      await env.KV.put(b, one);
    },
  },
  "what is no registry object is put among them": {
    ...{ by: "KV", verified: WHOLE, ready: { registry: "ok", logs: 0 }, within: 1, findings: [], anchored: WHOLE },
    how: async () => {
      for (const name of ["r/", "r/x", "r/0000000000000/f0.1.0123456789ab", "r/9999999999999/f0.1.0123456789ab"]) await env.KV.put(name, "x");
    },
  },
  "the newest registry object is removed, and the log is cut back further than that": {
    ...{ by: "both", verified: behind(3), ...accused, anchored: behind(3) },
    findings: ["behind:acme", "registry-lost"],
    how: async () => {
      await env.KV.delete(await newest());
      await cutBackTo(0);
    },
  },
  "the newest registry objects are removed, and the log is cut back to what is left of them": {
    ...{ by: "both", verified: { ok: false, reason: "registry-lost", first_bad: null }, anchored: behind(3) },
    how: async () => {
      for (const name of (await objects()).slice(0, 2)) await env.KV.delete(name);
      await cutBackTo(0);
    },
    ...{ ready: { registry: "lost", logs: 0 }, within: 1, findings: ["registry-lost"] },
  },
  "the log, the registry and what was noted of it are erased: only an anchor shows it": {
    ...{ by: "both", verified: { ok: true, checked: 0 }, anchored: behind(1) },
    how: async () => {
      for (const name of await objects()) await env.KV.delete(name);
      for (const org of ["acme", "other"]) await erase(org);
      await sql("DELETE FROM audit_statements");
    },
    ...{ ready: { registry: "ok", logs: 0 }, within: 1, findings: [] },
  },
};

describe.each(Object.entries(ATTACKS))("%s", (_, attack) => {
  it(`(${attack.by}) is seen for what it is`, async () => {
    // KV may be this far behind before anything is said to be gone.
    minute += 2;
    world.goTo(minute);
    await attack.how();
    expect(await verified("acme")).toMatchObject(attack.verified);
    const { head, checkpoints } = await exported("acme");
    expect(await verifyExport({ ...(await exported("acme")), anchors: [anchor] })).toMatchObject(attack.anchored);
    for (let n = 0; n < attack.within; n++) expect(await run(minute++)).toBe("succeeded");
    expect(await world.integrity()).toMatchObject(attack.ready);
    expect(await world.findings()).toEqual(attack.findings);
    if (attack.ready === accused.ready || attack.findings.some((one) => typeof one === "string" && ENTRY.test(one))) {
      await run(minute++);
      const after = await exported("acme");
      expect([after.head, after.checkpoints.length], "nothing is sealed onto it").toEqual([head, checkpoints.length]);
      expect((await verified("acme")).ok).toBe(false);
    }
  });
});

it("the table has attacks by D1, by KV and by both", () => {
  expect(new Set(Object.values(ATTACKS).map(({ by }) => by))).toEqual(new Set(["D1", "KV", "both"]));
});

it("a log that is behind stays so, also when its marks are erased each time, and when the hour's full object is written", async () => {
  await cutBackTo(1);
  await append("acme", 3, { at: NOON });
  for (const later of [5, 30, 70, 140, 141, 500]) {
    await sql("DELETE FROM audit_marks");
    await run(minute + later);
    expect(await world.integrity()).toMatchObject({ registry: "failed", logs: 1 });
    expect(await verified("acme")).toMatchObject(behind(5));
    expect(await verified("other")).toMatchObject({ ok: true });
  }
});

it("does not claim that a log is whole when the registry cannot be read, and seals nothing meanwhile", async () => {
  const KV = { ...env.KV, list: () => Promise.reject(new Error("KV LIST failed")) } as unknown as KVNamespace;
  const broken = makeWorld({ KV });
  const { status, body } = await broken.call("GET /v1/audit/verify", { token: { org: "acme" } });
  expect([status, body.code]).toEqual([503, "storage-unavailable"]);
  await append("acme", 1, { at: NOON });
  expect(await broken.run(minute++)).toBe("failed");
  expect(await world.integrity()).toMatchObject({ registry: "unavailable" });
  expect(await verified("acme")).toMatchObject({ ok: true, unsealed: 1 });
  await run(minute++);
  expect(await world.integrity()).toMatchObject({ registry: "ok" });
  expect(await verified("acme")).toMatchObject({ ok: true, unsealed: 0 });
});

it("a registry among so much else that it cannot be told apart counts as one that cannot be read", async () => {
  const name = (await newest()).slice(0, -12);
  await Promise.all(Array.from({ length: 1_001 }, (_, n) => env.KV.put(`${name}${n.toString(16).padStart(12, "0")}`, "x")));
  await append("acme", 1, { at: NOON });
  expect(await run(minute++)).toBe("failed");
  expect(await world.integrity()).toMatchObject({ registry: "unavailable" });
  expect((await call("GET /v1/audit/verify", { token: { org: "acme" } })).status).toBe(503);
});

it("a finding that somebody puts back does not hold for more than five minutes", async () => {
  const good = await env.DB.prepare("SELECT jws FROM audit_statements WHERE name = 'registry'").first("jws");
  await erase("acme");
  minute += 6;
  await run(minute);
  expect(await world.integrity()).toMatchObject({ registry: "failed" });
  await sql("UPDATE audit_statements SET jws = ? WHERE name = 'registry'", good);
  expect(await world.integrity()).toMatchObject({ registry: "unknown" });
});

describe("a clock that jumps", () => {
  const count = async (org: string) => (await call("GET /v1/audit?action=secret.update", { token: { org } })).body.events.length;

  it("removes nothing: the first run only records itself, and what follows waits for a day of runs", async () => {
    const years = (Date.parse("2100-01-01T00:00:00Z") - NOON) / MINUTE;
    for (const later of [0, 1, 2, 60, 600, 1_400]) await run(years + later);
    expect([await count("acme"), await count("other")]).toEqual([6, 6]);
    minute = 5;
    await run(minute++);
    await run(minute++);
    expect([await count("acme"), await count("other")]).toEqual([6, 6]);
    expect(await verified("acme")).toMatchObject({ ok: true, first_bad: null });
  });

  it("does nothing else either in that run", async () => {
    await append("acme", 1, { at: NOON });
    const logged = vi.spyOn(console, "log").mockReturnValue();
    logged.mockClear();
    await run(minute + 1_441);
    expect(logged.mock.calls.map(([line]) => JSON.parse(String(line)))).toEqual([{ level: "info", event: "scheduled", resumed: true }]);
    expect(await verified("acme")).toMatchObject({ unsealed: 1 });
    await run(minute + 1_442);
    expect(await verified("acme")).toMatchObject({ unsealed: 0 });
  });
});
