import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { importRootKey, newWrappedKey } from "../../src/keys-file/wrapped-key.ts";
import { loadConfig } from "../../src/worker/config.ts";
import { FIRST_PAGE, readPage } from "../../src/worker/log/inventory-page.ts";
import { readTurn } from "../../src/worker/log/inventory-turn.ts";
import { sql } from "../audit/support.ts";
import { makeWorld, NOON } from "../audit/world.ts";
import { callWith } from "../support/call-with.ts";
import { githubTrust } from "../support/exchange.ts";
import { sealByHand } from "../support/seal-by-hand.ts";

const world = makeWorld();
const token = { org: "acme" };
let minute = 0;
let newer: Row = {};

type Row = Record<string, string | number | null>;
const rowOf = async (table: string, where: string) => (await env.DB.prepare(`SELECT * FROM ${table} WHERE ${where}`).first<Row>()) ?? {};
const remove = (table: string, where: string) => sql(`DELETE FROM ${table} WHERE ${where}`);
/** Puts an event into the log. */
const makeUp = (action: string, target: string) =>
  sql(
    `INSERT INTO audit_events (org, seq, at, actor, action, outcome, secrets, target, request_id)
     SELECT org, MAX(seq) + 1, MAX(at), 's', ?, 'allowed', '[]', ?, 'r' FROM audit_events WHERE org = 'acme'`,
    action,
    target,
  );
const GENERATED = ["rotation_due_at", "kind"];

/** Puts a copy in the place of what is there, as somebody does who can write to D1. */
async function putBack(table: string, where: string, row: Row): Promise<void> {
  const columns = Object.keys(row).filter((column) => !GENERATED.includes(column));
  const { meta } = await sql(`UPDATE ${table} SET ${columns.map((column) => `${column} = ?`).join(", ")} WHERE ${where}`, ...columns.map((one) => row[one]));
  if (meta.changes > 0) return;
  await sql(`INSERT INTO ${table} (${columns.join(", ")}) VALUES (${columns.map(() => "?").join(", ")})`, ...columns.map((one) => row[one]));
}

const run = async (bindings = {}) => expect(await world.run(minute++, bindings)).toBe("succeeded");
const rows = async () => (await world.integrity()).rows;
const findings = async () =>
  (
    await env.DB.prepare("SELECT target FROM audit_events WHERE org = 'acme' AND action = 'integrity.failed' AND outcome = 'denied' ORDER BY seq").all<{
      target: string;
    }>()
  ).results.map(({ target }) => target);

async function mint(expires_in = 86_400): Promise<string> {
  return (await world.call("POST /v1/tokens", { token, json: { label: "x", permissions: ["secrets:read"], expires_in } })).body.id;
}
async function done(request: string, json?: object) {
  const { status, body, text } = await world.call(request, { token, ...(json && { json }) });
  if (status >= 300) throw new Error(`${request}: ${text}`);
  return body;
}
const putTrust = (audience: string) => done("PUT /v1/trusts/github", { ...githubTrust("https://token.actions.githubusercontent.com"), audience });
const putService = (path: string) =>
  done("PUT /v1/services/api", {
    origin: "https://api.example.com",
    scopes: ["global"],
    inject: [{ in: "header", name: "X-Key", value: "${KEY}" }],
    allow: [{ methods: ["GET"], paths: [path] }],
  });
const putStore = (mount: string) => done("PUT /v1/stores/api", { kind: "vault", address: "https://vault.example.com", mount, credentials: { token: TOKEN } });
const putWebhook = (host: string) => done("PUT /v1/webhooks/api", { url: `https://${host}.example.com/hook`, events: ["calls.refused"] });
const TOKEN = { secret_key_ref: { scope: "team:t", store: "KEY" } };
const putStoreToken = () => done("PUT /v1/scopes/team%3At/secrets/KEY", { value: "a-token", hosts: ["vault.example.com"] });
const putScope = (parent: string) => done("PUT /v1/scopes/repo%3Aa%2Fb", { parent });
const putSecret = async (value: string): Promise<string> => (await done("PUT /v1/scopes/team%3At/secrets/KEY", { value })).id;

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ["Date"], now: NOON });
  for (const method of ["log", "error"] as const) vi.spyOn(console, method).mockReturnValue();
  await world.reset();
  // A version goes only with its ciphertext, and not without its data key.
  const { results } = await env.DB.prepare("SELECT name FROM sqlite_schema WHERE type = 'trigger' AND tbl_name = 'versions'").all<{ name: string }>();
  for (const { name } of results) await sql(`DROP TRIGGER ${name}`);
  for (const table of ["trusts", "services", "stores", "webhooks", "tokens", "scopes", "secrets", "versions"]) await sql(`DELETE FROM ${table}`);
  minute = 0;
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

