import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it, vi } from "vitest";
import { loadConfig } from "../../src/worker/config.ts";
import { purgeDeleted } from "../../src/worker/secrets/purge-deleted.ts";
import { type Fault, watch } from "../faults/binding-faults.ts";
import { openPlace as openWorker } from "../leases/place.ts";
import type { CallOptions, Reply } from "../support/call.ts";
import { eventsOf } from "../support/events-of.ts";
import { answering } from "../support/stores/stub-network.ts";
import { at, type Bench, interceptNetwork, isChange, KINDS, openBench, pending, SCOPE, settle } from "./place.ts";

afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

const MINUTE = 60_000;
const AWS_JSON = { "Content-Type": "application/x-amz-json-1.1" };
const FAULTS = ["fails", "fails after taking effect", "fails, and so does every call after it", "is the last thing that the Worker does"] as const;

interface Verb {
  readonly request: (id: string) => readonly [string, CallOptions?];
  /** What is there afterwards, where it has happened: the value; `undefined` for none. */
  readonly after: string | undefined;
  readonly before: string | undefined;
  readonly prepare?: (bench: Bench, id: string) => Promise<unknown>;
}
const VERBS: Readonly<Record<string, Verb>> = {
  "a value that is set": { request: () => [`PUT ${at("KEY")}`, { json: { value: "new" } }], before: "old", after: "new" },
  "a value of a new secret": {
    prepare: (bench) => bench.done(`DELETE ${at("KEY")}`),
    request: () => [`PUT ${at("KEY")}`, { json: { value: "new" } }],
    before: undefined,
    after: "new",
  },
  "a deletion": { request: () => [`DELETE ${at("KEY")}`], before: "old", after: undefined },
  "an undeletion": {
    prepare: (bench) => bench.done(`DELETE ${at("KEY")}`),
    request: (id) => [`POST /v1/secrets/${id}/undelete`],
    before: undefined,
    after: "old",
  },
};

/** What a secret is, here and there; the same, or it is said to be two things. */
async function stateOf(bench: Bench): Promise<string | undefined> {
  const there = await bench.inStore("KEY");
  const shown = await bench.call(`GET ${at("KEY")}`);
  expect([shown.status, there === undefined]).toEqual([there === undefined ? 404 : 200, there === undefined]);
  if (shown.status !== 200) return undefined;
  expect(await bench.inStore("KEY", shown.body.source.written)).toBe(there);
  return there;
}

async function prepared(kind: Bench["kind"], verb: Verb) {
  const bench = await openBench(kind);
  await bench.bind();
  const { body } = await bench.set("KEY", "old");
  await verb.prepare?.(bench, body.id);
  return { bench, id: body.id as string };
}

describe.each(KINDS)("%s: what goes wrong here", (kind) => {
  it.each(Object.entries(VERBS))("with %s leaves here what the store has, whichever call it is", { timeout: 180_000 }, async (_, verb) => {
    vi.spyOn(console, "error").mockReturnValue();
    const calls = await countCalls(kind, verb);
    for (let nth = 0; nth < calls; nth++) {
      for (const fault of faultsOf(nth)) {
        const { bench, id } = await prepared(kind, verb);
        const label = `${fault}, call ${nth}`;
        const watched = watch(env, nth, fault);
        const place = openWorker({ DB: watched.env.DB, KV: watched.env.KV });
        const seen = await Promise.race([place.call(verb.request(id)[0], { token: bench.token, ...verb.request(id)[1] }), watched.stuck]);
        vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 3 * MINUTE });
        await settle(Date.now());
        expect([label, await pending(bench.org)]).toEqual([label, 0]);
        const state = await stateOf(bench);
        expect([label, [verb.before, verb.after].includes(state)]).toEqual([label, true]);
        if (typeof seen === "object" && seen.status < 300) expect([label, state]).toEqual([label, verb.after]);
        // Whoever has no answer asks again.
        const again = await bench.call(verb.request(id)[0], verb.request(id)[1]);
        expect([label, again.status < 300 || (verb.after === undefined && again.status === 404), again.status < 300 ? "" : again.text]).toEqual([
          label,
          true,
          again.status < 300 ? "" : again.text,
        ]);
        expect([label, await stateOf(bench)]).toEqual([label, verb.after]);
        vi.useRealTimers();
      }
    }
  });
});

