import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { loadConfig } from "../../src/worker/config.ts";
import { purgeDeleted } from "../../src/worker/secrets/purge-deleted.ts";
import { settleCiphertexts } from "../../src/worker/secrets/settle-ciphertexts.ts";
import { at, type CallOptions, call, put, type Reply, resolve } from "../support/call.ts";
import { callWith } from "../support/call-with.ts";
import { resolvedValue } from "../support/resolved-value.ts";

const DAY = 86_400_000;
const START = Date.parse("2026-12-01T00:00:00.000Z");
const RETURN = new Date(START + 7 * DAY).toISOString();
const goTo = (days: number) => vi.setSystemTime(START + days * DAY);
const refused = ({ status, body }: Reply) => [status, body.code];
const undelete = (id: string, options: CallOptions = {}) => call(`POST /v1/secrets/${id}/undelete`, options);
const drop = (scope: string, name: string, options: CallOptions = {}) => call(`DELETE ${at(scope, name)}`, options);
const listed = async (query: string, token: CallOptions["token"] = {}) =>
  (await call(`GET /v1/secrets?${query}`, { token })).body.secrets.map(({ name, scope }: { name: string; scope: string }) => `${scope}/${name}`);
const versionsOf = async (id: string, token: CallOptions["token"] = {}) =>
  (await call(`GET /v1/secrets/${id}/versions`, { token })).body.versions.map(
    ({ version, state }: { version: number; state: string }) => `${version} ${state}`,
  );
const kept = (id: string) => env.DB.prepare("SELECT COUNT(*) AS n FROM versions WHERE secret_id = ? AND wrapped_key IS NOT NULL").bind(id).first("n");
/** Purges what other tests have left. */
const clear = async () => {
  goTo(100);
  await purge();
  goTo(0);
};
const purge = async () => purgeDeleted({ db: env.DB, keyring: (await loadConfig(env)).keyring, now: new Date() });

beforeEach(() => void vi.useFakeTimers({ toFake: ["Date"], now: START }));
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

