import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it, vi } from "vitest";
import { type Fault, watch } from "../faults/binding-faults.ts";
import { openPlace as openWorker } from "../leases/place.ts";
import type { CallOptions, Reply } from "../support/call.ts";
import { eventsOf } from "../support/events-of.ts";
import { at, type Bench, interceptNetwork, isChange, KINDS, openBench, pending, SCOPE, settle } from "./place.ts";

afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

const MINUTE = 60_000;
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
    expect(await settle(Date.now() + 61 * MINUTE)).toEqual({ "given-up": 1 });
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
});
