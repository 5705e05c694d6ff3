import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { type BackupPage, type Carried, PAGE_SIZE } from "../../src/contract/backup.ts";
import { forgetBackups } from "../../src/worker/backup/forget-backups.ts";
import { runScheduled } from "../../src/worker/scheduled.ts";
import { CARRIED_TABLE_NAMES, carriedTable, MADE_ANEW } from "../../src/worker/store/carried-tables.ts";
import { putCarried } from "../../src/worker/store/restore-rows.ts";
import { archiveAll, makeLog } from "../audit/archive-support.ts";
import { forgetLogs } from "../audit/forget-logs.ts";
import { at, call, put, type Reply } from "../support/call.ts";
import { callWith } from "../support/call-with.ts";
import { githubTrust } from "../support/exchange.ts";
import { STILL } from "../support/still.ts";
import { backUp, emptyDeployment, finish, forgetLatest, OPERATOR, OTHER, putBack } from "./other-deployment.ts";

let org = "";
let made = 0;
let other: Awaited<ReturnType<typeof emptyDeployment>>;
const mine = () => ({ token: { org, iat: before } });
const before = Math.floor(Date.now() / 1000) - 60;
/** A token of after the restore. */
const later = () => ({ token: { org, iat: Math.floor(Date.now() / 1000) + 2 } });

const mint = async () => (await call("POST /v1/tokens", { ...mine(), json: { label: "ci", permissions: ["secrets:resolve"], expires_in: 3600 } })).body;
const valuesFor = async (options: object) => (await other("POST /v1/resolve", { ...options, json: { scopes: ["global"] } })) as Reply;
const restorePage = (json: unknown) => other("POST /v1/backup/restore", { ...OPERATOR, json });
const rowsIn = (pages: readonly BackupPage[]) => pages.flatMap(({ rows }) => JSON.parse(rows) as Carried[]);
const payloadOf = ({ jws }: BackupPage) => JSON.parse(new TextDecoder().decode(Uint8Array.fromBase64(jws.split(".")[1] ?? "", { alphabet: "base64url" })));
const sql = (text: string, ...parameters: unknown[]) =>
  env.DB.prepare(text)
    .bind(...parameters)
    .run();

beforeEach(async () => {
  vi.restoreAllMocks();
  vi.spyOn(console, "log").mockReturnValue();
  vi.spyOn(console, "error").mockReturnValue();
  org = `backed-${made++}`;
  other = await emptyDeployment();
});