describe("a deleted secret", () => {
  it("is seen by nothing but the list of what can come back, and says until when", async () => {
    const { body } = await put("namespace:a", "GONE", "v", { fields: { labels: { team: "x" }, description: "d", locked: true } });
    const deleted = await drop("namespace:a", "GONE");
    expect([deleted.status, deleted.text, deleted.headers.get("Keyhole-Deleted-Until")]).toEqual([204, "", `"${RETURN}"`]);
    const scopes = ["namespace:a"];
    expect((await resolve({ scopes, names: ["GONE"] })).status).toBe(404);
    expect((await resolve({ scopes })).body.secrets).not.toHaveProperty("GONE");
    expect((await call("GET /v1/explain/GONE?scope=namespace%3Aa")).body.winner).toBeNull();
    for (const path of [at("namespace:a", "GONE"), `/v1/secrets/${body.id}`, `/v1/secrets/${body.id}/versions`])
      expect((await call(`GET ${path}`)).status, path).toBe(404);
    expect((await call(`PATCH /v1/secrets/${body.id}`, { json: { description: "e" } })).status).toBe(404);
    expect((await call(`POST /v1/secrets/${body.id}/rollback`, { json: { version: 1 } })).status).toBe(404);
    for (const query of ["prefix=GONE", "scope=namespace%3Aa", "kind=namespace", "label=team:x", "label=team:x&scope=namespace%3Aa"])
      expect(await listed(query), query).toEqual([]);
    expect((await call("GET /v1/scopes")).body.scopes.map(({ scope }: { scope: string }) => scope)).not.toContain("namespace:a");
    for (const query of ["deleted=true", "deleted=true&kind=namespace", "deleted=true&scope=namespace%3Aa&name=GONE", "deleted=true&label=team:x"])
      expect(await listed(query), query).toEqual(["namespace:a/GONE"]);
    expect(await listed("deleted=true&label=team:y")).toEqual([]);
    const [shown] = (await call("GET /v1/secrets?deleted=true")).body.secrets;
    expect(shown).toMatchObject({ id: body.id, deleted_at: new Date(START).toISOString(), deleted_until: RETURN });
    expect(refused(await drop("namespace:a", "GONE"))).toEqual([404, "secret-not-found"]);
  });

  it("comes back with all its versions, its metadata and its values, once and again, and is on record", async () => {
    const token = { org: "back" };
    await put("global", "BACK", "one", { token, fields: { labels: { team: "x" }, description: "d" } });
    const { id } = (await put("global", "BACK", "two", { token })).body;
    await drop("global", "BACK", { token });
    goTo(6);
    const back = await undelete(id, { token });
    expect([back.status, back.body]).toMatchObject([200, { id, version: 2, changed: true, description: "d", deleted_at: null, deleted_until: null }]);
    expect(await resolvedValue("BACK", "global", token)).toBe("two");
    expect(await versionsOf(id, token)).toEqual(["2 current", "1 previous"]);
    expect(await listed("label=team:x", token)).toEqual(["global/BACK"]);
    expect((await call("GET /v1/scopes", { token })).body.scopes).toMatchObject([{ scope: "global", secrets: 1 }]);
    const again = await undelete(id, { token });
    expect([again.status, again.body.changed]).toEqual([200, false]);
    expect((await call(`POST /v1/secrets/${id}/rollback`, { token, json: { version: 1 } })).status).toBe(200);
    const { events } = (await call("GET /v1/audit?action=secret.undelete", { token })).body;
    expect(events.map(({ outcome, secrets }: { outcome: string; secrets: unknown }) => [outcome, secrets])).toEqual(
      Array(2).fill(["allowed", [{ id, name: "BACK", scope: "global", version: 2 }]]),
    );
  });

  it("comes back until the time that was said, to the millisecond, whatever the deployment says by then", async () => {
    const { id } = (await put("global", "LATE", "v")).body;
    await drop("global", "LATE");
    vi.setSystemTime(START + 7 * DAY);
    expect(refused(await undelete(id))).toEqual([404, "secret-not-found"]);
    expect(await listed("deleted=true&name=LATE")).toEqual([]);
    vi.setSystemTime(START + 7 * DAY - 1);
    expect((await callWith({ RECOVERY_DAYS: "0" })(`POST /v1/secrets/${id}/undelete`)).status).toBe(200);
  });

  it("locks nothing, and cannot come back where its name is locked by then", async () => {
    const token = { org: "locks" };
    const lock = await put("global", "L", "locked", { token, fields: { locked: true } });
    await drop("global", "L", { token });
    const narrow = await put("namespace:a", "L", "narrow", { token });
    expect(narrow.status).toBe(201);
    expect(await resolvedValue("L", "namespace:a", token)).toBe("narrow");
    await drop("namespace:a", "L", { token });
    expect((await undelete(lock.body.id, { token })).status).toBe(200);
    expect(refused(await undelete(narrow.body.id, { token }))).toEqual([422, "name-locked"]);
  });

  it("cannot come back where its variable is another secret's by then", async () => {
    const token = { org: "variables" };
    const { id } = (await put("global", "db-url", "v", { token })).body;
    await drop("global", "db-url", { token });
    expect((await put("global", "DB_URL", "w", { token })).status).toBe(201);
    expect(refused(await undelete(id, { token }))).toEqual([409, "env-name-conflict"]);
    await drop("global", "DB_URL", { token });
    expect((await undelete(id, { token })).status).toBe(200);
  });

  it("comes back where the organization is at its quota, and counts all the time", async () => {
    const limited = callWith({ QUOTAS: JSON.stringify({ secrets: 1, versions: 1, bytes: 1 }) });
    const token = { org: "full" };
    const { id } = (await limited(`PUT ${at("global", "Q")}`, { token, json: { value: "v" } })).body;
    await limited(`DELETE ${at("global", "Q")}`, { token });
    expect(refused(await limited(`PUT ${at("global", "OTHER")}`, { token, json: { value: "v" } }))[1]).toBe("quota-exceeded");
    expect((await limited(`POST /v1/secrets/${id}/undelete`, { token })).status).toBe(200);
    const slow = callWith({ QUOTAS: JSON.stringify({ writes_per_minute: 3 }) });
    const again = () => slow(`POST /v1/secrets/${id}/undelete`, { token });
    expect([(await again()).status, refused(await again())]).toEqual([200, [429, "rate-limited"]]);
  });

  it("is deleted only as it was found: a condition that does not hold refuses, and of many at once one comes through", async () => {
    const { body, headers } = await put("global", "ONCE", "v");
    const tag = headers.get("ETag") ?? "";
    expect(refused(await drop("global", "ONCE", { headers: { "If-Match": '"sec_other.1"' } }))).toEqual([412, "version-conflict"]);
    const replies = await Promise.all(Array.from({ length: 6 }, () => drop("global", "ONCE", { headers: { "If-Match": tag } })));
    expect(replies.map(({ status }) => status).sort()).toEqual([204, 404, 404, 404, 404, 404]);
    const back = await Promise.all(Array.from({ length: 4 }, () => undelete(body.id)));
    expect(back.map(({ status, body: { changed } }) => `${status} ${changed}`).sort()).toEqual(["200 false", "200 false", "200 false", "200 true"]);
  });
});