/** One of them, another for the next call and with the next seed; `npm run fuzz` has all. */
function faultsOf(nth: number): readonly Fault[] {
  return env.EVERY_CASE ? FAULTS : FAULTS.slice((env.TEST_SEED + nth) % FAULTS.length).slice(0, 1);
}

async function countCalls(kind: Bench["kind"], verb: Verb): Promise<number> {
  const { bench, id } = await prepared(kind, verb);
  const watched = watch(env);
  const place = openWorker({ DB: watched.env.DB, KV: watched.env.KV });
  const [request, options] = verb.request(id);
  const reply = await place.call(request, { token: bench.token, ...options });
  expect([reply.status < 300, reply.text]).toEqual([true, reply.text]);
  return watched.calls.length;
}

describe.each(KINDS)("%s: what goes wrong there", (kind) => {
  it.each([
    ["after the store has done it", true],
    ["before the store has done it", false],
  ] as const)("%s is found out, and ended here", async (_, does) => {
    for (const verb of Object.values(VERBS)) {
      const { bench, id } = await prepared(kind, verb);
      const [request, options] = verb.request(id);
      let broken = 0;
      interceptNetwork(async (asked, send) => {
        if (broken > 3 || !(await isChange(asked))) return send();
        broken++;
        const reply = does ? await send() : undefined;
        // What the store has not done all the same goes on.
        if (reply && !reply.ok) return reply;
        throw new TypeError("the connection broke off");
      });
      const seen = await bench.call(request, options);
      broken = 9;
      expect(seen.status === 503 || seen.status < 300).toBe(true);
      if (seen.status === 503) expect(seen.body.code).toBe("store-unavailable");
      vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 3 * MINUTE });
      await settle(Date.now());
      expect([request, await pending(bench.org)]).toEqual([request, 0]);
      const state = await stateOf(bench);
      // A deleted key is brought back before it is written: that this was done is not all of it.
      const half = verb === VERBS["a value of a new secret"] && kind !== "vault";
      expect([request, half ? [verb.before, verb.after].includes(state) : state]).toEqual([request, half ? true : does ? verb.after : verb.before]);
      vi.useRealTimers();
    }
  });
});