describe("a backup", () => {
  it("put into an empty deployment is that deployment again: values, metadata, scopes, trusts and the log", async () => {
    await put("global", "KEPT", "one", mine());
    await put("global", "KEPT", "two", mine());
    await call("PUT /v1/scopes/repo%3Aa%2Fb", { ...mine(), json: { parent: "team:t" } });
    expect((await call("PUT /v1/trusts/t", { ...mine(), json: githubTrust("https://token.actions.githubusercontent.com") })).status).toBeLessThan(300);
    const id = (await call(`GET ${at("global", "KEPT")}`, mine())).body.id;
    await call(`PATCH /v1/secrets/${id}`, { ...mine(), json: { labels: { a: "b" }, description: 'a "quote", \u00e9 and \u{1f511}' } });
    const asked = ["GET /v1/secrets?label=a:b", `GET /v1/secrets/${id}/versions`, "GET /v1/scopes", "GET /v1/trusts", "GET /v1/audit?action=secret.update"];
    const before = await Promise.all(asked.map(async (request) => (await call(request, mine())).body));
    expect(await putBack(other, await backUp(call))).toEqual([]);
    const { body } = await finish(other);
    expect([body.done, body.logs.every(({ verified }: { verified: boolean }) => verified)]).toEqual([true, true]);
    expect((await valuesFor(later())).body.secrets.KEPT).toMatchObject({ value: "two", version: 2, id });
    // Whose token ends gives nothing by his trusts any more.
    before[3].trusts[0].suspended = true;
    for (const [n, request] of asked.entries()) expect((await other(request, later())).body, request).toEqual(before[n]);
    expect((await other(`POST /v1/secrets/${id}/rollback`, { ...later(), json: { version: 1 } })).status).toBe(200);
    expect((await valuesFor(later())).body.secrets.KEPT.value).toBe("one");
    expect((await other("GET /v1/audit/verify", later())).body).toMatchObject({ ok: true });
  });

  it("has no value in it and no key, and says how much there is and how far each log was", async () => {
    await put("global", "S", "canary-of-a-backup", mine());
    const pages = await backUp(call);
    const text = JSON.stringify(pages);
    const keys = Object.values(JSON.parse(env.KEYRING ?? "{}").keys as Record<string, string>);
    for (const secret of ["canary-of-a-backup", btoa("canary-of-a-backup"), env.ROOT_KEY ?? "", ...keys]) expect(text).not.toContain(secret);
    const { counts, end, page } = payloadOf(pages.at(-1) as BackupPage);
    expect([page, counts.secrets >= 1, end.logs[org]]).toEqual([pages.length, true, [1, 1]]);
    expect(rowsIn(pages).filter(({ table }) => table === "secrets")).toHaveLength(counts.secrets);
  });

  it("has what changes while it is taken, until nothing is left", async () => {
    for (const name of ["GOES", "STAYS", "MOVES"]) await put("global", name, `${name} as it was`, mine());
    await put("global", "STAYS", "newer", mine());
    const { id } = (await call(`GET ${at("global", "STAYS")}`, mine())).body;
    const pages = await backUp(call, async (number) => {
      if (number === 1) await put("global", "EARLY", "comes", mine());
      if (number !== 10) return;
      await call(`DELETE ${at("global", "GOES")}`, mine());
      await call(`DELETE ${at("global", "MOVES")}`, mine());
      await put("global", "MOVES", "is another one", mine());
      await call(`DELETE /v1/secrets/${id}/versions/1`, mine());
      await put("global", "LATE", "comes too", mine());
    });
    expect(await putBack(other, pages)).toEqual([]);
    await finish(other);
    const { secrets } = (await valuesFor(later())).body;
    expect(Object.fromEntries(Object.entries<{ value: string }>(secrets).map(([name, { value }]) => [name, value]))).toEqual({
      ...{ EARLY: "comes", LATE: "comes too", MOVES: "is another one", STAYS: "newer" },
    });
    const states = (await other(`GET /v1/secrets/${id}/versions`, later())).body.versions.map(({ state }: { state: string }) => state);
    expect(states).toEqual(["current", "destroyed"]);
    expect((await other("GET /v1/audit/verify", later())).body.ok).toBe(true);
  });

  it("carries what was deleted and can come back", async () => {
    const { id } = (await put("team:gone", "DELETED", "comes back", { ...mine(), fields: { labels: { a: "b" } } })).body;
    await put("global", "STAYS", "v", mine());
    await call(`DELETE ${at("team:gone", "DELETED")}`, mine());
    const [{ deleted_until }] = (await call("GET /v1/secrets?deleted=true", mine())).body.secrets;
    expect(await putBack(other, await backUp(call))).toEqual([]);
    await finish(other);
    expect((await other("GET /v1/scopes", later())).body.scopes).toMatchObject([{ scope: "global", secrets: 1 }]);
    expect((await other("GET /v1/secrets?label=a:b", later())).body.secrets).toEqual([]);
    expect((await other("GET /v1/secrets?deleted=true", later())).body.secrets).toMatchObject([{ id, deleted_until }]);
    expect((await other(`POST /v1/secrets/${id}/undelete`, later())).status).toBe(200);
    expect((await other("POST /v1/resolve", { ...later(), json: { scopes: ["team:gone"], names: ["DELETED"] } })).body.secrets.DELETED.value).toBe(
      "comes back",
    );
    expect((await other("GET /v1/secrets?label=a:b", later())).body.secrets).toMatchObject([{ id }]);
  });

  it("carries archived parts of logs, with their objects", async () => {
    await forgetLogs();
    await makeLog(org, [0, 1, 2, 29]);
    await archiveAll();
    const events = async (ask: typeof other, options: object) => (await ask("GET /v1/audit?format=ndjson", options)).text.split("\n").slice(0, 8);
    const before = await events(call, mine());
    expect(await putBack(other, await backUp(call))).toEqual([]);
    const { body } = await finish(other);
    expect(body.logs.find((log: { org: string }) => log.org === org)).toEqual({ org, events: 9, verified: true, lost: null });
    expect(await events(other, later())).toEqual(before);
    expect(await env.OTHER_DB.prepare("SELECT COUNT(*) AS n FROM audit_archives").first("n")).toBeGreaterThan(0);
    expect((await other("GET /v1/audit/verify", later())).body).toMatchObject({ ok: true });
  });

  it("has pages, and is put back by parameters, that D1 takes, in bytes: whatever the script is that metadata is written in", async () => {
    const { id } = (await put("global", "S", "v", mine())).body;
    const long = "\u6f22".repeat(9_000);
    const { results } = await env.DB.prepare("SELECT name FROM pragma_table_info('secrets')").all<{ name: string }>();
    const columns = results.map(({ name }) => name);
    const copied = columns.map((name) => ({ id: "'sec_long-' || n.i", name: "'LONG_' || n.i", description: `'${long}'` })[name] ?? `s.${name}`);
    await sql(
      `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 80) INSERT INTO secrets (${columns}) SELECT ${copied} FROM n, secrets s WHERE s.id = ?`,
      id,
    );
    const bytes = (text: string) => new TextEncoder().encode(text).length;
    const pages = await backUp(call);
    await sql("DELETE FROM secrets WHERE id LIKE 'sec_long-%'");
    expect(pages.filter(({ rows }) => bytes(rows) > PAGE_SIZE + 1_000)).toEqual([]);
    const rows = rowsIn(pages).flatMap(({ table, row }) => (table === "secrets" && row ? [row] : []));
    const bound: unknown[] = [];
    const db = { prepare: () => ({ bind: (...parameters: unknown[]) => void bound.push(...parameters) }) } as unknown as D1Database;
    putCarried(db, [{ table: "secrets", rows, gone: [] }], 0);
    expect(bound.filter((one) => bytes(String(one)) > 2_000_000)).toEqual([]);
    expect(rows.length).toBeGreaterThanOrEqual(81);
  });

  it("is given up once two million changes are noted, and without one all are forgotten at once", async () => {
    await sql("DELETE FROM backups");
    const { body } = await call("POST /v1/backup", { ...OPERATOR, json: {} });
    const note = (from: string, count: number) =>
      sql(
        `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT ${count})
         INSERT INTO changed_rows (n, table_name, row_key) SELECT ${from} + n.i, 'tokens', '["of-nobody"]' FROM n`,
      );
    const FIRST = "(SELECT first_change FROM backups)";
    await note(`${FIRST} + 1999990`, 1);
    await forgetBackups({ db: env.DB, now: new Date() });
    expect(await env.DB.prepare("SELECT COUNT(*) AS n FROM backups").first("n")).toBe(1);
    await note(`${FIRST} + 2000000`, 6_000);
    expect(await forgetBackups({ db: env.DB, now: new Date() })).toBeGreaterThan(6_000);
    expect(await env.DB.prepare("SELECT (SELECT COUNT(*) FROM backups) + (SELECT COUNT(*) FROM changed_rows) AS n").first("n")).toBe(0);
    expect((await call("POST /v1/backup", { ...OPERATOR, json: { after: body.page.jws } })).status).toBe(412);
  });

  it("is another one once nothing is noted for it any more", async () => {
    const { body } = await call("POST /v1/backup", { ...OPERATOR, json: {} });
    await sql("DELETE FROM backups");
    expect((await call("POST /v1/backup", { ...OPERATOR, json: { after: body.page.jws } })).status).toBe(412);
    expect((await call("POST /v1/backup", { ...OPERATOR, json: { after: `${body.page.jws.slice(0, -4)}AAAA` } })).status).toBe(400);
  });
});