describe("setting the name of a deleted secret", () => {
  const make = async (name: string, token: CallOptions["token"]) => {
    await put("global", name, "one", { token: token ?? {}, fields: { description: "old", labels: { team: "x" }, locked: true, max_lease_seconds: 5 } });
    const { id } = (await put("global", name, "two", { token: token ?? {} })).body;
    await drop("global", name, { token: token ?? {} });
    return id as string;
  };
  const ways: Record<string, (name: string, query: string, token: CallOptions["token"]) => Promise<Reply>> = {
    PUT: (name, query, token) => call(`PUT ${at("global", name)}${query}`, { token: token ?? {}, json: { value: "three" } }),
    POST: (name, query, token) => call(`POST /v1/secrets${query}`, { token: token ?? {}, json: { scope: "global", name, value: "three" } }),
    "an import": (name, query, token) => call(`POST /v1/import${query}`, { token: token ?? {}, json: { scope: "global", secrets: { [name]: "three" } } }),
  };

  it.each(Object.entries(ways))("by %s makes a new one with its id and the next number, without its metadata or its earlier versions", async (way, set) => {
    const name = `NEW_${way.replace(" ", "_")}`;
    const id = await make(name, {});
    const reply = await set(name, "", {});
    expect(way === "an import" ? reply.body.created : reply.status).toEqual(way === "an import" ? [name] : 201);
    expect((await call(`GET ${at("global", name)}`)).body).toMatchObject({
      id,
      version: 3,
      description: null,
      labels: {},
      locked: false,
      max_lease_seconds: null,
      deleted_at: null,
    });
    expect(await versionsOf(id)).toEqual(["3 current", "2 destroyed", "1 destroyed"]);
    expect(await kept(id)).toBe(1);
    expect(await resolvedValue(name)).toBe("three");
    expect(await listed("label=team:x")).toEqual([]);
  });

  it.each(Object.entries(ways))("by %s with undelete keeps the earlier versions, while they can come back", async (way, set) => {
    for (const [days, states] of [
      [1, ["3 current", "2 previous", "1 previous"]],
      [8, ["3 current", "2 destroyed", "1 destroyed"]],
    ] as const) {
      goTo(0);
      const name = `KEEP_${way.replace(" ", "_")}_${days}`;
      const id = await make(name, {});
      goTo(days);
      expect((await set(name, "?undelete=true", {})).status).toBeLessThan(300);
      expect(await versionsOf(id)).toEqual(states);
      expect((await call(`GET ${at("global", name)}`)).body.description).toBeNull();
    }
  });

  it("the same value again is a new version, and a dry run says that it is new", async () => {
    const id = await make("SAME", {});
    const dry = await call("POST /v1/import?dry_run=true", { json: { scope: "global", secrets: { SAME: "two" } } });
    expect(dry.body).toMatchObject({ created: ["SAME"], updated: [], unchanged: [] });
    expect((await put("global", "SAME", "two")).body).toMatchObject({ id, version: 3, changed: true });
  });

  it("is as if none were there for conditions: If-None-Match holds, the old entity tag does not", async () => {
    const { headers } = await put("global", "TAGGED", "v");
    await drop("global", "TAGGED");
    const set = (name: string, value: string) => call(`PUT ${at("global", "TAGGED")}`, { json: { value: "w" }, headers: { [name]: value } });
    expect(refused(await set("If-Match", headers.get("ETag") ?? ""))).toEqual([412, "version-conflict"]);
    expect(refused(await set("If-Match", "*"))).toEqual([412, "version-conflict"]);
    expect((await set("If-None-Match", "*")).status).toBe(201);
  });
});