describe("what has been begun", () => {
  const halfway = async (): Promise<{ bench: Bench; reply: Reply; id: string }> => {
    const { bench, id } = await prepared("vault", { request: () => [""], before: "", after: "" });
    let broken = false;
    interceptNetwork(async (asked, send) => {
      if (broken || asked.method !== "POST") return send();
      broken = true;
      await send();
      throw new TypeError("the connection broke off");
    });
    return { bench, id, reply: await bench.set("KEY", "new") };
  };

  it("lets nobody else change the secret until it has ended", async () => {
    const { bench, id, reply } = await halfway();
    expect([reply.status, reply.body.code, await pending(bench.org)]).toEqual([503, "store-unavailable", 1]);
    for (const [request, options] of [
      [`PUT ${at("KEY")}`, { json: { value: "third" } }],
      [`PUT ${at("KEY")}`, { json: { source: { store: "outside", key: "prod/other" } } }],
      [`PATCH /v1/secrets/${id}`, { json: { description: "told" } }],
      [`DELETE ${at("KEY")}`],
      [`DELETE ${at("KEY")}?purge=true`],
      ["POST /v1/import", { json: { scope: SCOPE, secrets: { KEY: "third", OTHER: "x" } } }],
      [`PUT /v1/scopes/${SCOPE}`, { json: { store: null } }],
      [`PUT /v1/scopes/${SCOPE}`, { json: { store: "outside", prefix: "prod/else/" } }],
    ] as [string, CallOptions?][]) {
      const { status, body } = await bench.call(request, options);
      expect([request, options, status, body.code]).toEqual([request, options, 409, request.includes("purge") ? "scope-in-store" : "write-conflict"]);
    }
    expect((await bench.define({ refresh_seconds: 5 })).body.code).toBe("write-conflict");
    expect((await bench.call(`GET ${at("OTHER")}`)).status).toBe(404);
    expect(await settle(Date.now() + MINUTE + 1)).toEqual({ ended: 1 });
    expect((await bench.call(`GET ${at("KEY")}`)).body).toMatchObject({ version: 2, source: { written: "2" } });
    expect((await eventsOf(bench.org)).slice(-2).map(({ action, outcome }) => [action, outcome])).toEqual([
      ["store.write", "allowed"],
      ["secret.update", "allowed"],
    ]);
    expect((await bench.set("KEY", "third")).body).toMatchObject({ version: 3 });
  });

  it("is ended by the next write of the name, once it is likely left", async () => {
    const { bench } = await halfway();
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 15_000 });
    expect((await bench.set("KEY", "third")).body).toMatchObject({ version: 3 });
    expect([await pending(bench.org), bench.versions("KEY")]).toEqual([0, 3]);
  });

  it("is forgotten where the store has not done it, and not before it cannot be under way any more", async () => {
    const { bench } = await prepared("vault", { request: () => [""], before: "", after: "" });
    let broken = false;
    interceptNetwork(async (asked, send) => {
      if (broken || asked.method !== "POST") return send();
      broken = true;
      throw new TypeError("the connection broke off");
    });
    expect((await bench.set("KEY", "new")).status).toBe(503);
    const begun = Date.now();
    expect(await settle(begun + MINUTE + 1)).toEqual({ waits: 1 });
    expect(await settle(begun + 2 * MINUTE + 2)).toEqual({ "not-done": 1 });
    expect(await pending(bench.org)).toBe(0);
    expect((await eventsOf(bench.org)).at(-1)).toMatchObject({ action: "store.write", outcome: "failed", target: "outside not-done" });
    expect((await bench.call(`GET ${at("KEY")}`)).body.version).toBe(1);
  });

  it("is given up where the store does not say for an hour", async () => {
    const { bench } = await halfway();
    bench.stores.vault.tokens.clear();
    expect(await settle(Date.now() + MINUTE + 1)).toEqual({ waits: 1 });
    expect(await settle(Date.now() + 62 * MINUTE)).toEqual({ "given-up": 1 });
    expect(await pending(bench.org)).toBe(0);
  });

  it("is not believed where somebody else has written it into the database", async () => {
    const { bench } = await halfway();
    await env.DB.prepare("UPDATE store_writes SET plan = replace(plan, 'secret.update', 'secret.create') WHERE org = ?").bind(bench.org).run();
    vi.spyOn(console, "error").mockReturnValue();
    await expect(settle(Date.now() + MINUTE + 1)).rejects.toThrow();
    expect((await bench.call(`GET ${at("KEY")}`)).body.version).toBe(1);
    await env.DB.prepare("DELETE FROM store_writes WHERE org = ?").bind(bench.org).run();
  });

  it("keeps no other organization waiting, however much one has", async () => {
    const { bench } = await halfway();
    const other = `crowded-${crypto.randomUUID().slice(0, 8)}`;
    await crowd(other, 30);
    vi.spyOn(console, "error").mockReturnValue();
    await expect(settle(Date.now() + MINUTE + 1)).rejects.toThrow();
    expect([await pending(bench.org), await pending(other)]).toEqual([0, 30]);
    await env.DB.prepare("DELETE FROM store_writes WHERE org = ?").bind(other).run();
  });

  it("is so much of one organization and no more: then nothing is begun, and that is said", async () => {
    const { bench } = await prepared("vault", { request: () => [""], before: "", after: "" });
    await crowd(bench.org, 500);
    const { status, body } = await bench.set("KEY", "new");
    expect([status, body.code, body.detail]).toEqual([429, "rate-limited", expect.stringContaining("500")]);
    expect([await bench.inStore("KEY"), await pending(bench.org)]).toEqual(["old", 500]);
    await env.DB.prepare("DELETE FROM store_writes WHERE org = ? AND name = 'N_1'").bind(bench.org).run();
    expect((await bench.set("KEY", "new")).status).toBe(200);
    await env.DB.prepare("DELETE FROM store_writes WHERE org = ?").bind(bench.org).run();
  });

  it.each(["the next write of the name", "the scheduled run"])("is on record as what its caller began, when %s ends it", async (who) => {
    const { bench, id, reply } = await halfway();
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + MINUTE + 1 });
    const other = { org: bench.org, sub: "somebody-else" };
    if (who === "the scheduled run") await settle(Date.now());
    else expect((await bench.set("KEY", "third", { token: other })).body).toMatchObject({ version: 3 });
    const { versions } = (await bench.call(`GET /v1/secrets/${id}/versions`)).body;
    const by = (version: number) => versions.find((one: { version: number }) => one.version === version)?.created_by;
    expect(by(2)).toBe(by(1));
    const ending = (await eventsOf(bench.org)).find(({ action, secrets }) => action === "secret.update" && secrets[0]?.version === 2);
    expect(ending).toMatchObject({ actor: "keyhole:scheduled", target: `began ${reply.headers.get("X-Request-Id")}` });
    if (who !== "the scheduled run") expect(by(3)).toBe("somebody-else");
  });

  it("is not given up before it was asked about for an hour, however late that begins", async () => {
    const { bench } = await halfway();
    bench.stores.vault.tokens.clear();
    const late = Date.now() + 300 * MINUTE;
    expect(await settle(late)).toEqual({ waits: 1 });
    expect(await settle(late + 59 * MINUTE)).toEqual({ waits: 1 });
    expect(await settle(late + 61 * MINUTE)).toEqual({ "given-up": 1 });
  });

  it("waits where a row that it needs is not what was written, and that is noted", async () => {
    const { bench } = await halfway();
    await env.DB.prepare("UPDATE scope_stores SET updated_by = 'nobody' WHERE org = ?").bind(bench.org).run();
    vi.spyOn(console, "error").mockReturnValue();
    await expect(settle(Date.now() + MINUTE + 1)).rejects.toThrow();
    const { results } = await env.DB.prepare("SELECT table_name FROM integrity_failures WHERE org = ?").bind(bench.org).all();
    expect([results, await pending(bench.org)]).toEqual([[{ table_name: "scope_stores" }], 1]);
    await env.DB.batch(["store_writes", "integrity_failures"].map((table) => env.DB.prepare(`DELETE FROM ${table} WHERE org = ?`).bind(bench.org)));
  });

  it("is not said to be nothing once the store has done it", async () => {
    const { bench } = await prepared("vault", { request: () => [""], before: "", after: "" });
    interceptNetwork(async (asked, send) => {
      const reply = await send();
      if (asked.method === "POST") await env.DB.prepare("DELETE FROM store_writes WHERE org = ?").bind(bench.org).run();
      return reply;
    });
    const { status, body } = await bench.set("KEY", "new");
    expect([status, body.code, body.detail]).toEqual([409, "write-conflict", expect.not.stringContaining("Nothing of this")]);
    expect(body.detail).toContain("has done it");
  });

  it("on a deleted secret keeps no other one from being purged", async () => {
    const { bench, id } = await prepared("vault", { request: () => [""], before: "", after: "" });
    const other = (await bench.set("OTHER", "x")).body.id;
    for (const name of ["KEY", "OTHER"]) await bench.done(`DELETE ${at(name)}`);
    interceptNetwork(async (asked, send) => {
      if (asked.url.includes("/undelete/")) throw new TypeError("the connection broke off");
      return send();
    });
    expect((await bench.call(`POST /v1/secrets/${id}/undelete`)).status).toBe(503);
    expect(await pending(bench.org)).toBe(1);
    const later = new Date(Date.now() + 9 * 24 * 60 * MINUTE);
    await purgeDeleted({ db: env.DB, keyring: (await loadConfig(env)).keyring, now: later });
    const { results } = await env.DB.prepare("SELECT id FROM secrets WHERE org = ? AND id IN (?, ?)").bind(bench.org, id, other).all();
    expect(results).toEqual([{ id }]);
    await env.DB.prepare("DELETE FROM store_writes WHERE org = ?").bind(bench.org).run();
  });
});