it("every table of the database is carried or made anew, and what is carried is noted when it changes", async () => {
  const { results } = await env.DB.prepare("SELECT type, name, tbl_name, sql FROM sqlite_schema WHERE type IN ('table', 'trigger')").all<
    Record<string, string>
  >();
  const own = results.filter(({ type, name }) => type === "table" && !/^(sqlite_|_cf_|d1_)/.test(name ?? ""));
  expect(own.map(({ name }) => name).sort()).toEqual([...CARRIED_TABLE_NAMES, ...Object.keys(MADE_ANEW)].sort());
  for (const table of CARRIED_TABLE_NAMES) {
    const columns = (await env.DB.prepare(`SELECT name, pk FROM pragma_table_info('${table}')`).all<{ name: string; pk: number }>()).results;
    const names = columns.map(({ name }) => name);
    const { key, anew = {}, changing = [] } = carriedTable(table);
    expect(
      [...key, ...Object.keys(anew), ...changing].filter((column) => !names.includes(column)),
      table,
    ).toEqual([]);
    expect(
      columns
        .filter(({ pk }) => pk > 0)
        .sort((a, b) => a.pk - b.pk)
        .map(({ name }) => name),
      table,
    ).toEqual(key);
    const triggers = results.filter(({ type, name, tbl_name }) => type === "trigger" && tbl_name === table && name?.endsWith("_noted"));
    const { sql: update = "" } = triggers.find(({ name }) => name === `${table}_update_noted`) ?? {};
    const noted = /AFTER UPDATE OF (.*?) ON/.exec(update)?.[1]?.split(", ");
    expect(noted?.sort() ?? names.sort(), table).toEqual(names.filter((name) => noted === undefined || !Object.hasOwn(anew, name)).sort());
    expect(noted === undefined, `${table}: what is not carried is not noted`).toBe(Object.keys(anew).length === 0);
    expect(triggers.map(({ name }) => name).sort(), table).toEqual(["delete", "insert", "update"].map((change) => `${table}_${change}_noted`));
  }
});

