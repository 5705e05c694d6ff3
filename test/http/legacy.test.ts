import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it } from "vitest";
import guide from "../../docs/adopting-plaintext.md?raw";
import type { Env } from "../../src/worker/config.ts";
import { runScheduled } from "../../src/worker/scheduled.ts";
import { at, type CallOptions } from "../support/call.ts";
import { callWith } from "../support/call-with.ts";
import { STILL } from "../support/still.ts";
import { UNSEALED_KEYRING } from "../support/test-secrets.ts";

const MINUTE = 60_000;
const START = Date.parse("2026-12-01T00:00:00Z");
// Plaintext is taken as it is by a deployment that does not require seals; for others see seal-rows.test.ts.
const read = callWith({ LEGACY_PLAINTEXT: "read", KEYRING: UNSEALED_KEYRING });
const off = callWith({ KEYRING: UNSEALED_KEYRING });

/** The SQL of the guide, as it is written there: the old table, loading, looking, removing the table. */
const [CREATE = "", LOAD = "", LOOK = "", DROP = ""] = [...guide.matchAll(/```sql\n([\s\S]*?)```/g)].map(([, text]) => text ?? "");

async function execute(text: string): Promise<D1Result[]> {
  const statements = text.split(";").filter((statement) => statement.trim() !== "");
  return env.DB.batch(statements.map((statement) => env.DB.prepare(statement)));
}

let made = 0;
let org = "";
beforeEach(async () => {
  org = `legacy-${made++}`;
  await execute(CREATE);
  await env.DB.prepare("DELETE FROM old_secrets").run();
  await env.DB.prepare("UPDATE versions SET legacy_plaintext = NULL WHERE legacy_plaintext IS NOT NULL").run();
});

/** Loads rows as the guide says. */
async function load(rows: Record<string, string>, encoding = "utf8", scope = "global"): Promise<void> {
  await env.DB.batch(
    Object.entries(rows).map(([name, value]) =>
      env.DB.prepare("INSERT INTO old_secrets (org, scope, name, value, encoding) VALUES (?, ?, ?, ?, ?)").bind(org, scope, name, value, encoding),
    ),
  );
  await execute(LOAD);
}

const run = (minutes = 0, LEGACY_PLAINTEXT = "read") =>
  runScheduled({ ...env, LEGACY_PLAINTEXT, KEYRING: UNSEALED_KEYRING } as Env, new Date(START + minutes * MINUTE), STILL);
const left = async () => (await off("GET /readyz")).body.backlog;
const resolve = (names: string[], call = read) => call("POST /v1/resolve", { token: { org }, json: { names } });
const resolved = async (name: string, call = read) => (await resolve([name], call)).body.secrets?.[name]?.value;
const plaintexts = async (text: string) =>
  (await env.DB.prepare("SELECT COUNT(*) AS n FROM versions WHERE legacy_plaintext = ?").bind(text).first<number>("n")) ?? 0;
const send = (method: string, name: string, options: CallOptions, call = read) => call(`${method} ${at("global", name)}`, { token: { org }, ...options });

describe("rows loaded with the SQL of the guide", () => {
  it("resolve to what they were where LEGACY_PLAINTEXT is read, before and after they are encrypted", async () => {
    const rows = { TEXT: "pa$$ wörd\n'\"", LONG: "x".repeat(65_536), NUL: "a\u0001b" };
    await load(rows);
    await load({ BYTES: "AP8Q" }, "base64", "team:t");
    for (let n = 0; n < 2; n++) {
      for (const [name, value] of Object.entries(rows)) expect(await resolved(name)).toBe(value);
      const { body } = await read("POST /v1/resolve", { token: { org }, json: { scopes: ["team:t"], names: ["BYTES"] } });
      expect([body.secrets.BYTES.value, body.secrets.BYTES.encoding]).toEqual(["AP8Q", "base64"]);
      await run();
    }
    expect(await left()).toMatchObject({ legacy_plaintext: 0, set_aside: 0 });
    for (const minutes of [2, 8, 14]) await run(minutes);
    expect(await resolved("TEXT", off), "LEGACY_PLAINTEXT can be off again").toBe(rows.TEXT);
    expect(await env.DB.prepare("SELECT COUNT(*) AS n FROM versions WHERE ciphertext IS NOT NULL").first("n")).toBe(0);
    await execute(DROP);
    expect(await resolved("LONG", off)).toBe(rows.LONG);
  });

  it("are refused by default with a detail that says what to do, and stay as they are", async () => {
    await load({ A: "plain" });
    const { status, body, headers, text } = await resolve(["A"], off);
    expect([status, body.code, headers.get("Retry-After")]).toEqual([503, "storage-unavailable", "2"]);
    expect(body.detail).toBe("The value of A in global, version 1 is still as another store had it; it is read once LEGACY_PLAINTEXT is set to read.");
    expect(text).not.toContain('plain"');
    await run(0, "off");
    expect(await plaintexts("plain")).toBe(1);
    expect((await left()).legacy_plaintext).toBe(1);
  });

  it("can be loaded again, beside secrets of Keyhole's own, and change nothing then", async () => {
    await send("PUT", "OWN", { json: { value: "own" } });
    await load({ OWN: "old", A: "a" });
    await execute(LOAD);
    expect([await resolved("OWN"), await resolved("A")]).toEqual(["own", "a"]);
    await run();
    await execute(LOAD);
    expect([await resolved("OWN"), await resolved("A"), (await left()).legacy_plaintext]).toEqual(["own", "a", 0]);
  });

  it("are in lists, versions and explanations as any other, without their values", async () => {
    await load({ A: "plain-value" });
    for (const path of ["/v1/secrets", at("global", "A"), "/v1/explain/A", "/v1/scopes"]) {
      const { status, text } = await off(`GET ${path}`, { token: { org } });
      expect(status).toBe(200);
      expect(text).not.toContain("plain-value");
    }
    const { id } = (await off(`GET ${at("global", "A")}`, { token: { org } })).body;
    expect((await off(`GET /v1/secrets/${id}/versions`, { token: { org } })).body.versions).toMatchObject([{ version: 1, state: "current" }]);
  });

  it("are found by the guide's search for what is left, which shows no value", async () => {
    await load({ A: "plain-value" });
    const [found] = await execute(LOOK);
    expect(found?.results).toEqual([{ org, scope: "global", name: "A", length: 11 }]);
  });
});