describe("a store that does something and then refuses to do it again", () => {
  it.each(KINDS)("has done it: %s", async (kind) => {
    const { bench } = await prepared(kind, { request: () => [""], before: "", after: "" });
    let sent = 0;
    interceptNetwork(async (asked, send) => {
      const target = asked.headers.get("X-Amz-Target");
      if (target === null ? asked.method !== "DELETE" : !target.endsWith(".DeleteSecret")) return send();
      if (sent++ > 0)
        return kind === "aws" ? answering(400, { __type: "AccessDeniedException" }, AWS_JSON)(asked) : answering(403, { error: { code: "Forbidden" } })(asked);
      await send();
      throw new TypeError("the connection broke off");
    });
    const { status, body } = await bench.call(`DELETE ${at("KEY")}`);
    expect([status, body.code, await bench.inStore("KEY"), await pending(bench.org), sent]).toEqual([503, "store-unavailable", undefined, 1, 2]);
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + MINUTE + 1 });
    expect(await settle(Date.now())).toEqual({ ended: 1 });
    expect((await bench.call(`GET ${at("KEY")}`)).status).toBe(404);
  });
});

describe("a deleted key that is brought back to be written", () => {
  it.each(["aws", "azure"] as const)("is deleted again where the store does not take the value: %s", async (kind) => {
    const { bench } = await prepared(kind, { request: () => [""], before: "", after: "" });
    await bench.done(`PUT ${at("THEIRS")}`, { json: { value: "x" } });
    await bench.writeInStore("prod/app/SYNCED", "of the store");
    await bench.done(`POST /v1/scopes/${SCOPE}/sync`, { json: {} });
    for (const name of ["KEY", "SYNCED"]) await bench.done(`DELETE ${at(name)}`);
    let restored = false;
    interceptNetwork(async (asked, send) => {
      const target = asked.headers.get("X-Amz-Target");
      if (target?.endsWith(".RestoreSecret") || asked.url.includes("/recover")) restored = true;
      const writes = target === null ? asked.method === "PUT" : target.endsWith(".PutSecretValue");
      if (!restored || !writes) return send();
      return kind === "aws" ? answering(400, { __type: "AccessDeniedException" }, AWS_JSON)(asked) : answering(403, { error: { code: "Forbidden" } })(asked);
    });
    for (const name of ["KEY", "SYNCED"]) {
      restored = false;
      const { status, body } = await bench.set(name, "new");
      expect([name, restored, status, body.code]).toEqual([name, true, 422, "store-refused"]);
      expect([name, await bench.inStore(name), await pending(bench.org)]).toEqual([name, undefined, 0]);
    }
  });
});