describe("after a restore", () => {
  // The drill of docs/backup.md.
  it("a token that was revoked after its page was written is 401, also where tokens are kept", async () => {
    await put("global", "S", "v", mine());
    const [revoked, kept] = [await mint(), await mint()];
    const pages = await backUp(call, async (number) => {
      if (number === 12) expect((await call(`DELETE /v1/tokens/${revoked.id}`, mine())).status).toBe(204);
    });
    expect(rowsIn(pages.slice(0, 9)).some(({ table, key }) => table === "tokens" && key[0] === revoked.id)).toBe(true);
    await putBack(other, pages);
    await finish(other, { keep_tokens: true });
    expect([(await valuesFor({ token: revoked.token })).status, (await valuesFor({ token: kept.token })).status]).toEqual([401, 200]);
  });

  it("every token that was issued before is out of force, the operator's own too", async () => {
    await put("global", "S", "v", mine());
    const { token } = await mint();
    await putBack(other, await backUp(call));
    await finish(other);
    expect([(await valuesFor({ token })).status, (await valuesFor(mine())).status, (await valuesFor(later())).status]).toEqual([401, 401, 200]);
    expect((await other("GET /v1/whoami", { token: { ...OPERATOR.token, iat: before } })).status).toBe(401);
  });

  it("a log that is known to have been further goes on in a new generation, and says what was lost", async () => {
    await forgetLogs();
    const run = (bindings: object) => runScheduled({ ...env, ...bindings }, new Date(), STILL);
    await put("global", "S", "v", mine());
    await run({});
    const pages = await backUp(call);
    const { token } = await mint();
    await put("global", "LOST", "v", mine());
    await call(`DELETE /v1/tokens/${(await mint()).id}`, mine());
    await run({});
    const sameKv = callWith({ ...OTHER, KV: env.KV });
    await putBack(sameKv, pages);
    const { body } = await finish(sameKv, { keep_tokens: true });
    const log = body.logs.find((one: { org: string }) => one.org === org);
    expect(log).toMatchObject({ verified: true, lost: { first_seq: 2 } });
    expect((await sameKv("POST /v1/resolve", { token, json: {} })).status, "a revocation is known to be lost").toBe(401);
    await runScheduled({ ...env, DB: env.OTHER_DB }, new Date(), STILL);
    expect((await sameKv("GET /v1/audit/verify", later())).body).toMatchObject({ ok: true, restored: [{ generation: 2 }] });
  });
});