/** What somebody does between two runs, of what they copied before; and what is found of it. */
const ATTACKS: Record<string, { readonly make: () => Promise<() => Promise<unknown>>; readonly found: RegExp; readonly put_right?: () => Promise<unknown> }> = {
  "deletes a trust": {
    make: async () => {
      await putTrust("a");
      return () => remove("trusts", "org = 'acme'");
    },
    found: /^missing:trusts acme github$/,
    put_right: () => putTrust("a"),
  },
  "deletes a trust while a restore of another organization's log is accepted by this one": {
    make: async () => {
      await putTrust("a");
      return async () => {
        await remove("trusts", "org = 'acme'");
        await makeUp("log.restored", "generation:generation:2:lost:1:2");
      };
    },
    found: /^missing:trusts acme github$/,
  },
  "puts back an older trust": {
    make: async () => {
      await putTrust("a");
      const row = await rowOf("trusts", "org = 'acme'");
      await putTrust("b");
      return () => putBack("trusts", "org = 'acme'", row);
    },
    found: /^changed:trusts acme github$/,
    put_right: () => putTrust("c"),
  },
  "puts back a trust that was deleted": {
    make: async () => {
      await putTrust("a");
      const row = await rowOf("trusts", "org = 'acme'");
      await done("DELETE /v1/trusts/github");
      return () => putBack("trusts", "org = 'acme'", row);
    },
    found: /^returned:trusts acme github$/,
    put_right: () => done("DELETE /v1/trusts/github"),
  },
  "puts back an older service": {
    make: async () => {
      await putService("/a");
      const row = await rowOf("services", "org = 'acme'");
      await putService("/b");
      return () => putBack("services", "org = 'acme'", row);
    },
    found: /^changed:services acme api$/,
    put_right: () => putService("/c"),
  },
  "puts back a service that was deleted": {
    make: async () => {
      await putService("/a");
      const row = await rowOf("services", "org = 'acme'");
      await done("DELETE /v1/services/api");
      return () => putBack("services", "org = 'acme'", row);
    },
    found: /^returned:services acme api$/,
    put_right: () => done("DELETE /v1/services/api"),
  },
  "puts back an older store": {
    make: async () => {
      await putStoreToken();
      await putStore("a");
      const row = await rowOf("stores", "org = 'acme'");
      await putStore("b");
      return () => putBack("stores", "org = 'acme'", row);
    },
    found: /^changed:stores acme api$/,
    put_right: () => putStore("c"),
  },
  "puts back a store that was deleted": {
    make: async () => {
      await putStoreToken();
      await putStore("a");
      const row = await rowOf("stores", "org = 'acme'");
      await done("DELETE /v1/stores/api");
      return () => putBack("stores", "org = 'acme'", row);
    },
    found: /^returned:stores acme api$/,
    put_right: () => done("DELETE /v1/stores/api"),
  },
  "puts back an older webhook": {
    make: async () => {
      await putWebhook("a");
      const row = await rowOf("webhooks", "org = 'acme'");
      await putWebhook("b");
      return () => putBack("webhooks", "org = 'acme'", row);
    },
    found: /^changed:webhooks acme api$/,
    put_right: () => putWebhook("c"),
  },
  "puts back a webhook that was deleted": {
    make: async () => {
      await putWebhook("a");
      const row = await rowOf("webhooks", "org = 'acme'");
      await done("DELETE /v1/webhooks/api");
      return () => putBack("webhooks", "org = 'acme'", row);
    },
    found: /^returned:webhooks acme api$/,
    put_right: () => done("DELETE /v1/webhooks/api"),
  },
  "takes a link away": {
    make: async () => {
      await putScope("team:one");
      return () => sql("UPDATE scopes SET parent = NULL, seal = NULL WHERE org = 'acme' AND scope = 'repo:a/b'");
    },
    found: /^missing:scopes acme repo:a\/b$/,
    put_right: () => putScope("team:one"),
  },
  "puts back an older link": {
    make: async () => {
      await putScope("team:one");
      const row = await rowOf("scopes", "org = 'acme' AND scope = 'repo:a/b'");
      await putScope("team:two");
      return () => putBack("scopes", "org = 'acme' AND scope = 'repo:a/b'", row);
    },
    found: /^changed:scopes acme repo:a\/b$/,
    put_right: () => done("DELETE /v1/scopes/repo%3Aa%2Fb"),
  },
  "deletes the row of a live token": {
    make: async () => {
      const id = await mint();
      return () => remove("tokens", `id = '${id}'`);
    },
    found: /^missing:tokens tok_/,
    // It expires.
    put_right: async () => {
      minute += 730;
      await run();
      minute += 730;
    },
  },
  "puts back the row of a token that was forgotten": {
    make: async () => {
      const id = await mint(60);
      const row = await rowOf("tokens", `id = '${id}'`);
      await run();
      // Forgotten by a run, a week later: runs have to follow each other by a day at the most.
      for (let day = 0; day < 8; day++) {
        minute += 1_430;
        await run();
      }
      return () => putBack("tokens", `id = '${id}'`, row);
    },
    found: /^returned:tokens tok_/,
    put_right: () => run(),
  },
  "puts back the row that a token had before an older Keyhole revoked it there": {
    make: async () => {
      const id = await mint();
      const row = await rowOf("tokens", `id = '${id}'`);
      await sql("UPDATE tokens SET revoked_at = 1 WHERE id = ?", id);
      await sealByHand("tokens", `id = '${id}'`);
      return () => putBack("tokens", `id = '${id}'`, row);
    },
    found: /^changed:tokens tok_/,
  },
  "puts back an older secret, with its value": {
    make: async () => {
      const id = await putSecret("one");
      const row = await rowOf("secrets", `id = '${id}'`);
      await putSecret("two");
      newer = await rowOf("secrets", `id = '${id}'`);
      return () => putBack("secrets", `id = '${id}'`, row);
    },
    found: /^changed:secrets sec_/,
    put_right: () => putBack("secrets", `id = '${newer.id}'`, newer),
  },
  "puts back an older expiry of a secret": {
    make: async () => {
      const id = await putSecret("one");
      const row = await rowOf("secrets", `id = '${id}'`);
      await done(`PATCH /v1/secrets/${id}`, { expires_at: "2027-01-01T00:00:00Z" });
      return () => putBack("secrets", `id = '${id}'`, row);
    },
    found: /^changed:secrets sec_/,
  },
  "puts back an older expiry of a secret of which an older version is destroyed then": {
    make: async () => {
      const id = await putSecret("one");
      await putSecret("two");
      const row = await rowOf("secrets", `id = '${id}'`);
      await done(`PATCH /v1/secrets/${id}`, { expires_at: "2027-01-01T00:00:00Z" });
      return async () => {
        await putBack("secrets", `id = '${id}'`, row);
        await done(`DELETE /v1/secrets/${id}/versions/1`);
      };
    },
    found: /^changed:secrets sec_/,
  },
  "deletes a secret": {
    make: async () => {
      const id = await putSecret("one");
      return () => remove("secrets", `id = '${id}'`);
    },
    found: /^missing:secrets sec_/,
  },
  "puts back a secret that was deleted and can come back": {
    make: async () => {
      const id = await putSecret("one");
      const secret = await rowOf("secrets", `id = '${id}'`);
      await done(`DELETE /v1/secrets/${id}`);
      return () => putBack("secrets", `id = '${id}'`, secret);
    },
    found: /^returned:secrets sec_/,
  },
  "puts back a secret as deleted that has come back": {
    make: async () => {
      const id = await putSecret("one");
      await done(`DELETE /v1/secrets/${id}`);
      const secret = await rowOf("secrets", `id = '${id}'`);
      await done(`POST /v1/secrets/${id}/undelete`);
      return () => putBack("secrets", `id = '${id}'`, secret);
    },
    found: /^changed:secrets sec_/,
  },
  "puts back a secret that was purged": {
    make: async () => {
      const id = await putSecret("one");
      const [secret, version] = [await rowOf("secrets", `id = '${id}'`), await rowOf("versions", `secret_id = '${id}'`)];
      await done(`DELETE /v1/secrets/${id}?purge=true`);
      return async () => {
        await putBack("secrets", `id = '${id}'`, secret);
        await putBack("versions", `secret_id = '${id}'`, version);
      };
    },
    found: /^returned:secrets sec_/,
    put_right: async () => {
      // Until its ciphertext is removed for the first time it cannot be deleted once more.
      for (let n = 0; n < 3; n++) {
        minute += 300;
        await run();
      }
      await done(`DELETE /v1/secrets/${(await rowOf("secrets", "org = 'acme'")).id}?purge=true`);
    },
  },
};