describe("what cannot come back any more", () => {
  it("is purged by the scheduled run with its wrapped keys, on record, and its ciphertexts stay in KV for as long as D1 can be restored", async () => {
    const token = { org: "over" };
    await clear();
    const { id } = (await put("global", "OVER", "v", { token })).body;
    await put("global", "STAYS", "v", { token });
    const key = await env.DB.prepare("SELECT kv_key FROM versions WHERE secret_id = ?").bind(id).first<string>("kv_key");
    await drop("global", "OVER", { token });
    goTo(6);
    expect(await purge()).toBe(0);
    goTo(7);
    expect((await call("GET /readyz", { token })).body.backlog.scheduled.secrets_purged).toEqual({ rows: 1, seconds: 0 });
    expect(await purge()).toBe(1);
    expect(await env.DB.prepare("SELECT COUNT(*) AS n FROM secrets WHERE id = ?").bind(id).first("n")).toBe(0);
    const { events } = (await call("GET /v1/audit?action=secret.purge", { token })).body;
    expect(events).toMatchObject([{ actor: "keyhole:scheduled", outcome: "allowed", secrets: [{ id, name: "OVER", scope: "global", version: 1 }] }]);
    const settle = () => settleCiphertexts({ db: env.DB, kv: env.KV, now: new Date() });
    goTo(36);
    await settle();
    expect((await env.KV.list({ prefix: key ?? "" })).keys).toHaveLength(1);
    goTo(38);
    await settle();
    expect((await env.KV.list({ prefix: key ?? "" })).keys).toHaveLength(0);
    expect(await resolvedValue("STAYS", "global", token)).toBe("v");
  });

  it("is only what was deleted by Keyhole: a row that somebody has made look deleted stays, and keeps no other waiting", async () => {
    const token = { org: "planted" };
    await clear();
    const { id } = (await put("global", "PLANTED", "v", { token })).body;
    const other = (await put("global", "OTHER", "v", { token })).body.id;
    await env.DB.prepare("UPDATE secrets SET deleted_at = 1, deleted_until = 2 WHERE id = ?").bind(id).run();
    await drop("global", "OTHER", { token });
    goTo(8);
    expect([await purge(), await purge()]).toEqual([1, 0]);
    expect([await kept(id), await kept(other)]).toEqual([1, 0]);
    expect((await call("GET /readyz", { token })).body.backlog.integrity_failures).toBe(1);
    await env.DB.prepare("UPDATE secrets SET deleted_at = NULL, deleted_until = NULL WHERE id = ?").bind(id).run();
    expect(await resolvedValue("PLANTED", "global", token)).toBe("v");
  });

  it("is purged of every organization but the one for which that fails", async () => {
    await clear();
    const orgs = ["fails", "goes-a", "goes-b"];
    const ids = new Map<string, string>();
    for (const org of orgs) {
      ids.set(org, (await put("global", "X", "v", { token: { org } })).body.id);
      await drop("global", "X", { token: { org } });
    }
    goTo(7);
    const batch = env.DB.batch.bind(env.DB);
    vi.spyOn(env.DB, "batch").mockImplementation(async (statements) => {
      const text = JSON.stringify(statements);
      if (text.includes("DELETE FROM secrets") && text.includes(ids.get("fails") ?? "?")) throw new Error("D1_ERROR: too much");
      return batch(statements);
    });
    await expect(purge()).rejects.toThrow("could not be purged");
    vi.restoreAllMocks();
    expect(await Promise.all(orgs.map((org) => kept(ids.get(org) ?? "")))).toEqual([1, 0, 0]);
    expect(await purge()).toBe(1);
  });

  it("goes at once with RECOVERY_DAYS = 0: no undelete, and the ciphertexts stay for a restore of D1 only", async () => {
    const none = callWith({ RECOVERY_DAYS: "0" });
    const { id } = (await put("global", "NEVER", "v")).body;
    const deleted = await none(`DELETE ${at("global", "NEVER")}`);
    expect([deleted.status, deleted.headers.get("Keyhole-Deleted-Until")]).toEqual([204, null]);
    expect(await kept(id)).toBe(0);
    expect((await undelete(id)).status).toBe(404);
    expect((await put("global", "NEVER", "v")).body.version).toBe(1);
  });
});

it("purge takes what was deleted before, by name and by id, for good", async () => {
  for (const by of ["name", "id"]) {
    const { id } = (await put("global", `PURGED_${by}`, "v")).body;
    const path = by === "name" ? at("global", `PURGED_${by}`) : `/v1/secrets/${id}`;
    await call(`DELETE ${path}`);
    expect((await call(`DELETE ${path}?purge=true`)).status).toBe(204);
    expect(await kept(id)).toBe(0);
    expect(refused(await undelete(id))).toEqual([404, "secret-not-found"]);
    expect(refused(await call(`DELETE ${path}?purge=true`))).toEqual([404, "secret-not-found"]);
  }
});

it("a lease ends when its secret is deleted, and nobody gets it again until it comes back", async () => {
  const token = { org: "leased", jti: "tok_leased", exp: START / 1000 + 86_400 };
  const { id } = (await put("global", "LEASED", "v", { token: { org: "leased" } })).body;
  const ask = () => call("POST /v1/resolve", { token, json: { names: ["LEASED"] }, headers: { "Cache-Control": "max-age=60" } });
  expect((await ask()).body.lease).toBeDefined();
  await drop("global", "LEASED", { token: { org: "leased" } });
  expect((await ask()).status).toBe(404);
  await undelete(id, { token: { org: "leased" } });
  expect((await ask()).body.secrets.LEASED.value).toBe("v");
});

it("a page of the list of what can come back goes on where the one before ended", async () => {
  const token = { org: "paged" };
  for (const name of ["A", "B", "C"]) {
    await put("global", name, "v", { token });
    await drop("global", name, { token });
  }
  const first = (await call("GET /v1/secrets?deleted=true&limit=2", { token })).body;
  const second = (await call(`GET /v1/secrets?deleted=true&limit=2&cursor=${first.next_cursor}`, { token })).body;
  expect([...first.secrets, ...second.secrets].map(({ name }: { name: string }) => name)).toEqual(["A", "B", "C"]);
  expect(second.next_cursor).toBeNull();
  expect(await listed("deleted=true", { org: "elsewhere" })).toEqual([]);
});