describe("a restore that keeps tokens", () => {
  it("ends those of an organization of which revocations are on record that are nowhere else any more", async () => {
    await forgetLogs();
    await put("global", "S", "v", mine());
    const [kept, revoked] = [await mint(), await mint()];
    expect((await call(`DELETE /v1/tokens/${revoked.id}`, mine())).status).toBe(204);
    await runScheduled({ ...env }, new Date(), STILL);
    await sql("DELETE FROM revocations WHERE org = ?", org);
    const sameKv = callWith({ ...OTHER, KV: env.KV });
    await putBack(sameKv, await backUp(call));
    const { body } = await finish(sameKv, { keep_tokens: true });
    expect(body.logs.find((one: { org: string }) => one.org === org)).toMatchObject({ verified: true, lost: null });
    forgetLatest();
    expect([(await sameKv("POST /v1/resolve", { token: kept.token, json: {} })).status]).toEqual([401]);
  });
});

describe("a restore", () => {
  it("lets nothing out and nothing in until it is over", async () => {
    await put("global", "S", "v", mine());
    const pages = await backUp(call);
    await putBack(other, pages.slice(0, -1));
    expect((await other("POST /v1/backup/finish", { ...OPERATOR, json: {} })).status, "the end is not here").toBe(412);
    const requests = [
      ["POST /v1/resolve", { json: {} }],
      [`PUT ${at("global", "T")}`, { json: { value: "v" } }],
      ["GET /v1/secrets", {}],
      ["GET /v1/tokens", {}],
    ] as const;
    for (const [request, options] of requests) expect((await other(request, { ...mine(), ...options })).status, request).toBe(503);
    expect((await other("GET /readyz", { token: null })).status).toBe(503);
    const rows = () =>
      env.OTHER_DB.prepare("SELECT (SELECT COUNT(*) FROM audit_events) AS events, (SELECT COUNT(*) FROM audit_checkpoints) AS checkpoints").first();
    const before = await rows();
    await runScheduled({ ...env, ...OTHER }, new Date(), STILL);
    expect(await rows()).toEqual(before);
    await expect(
      env.OTHER_DB.prepare("INSERT INTO audit_entries (org, action) VALUES ('x', 'secret.resolve')").run(),
      "also for who comes without a token",
    ).rejects.toThrow("no_restore");
  });

  it("takes no page that was not signed, nor any but the next one of the same backup", async () => {
    await put("global", "S", "v", mine());
    const [older, pages] = [await backUp(call), await backUp(call)];
    const [first, second, third] = pages as [BackupPage, BackupPage, BackupPage];
    const status = async (page: unknown) => (await restorePage(page)).status;
    expect(await status(second), "a beginning that is not one").toBe(412);
    expect(await status({ ...first, rows: first.rows.replace("[", "[ ") }), "other rows").toBe(400);
    expect(await status({ ...first, rows: second.rows }), "those of another page").toBe(second.rows === first.rows ? 200 : 400);
    expect(await status({ ...first, jws: first.jws.replace(/\.[^.]*\./, `.${btoa('{"page":1}').replaceAll("=", "")}.`) }), "another signature's").toBe(400);
    expect(await status(first)).toBe(200);
    expect(await status(third), "one is left out").toBe(412);
    expect(await status(older[1]), "of an older backup").toBe(412);
    expect(await status(second)).toBe(200);
    const again = await restorePage(first);
    expect([again.status, again.body], "what is here already changes nothing").toEqual([200, { page: 2, refused: [], whole: false }]);
  });

  it("takes no page of a deployment with other keys", async () => {
    const pages = await backUp(call);
    const { FOREIGN_SIGNING_KEY } = await import("../support/test-secrets.ts");
    const { sign } = await import("../support/sign.ts");
    const foreign = callWith({ ...OTHER, SIGNING_KEY: FOREIGN_SIGNING_KEY });
    const token = await sign({ org: "platform" }, { key: FOREIGN_SIGNING_KEY });
    expect((await foreign("POST /v1/backup/restore", { token, json: pages[0] })).status).toBe(400);
  });

  it("leaves out and names what somebody has bent before the backup, and takes the rest", async () => {
    for (const name of ["BENT", "MOVED", "GONE", "GOOD"]) await put("global", name, name, mine());
    const ids = Object.fromEntries((await call("GET /v1/secrets", mine())).body.secrets.map(({ name, id }: Record<string, string>) => [name, id]));
    await sql("UPDATE secrets SET expires_at = 4102444800000 WHERE id = ?", ids.BENT);
    await sql("UPDATE versions SET ciphertext = (SELECT ciphertext FROM versions WHERE secret_id = ?) WHERE secret_id = ?", ids.GOOD, ids.MOVED);
    await sql("UPDATE versions SET ciphertext = NULL, kv_key = kv_key WHERE secret_id = ?", ids.GONE);
    await env.KV.delete((await env.DB.prepare("SELECT kv_key FROM versions WHERE secret_id = ?").bind(ids.GONE).first<string>("kv_key")) ?? "");
    const pages = await backUp(call);
    const refused = await putBack(other, pages);
    expect(await putBack(other, pages), "once more, of pages that are here").toEqual(refused);
    const ours = (refused as { key: string[] }[]).filter(({ key }) => Object.values(ids).includes(key[0] as string));
    expect(ours).toEqual(
      expect.arrayContaining([
        { table: "secrets", key: [ids.BENT], reason: "seal" },
        { table: "versions", key: [ids.MOVED, 1], reason: "value" },
        { table: "versions", key: [ids.GONE, 1], reason: "no-ciphertext" },
      ]),
    );
    expect(ours).toHaveLength(3);
    await finish(other);
    expect(Object.keys((await valuesFor(later())).body.secrets)).toEqual(["GOOD"]);
    await sql("INSERT INTO kv_removals (kv_key, noted_at, org) SELECT kv_key, 0, org FROM versions WHERE org = ?", org);
    await sql("DELETE FROM secrets WHERE org = ?", org);
  });

  it("needs an empty deployment, in which refused calls are nothing", async () => {
    const pages = await backUp(call);
    expect((await other("GET /v1/secrets", { token: { org, scope: "" } })).status).toBe(403);
    await other(`PUT ${at("global", "S")}`, { ...mine(), json: { value: "v" } });
    expect((await restorePage(pages[0])).status).toBe(412);
    other = await emptyDeployment();
    expect((await other("GET /v1/secrets", { token: { org: "platform", scope: "" } })).status).toBe(403);
    expect(await putBack(other, pages)).toEqual([]);
    expect((await finish(other)).body.done).toBe(true);
  });

  it("goes on wherever it was stopped, and comes to the same", { timeout: 120_000 }, async () => {
    await put("global", "S", "v", mine());
    await mint();
    const pages = await backUp(call);
    const contents = async () =>
      Promise.all(
        ["secrets", "versions", "tokens", "audit_events", "scopes", "usage"].map(
          async (table) => (await env.OTHER_DB.prepare(`SELECT * FROM ${table} ORDER BY 1, 2`).all()).results,
        ),
      );
    await putBack(other, pages);
    const whole = await contents();
    other = await emptyDeployment();
    for (const json of pages) {
      // Each transaction once fails, once happens without anybody hearing of it.
      for (const effect of [false, true]) {
        let calls = 0;
        const stopped = callWith({
          ...OTHER,
          DB: {
            prepare: (text: string) => env.OTHER_DB.prepare(text),
            async batch(statements: D1PreparedStatement[]) {
              const last = calls++ === 1 + Number(/"table":"versions"/.test(json.rows));
              if (!last) return env.OTHER_DB.batch(statements);
              if (effect) await env.OTHER_DB.batch(statements);
              throw new Error("D1_ERROR: Network connection lost.");
            },
          },
        });
        expect([200, 503]).toContain((await stopped("POST /v1/backup/restore", { ...OPERATOR, json })).status);
      }
      expect((await restorePage(json)).status).toBe(200);
    }
    expect(await contents()).toEqual(whole);
    forgetLatest();
    expect((await finish(other)).body.done).toBe(true);
  });

  it("by two at once happens once", async () => {
    await put("global", "S", "v", mine());
    for (const json of await backUp(call)) {
      const statuses = await Promise.all([restorePage(json), restorePage(json)].map(async (reply) => (await reply).status));
      expect(statuses.filter((status) => status === 200).length).toBeGreaterThan(0);
      expect(statuses.filter((status) => status !== 200 && status !== 412)).toEqual([]);
    }
    expect((await finish(other)).body.done).toBe(true);
    expect((await valuesFor(later())).body.secrets.S.value).toBe("v");
  });
});