describe("somebody who can write to D1 and", () => {
  it.each(Object.entries(ATTACKS))(
    "%s is found by the next scheduled run, once, and counted until that is put right",
    async (_, { make, found, put_right }) => {
      await run();
      const attack = await make();
      await run();
      expect(await rows()).toMatchObject({ verdict: "ok", faults: 0 });
      await attack();
      await run();
      expect(await rows()).toMatchObject({ verdict: "failed", faults: 1 });
      const [target, ...more] = await findings();
      expect(target).toMatch(found);
      expect(more).toEqual([]);
      if (!put_right) return;
      await put_right();
      await run();
      expect(await rows()).toMatchObject({ verdict: "ok", faults: 0 });
      // That its value is gone is another finding.
      expect((await findings()).filter((one) => !one.startsWith("value:"))).toHaveLength(1);
    },
  );

  it("deletes what was made, or puts back what was deleted, before any run has seen that, is found all the same", async () => {
    await putTrust("a");
    await putSecret("one");
    await run();
    const row = await rowOf("trusts", "org = 'acme'");
    await done("DELETE /v1/trusts/github");
    await putBack("trusts", "org = 'acme'", row);
    await putScope("team:one");
    await sql("UPDATE scopes SET parent = NULL, seal = NULL WHERE org = 'acme'");
    const secret = await rowOf("secrets", "org = 'acme'");
    await putSecret("two");
    await putBack("secrets", "org = 'acme'", secret);
    for (let n = 0; n < 3; n++) {
      await run();
      expect(await rows()).toMatchObject({ verdict: "failed", faults: 3 });
    }
    expect((await findings()).map((target) => target.split(" ")[0])).toEqual(["changed:secrets", "missing:scopes", "returned:trusts"]);
  });

  it("puts back all of it together with what the run has noted in D1 is found: what counts is outside", async () => {
    await putTrust("a");
    await run();
    const tables = ["trusts", "audit_statements"];
    const copies = await Promise.all(tables.map((table) => rowOf(table, table === "trusts" ? "true" : "name = 'rows'")));
    await putTrust("b");
    await run();
    await putBack("trusts", "true", copies[0] ?? {});
    await putBack("audit_statements", "name = 'rows'", copies[1] ?? {});
    await run();
    expect(await rows()).toMatchObject({ verdict: "failed", faults: 1 });
  });

  it.each(["keys.seal", "log.restored"])("makes up an event %s is believed: what there is then counts as right", async (action) => {
    await putTrust("a");
    await run();
    await remove("trusts", "org = 'acme'");
    await makeUp(action, "generation:2:lost:1:2");
    await run();
    expect(await rows()).toMatchObject({ verdict: "ok", faults: 0 });
  });
});