describe("a deleted key that was brought back to be written, and then nothing more was done", () => {
  const halfway = async (kind: "aws" | "azure") => {
    const { bench } = await prepared(kind, { request: () => [""], before: "", after: "" });
    for (const name of ["SYNCED", "ROTATED", "THEIRS"]) await bench.writeInStore(`prod/app/${name}`, "of the store");
    await bench.done(`POST /v1/scopes/${SCOPE}/sync`, { json: {} });
    await bench.done(`PUT ${at("ROTATED")}`, { json: { value: "of Keyhole" } });
    await bench.writeInStore("prod/app/ROTATED", "rotated there");
    await bench.done(`DELETE ${at("SYNCED")}`);
    await bench.done(`DELETE ${at("ROTATED")}`);
    await bench.done(`DELETE ${at("THEIRS")}`);
    let isOver: boolean | undefined = false;
    interceptNetwork(async (asked, send) => {
      if (isOver === undefined) return send();
      const restores = asked.headers.get("X-Amz-Target")?.endsWith(".RestoreSecret") || asked.url.includes("/recover");
      if (isOver && (await isChange(asked))) throw new TypeError("the connection broke off");
      if (restores) isOver = true;
      return send();
    });
    for (const name of ["SYNCED", "ROTATED", "THEIRS"]) {
      const { status, body } = await bench.set(name, "new");
      expect([name, status, body.code, await bench.inStore(name)]).toEqual([
        name,
        503,
        "store-unavailable",
        name === "ROTATED" ? "rotated there" : "of the store",
      ]);
      isOver = false;
    }
    isOver = undefined;
    return bench;
  };

  it.each(["aws", "azure"] as const)("is deleted again, whoever had written it; but what others have made of it since stays: %s", async (kind) => {
    const bench = await halfway(kind);
    await bench.writeInStore("prod/app/THEIRS", "of others");
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 3 * MINUTE });
    expect(await settle(Date.now())).toEqual({ "not-done": 3 });
    expect([await bench.inStore("SYNCED"), await bench.inStore("ROTATED"), await bench.inStore("THEIRS")]).toEqual([undefined, undefined, "of others"]);
    for (const name of ["SYNCED", "ROTATED"]) expect([name, (await bench.call(`GET ${at(name)}`)).status, await pending(bench.org)]).toEqual([name, 404, 0]);
    expect((await bench.set("SYNCED", "new")).status).toBe(201);
    expect(await bench.inStore("SYNCED")).toBe("new");
  });
});