describe("every write encrypts what it comes across", () => {
  it.each([
    ["PUT of another value", () => send("PUT", "A", { json: { value: "new" } }), "new", 2],
    ["PUT of the same value", () => send("PUT", "A", { json: { value: "plain" } }), "plain", 1],
    ["PUT of a description", () => send("PUT", "A", { json: { value: "plain", description: "d" } }), "plain", 1],
    ["POST of an import", () => read("POST /v1/import", { token: { org }, json: { scope: "global", secrets: { A: "new", B: "b" } } }), "new", 2],
  ])("%s", async (_, write, value, version) => {
    await load({ A: "plain" });
    expect((await write()).status).toBe(200);
    expect(await plaintexts("plain")).toBe(0);
    expect([await resolved("A", off), (await off(`GET ${at("global", "A")}`, { token: { org } })).body.version]).toEqual([value, version]);
  });

  it("PATCH, rollback to it, destroy and delete", async () => {
    await load({ A: "plain", B: "plain-b" });
    const idOf = async (name: string) => (await off(`GET ${at("global", name)}`, { token: { org } })).body.id;
    await read(`PATCH /v1/secrets/${await idOf("A")}`, { token: { org }, json: { description: "d" } });
    expect(await plaintexts("plain")).toBe(0);
    await off(`PUT ${at("global", "B")}`, { token: { org }, json: { value: "new" } });
    expect(await plaintexts("plain-b"), "an older version waits for the scheduled run").toBe(1);
    const id = await idOf("B");
    expect((await read(`POST /v1/secrets/${id}/rollback`, { token: { org }, json: { version: 1 } })).status).toBe(200);
    expect(await resolved("B", off)).toBe("plain-b");
    expect((await read(`DELETE /v1/secrets/${id}/versions/1`, { token: { org } })).status).toBe(204);
    expect(await plaintexts("plain-b")).toBe(0);
    await load({ C: "plain-c" });
    expect((await off(`DELETE ${at("global", "C")}?purge=true`, { token: { org } })).status).toBe(204);
    expect(await plaintexts("plain-c")).toBe(0);
  });

  it("works while it is off, too: a value is replaced without being read", async () => {
    await load({ A: "plain" });
    expect((await send("PUT", "A", { json: { value: "new" } }, off)).body).toMatchObject({ version: 2, changed: true });
    expect(await resolved("A", off)).toBe("new");
  });
});

describe("the scheduled run", () => {
  it("encrypts in bounded batches, also of the largest values, and two at once do no harm", async () => {
    const large = "\u0001".repeat(65_536);
    await load(Object.fromEntries(Array.from({ length: 60 }, (_, n) => [`N${n}`, large])));
    expect((await left()).legacy_plaintext).toBe(60);
    await run();
    expect((await left()).legacy_plaintext).toBe(10);
    await Promise.all([run(1), run(1)]);
    expect(await left()).toMatchObject({ legacy_plaintext: 0, set_aside: 0 });
    for (const name of ["N0", "N30", "N59"]) expect((await resolved(name, off)) === large).toBe(true);
  });

  it("quarantines what is no value, counts it on /readyz, and gets on with the rest", async () => {
    await load({ EMPTY: "", HUGE: "x".repeat(70_000) });
    await load({ NO_BASE64: "!" }, "base64");
    await load(Object.fromEntries(Array.from({ length: 52 }, (_, n) => [`GOOD_${n}`, "good"])));
    await run();
    await run(1);
    expect(await left()).toMatchObject({ legacy_plaintext: 3, set_aside: 3 });
    expect(await resolved("GOOD_51", off)).toBe("good");
    const { status, body, text } = await resolve(["NO_BASE64"]);
    expect([status, body.code]).toEqual([500, "internal"]);
    expect(text).not.toContain('"!"');
    expect((await send("PUT", "EMPTY", { json: { value: "now a value" } })).status).toBe(200);
    expect(await resolved("EMPTY", off)).toBe("now a value");
  });
});