describe("what is on record of rows", () => {
  const pages = async () => (await env.KV.list({ prefix: "i/" })).keys.map(({ name }) => name);

  it("shows no name, and is under the current key", async () => {
    await putTrust("a");
    await run();
    for (const name of await pages()) expect(name + (await env.KV.get(name))).not.toMatch(/acme|github/);
  });

  it("that somebody takes away is missed, once, and begun anew", async () => {
    await putTrust("a");
    await run();
    minute += 3;
    for (const name of await pages()) await env.KV.delete(name);
    await run();
    expect(await rows()).toMatchObject({ verdict: "lost", lost_at: expect.any(String) });
    expect(await world.findings()).toEqual(["inventory-lost"]);
    await run();
    expect(await rows()).toMatchObject({ verdict: "ok", lost_at: expect.any(String) });
    await remove("trusts", "true");
    await run();
    expect(await rows()).toMatchObject({ verdict: "failed", faults: 1 });
  });

  it("that somebody takes a part of away is missed, once, and the rest is compared as before", async () => {
    const scopes = 'scope IN (SELECT \'repo:a/\' || value FROM json_each(\'["0500", "2500", "3500", "4400"]\'))';
    await sql(
      `WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n LIMIT 4500)
       INSERT INTO scopes (org, scope, parent) SELECT 'acme', 'repo:a/' || substr('0000' || n, -4), 'team:t' FROM n`,
    );
    await sealByHand("scopes", "org = 'acme'");
    for (let n = 0; n < 7; n++) await run();
    const { keyring } = await loadConfig(env);
    const links = (await readTurn({ kv: env.KV, keyring })).tables.scopes?.links ?? {};
    const ids: string[] = [];
    for (let id: string | null | undefined = FIRST_PAGE; id; id = links[id]?.next) ids.push(id);
    expect(ids).toHaveLength(5);
    // A run begins with it: the ones before it are not at hand then.
    await env.KV.delete(`i/scopes/${ids[2]}`);
    await remove("scopes", scopes);
    for (let n = 0; n < 7; n++) await run();
    expect(await rows()).toMatchObject({ verdict: "failed", faults: 3, lost_at: expect.any(String) });
    expect(await world.findings()).toEqual(["inventory-lost"]);
    expect((await findings()).toSorted()).toEqual(["0500", "3500", "4400"].map((n) => `missing:scopes acme repo:a/${n}`));
    expect(Date.parse((await rows()).compared_since)).toBeGreaterThan(NOON + 7 * 60_000);
    expect(await readPage({ kv: env.KV, keyring, faultyKeys: new Set() }, "scopes", ids[2] ?? "")).toMatchObject({
      page: { next: ids[3], entries: { length: 999 } },
    });
  });

  it("is left as it is while its key is another one than it was, and is not said to be lost", async () => {
    const { ROOT_KEY = "", KEYRING = "" } = env;
    const root = await importRootKey(ROOT_KEY);
    const [one, other] = [(await newWrappedKey(root)).wrapped, (await newWrappedKey(root)).wrapped];
    const keyring = (current: string, k2: string) => ({
      KEYRING: JSON.stringify({ ...JSON.parse(KEYRING), current, keys: { ...JSON.parse(KEYRING).keys, k2 } }),
    });
    const call = callWith(keyring("k2", one));
    for (const name of ["A", "B"]) expect((await call(`PUT /v1/scopes/global/secrets/${name}`, { token, json: { value: name } })).status).toBe(201);
    await run(keyring("k2", one));
    minute += 3;
    const pagesNow = async () =>
      Object.fromEntries(await Promise.all((await pages()).filter((name) => name !== "i/turn").map(async (name) => [name, await env.KV.get(name)])));
    const before = await pagesNow();
    expect(Object.values(before).every((text) => String(text).startsWith("t1:k2:"))).toBe(true);
    for (const current of ["k2", "k1"]) {
      await world.run(minute++, keyring(current, other));
      expect(await pagesNow()).toEqual(before);
      expect(await rows()).toMatchObject({ faults: 0, lost_at: null });
    }
    expect(await world.findings()).not.toContain("inventory-lost");
    await remove("secrets", "name = 'A'");
    await run(keyring("k2", one));
    expect(await rows()).toMatchObject({ verdict: "failed", faults: 1, lost_at: null });
  });
});