describe("an import of what the store has and of what it has not", () => {
  it("is not said to be done where the second of its transactions was not", async () => {
    const secrets = { KEY: "old", OTHER: "new" };
    const run = async (nth: number) => {
      const { bench } = await prepared("vault", { request: () => [""], before: "", after: "" });
      const watched = watch(env, nth, "fails");
      const reply = await openWorker({ DB: watched.env.DB, KV: watched.env.KV }).call("POST /v1/import", {
        token: bench.token,
        json: { scope: SCOPE, secrets },
      });
      return { bench, reply, calls: watched.calls.length };
    };
    vi.spyOn(console, "error").mockReturnValue();
    const { calls } = await run(-1);
    // The last ones are of the ciphertext that goes to KV, after the reply.
    for (let nth = Math.max(0, calls - 5); nth < calls; nth++) {
      const { bench, reply } = await run(nth);
      const there = (await bench.call(`GET ${at("OTHER")}`)).status;
      expect([nth, reply.status < 300, there]).toEqual([nth, reply.status < 300, reply.status < 300 ? 200 : 404]);
      await env.DB.prepare("DELETE FROM store_writes WHERE org = ?").bind(bench.org).run();
    }
  });
});

/** Something begun of so many names of an organization, due long ago, that nobody has sealed. */
async function crowd(org: string, count: number): Promise<void> {
  await env.DB.prepare(
    `WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < ?2)
     INSERT INTO store_writes (org, scope, name, operation, store, plan, at, retry_at, seal)
     SELECT ?1, 'namespace:crowd', 'N_' || CAST(n AS INTEGER), lower(hex(randomblob(16))), 'outside', '{}', 1, 1, 'none' FROM n`,
  )
    .bind(org, count)
    .run();
}
