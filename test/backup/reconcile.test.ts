import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { ComparedStores } from "../../src/contract/backup.ts";
import { runScheduled } from "../../src/worker/scheduled.ts";
import { at } from "../support/call.ts";
import { githubTrust } from "../support/exchange.ts";
import { STILL } from "../support/still.ts";
import { backUp, emptyDeployment, finish, OPERATOR, OTHER, timeTravel } from "./other-deployment.ts";

const NOON = Date.parse("2026-12-01T12:00:00Z");
const ACME = { token: { org: "acme" } };
let ask: Awaited<ReturnType<typeof emptyDeployment>>;
let minute = 0;

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ["Date"], now: NOON });
  for (const method of ["log", "error"] as const) vi.spyOn(console, method).mockReturnValue();
  ask = await emptyDeployment();
  minute = 0;
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

const put = (name: string) => ask(`PUT ${at("global", name)}`, { ...ACME, json: { value: name } });
const values = async (options: object) => (await ask("POST /v1/resolve", { ...options, json: {} })).body;

async function run(minutes = 1): Promise<void> {
  for (let n = 0; n < minutes; n++) {
    vi.setSystemTime(NOON + ++minute * 60_000);
    await runScheduled({ ...env, ...OTHER }, new Date(), STILL).catch(() => undefined);
  }
}

async function compareAll() {
  const pages: (ComparedStores & { cursor: string | undefined })[] = [];
  for (let cursor: string | undefined, more = true; more; ) {
    const { status, body, text } = await ask(`GET /v1/backup/reconcile${cursor === undefined ? "" : `?cursor=${cursor}`}`, OPERATOR);
    if (status !== 200) throw new Error(text);
    pages.push({ ...body, cursor });
    [cursor, more] = [body.next_cursor ?? undefined, body.next_cursor !== null];
  }
  return pages;
}

const reconcile = (json: object) => ask("POST /v1/backup/reconcile", { ...OPERATOR, json });
const stopAnswering = async () => expect((await reconcile({})).body).toEqual({ deleted: [], skipped: [], removed: 0 });
const returnedOf = ({ rows }: Pick<ComparedStores, "rows">) => rows.filter(({ fault }) => fault === "returned").map(({ key }) => key);

async function putRight(page: Awaited<ReturnType<typeof compareAll>>[number], more: object = {}) {
  const { status, body, text } = await reconcile({ cursor: page.cursor, keys: returnedOf(page), ...more });
  if (status !== 200) throw new Error(text);
  return body;
}

it("a database that was set back is compared with what is outside it, and put right: what was deleted goes again, all tokens end, logs go on", async () => {
  const [kept, gone, deleted] = [await put("KEPT"), await put("GONE"), await put("DELETED")];
  for (const name of ["t", "kept"])
    expect((await ask(`PUT /v1/trusts/${name}`, { ...ACME, json: githubTrust("https://token.actions.githubusercontent.com") })).status).toBeLessThan(300);
  // Until ciphertexts are in KV only.
  await run(10);
  expect((await compareAll()).flatMap(({ rows, values: some }) => [...rows, ...some])).toEqual([]);
  const setBack = await timeTravel();
  await ask(`DELETE ${at("global", "GONE")}?purge=true`, ACME);
  await ask(`DELETE ${at("global", "DELETED")}`, ACME);
  const [{ deleted_until }] = (await ask("GET /v1/secrets?deleted=true", ACME)).body.secrets;
  await ask("DELETE /v1/trusts/t", ACME);
  const lost = await put("LOST");
  await run(25);
  await setBack();
  await run(1);
  const before = ACME.token;
  expect((await values({ token: before })).unavailable, "it is there again, without a value").toMatchObject([{ name: "GONE" }]);
  const pages = await compareAll();
  const order = ({ fault, table, deleted_until: until = "" }: ComparedStores["rows"][number]) => `${fault} ${table} ${until}`;
  expect(pages.flatMap(({ rows }) => rows).sort((a, b) => order(a).localeCompare(order(b)))).toEqual([
    { org: "acme", table: "secrets", key: [lost.body.id], fault: "missing" },
    { org: "acme", table: "secrets", key: [gone.body.id], fault: "returned" },
    { org: "acme", table: "secrets", key: [deleted.body.id], fault: "returned", deleted_until },
    { org: "acme", table: "trusts", key: ["acme", "t"], fault: "returned" },
  ]);
  expect(pages.flatMap(({ values: some }) => some)).toEqual([{ table: "versions", key: [gone.body.id, 1], reason: "no-ciphertext" }]);
  expect([lost.status, pages.reduce((sum, { orphans }) => sum + orphans, 0)], "the object of what came later").toEqual([201, 1]);
  await stopAnswering();
  expect(await compareAll(), "also while nothing else is answered").toEqual(pages);
  expect((await ask("POST /v1/resolve", { token: before, json: {} })).status).toBe(503);
  for (const page of pages) await putRight(page, { remove_orphans: true });
  const { body } = await finish(ask);
  expect(body.logs.every(({ verified }: { verified: boolean }) => verified)).toBe(true);
  await run(2);
  expect((await ask("POST /v1/resolve", { token: { ...before, iat: NOON / 1000 }, json: {} })).status).toBe(401);
  const later = { token: { org: "acme", iat: Math.floor(Date.now() / 1000) } };
  expect(await values(later)).toMatchObject({ secrets: { KEPT: { value: "KEPT", id: kept.body.id } } });
  expect(Object.keys((await values(later)).secrets)).toEqual(["KEPT"]);
  expect((await ask("GET /v1/trusts", later)).body.trusts).toMatchObject([{ name: "kept", suspended: true }]);
  expect((await ask("GET /v1/audit/verify", later)).body).toMatchObject({ ok: true, restored: [{ generation: 2 }] });
  const eventsOf = async (action: string) => (await ask(`GET /v1/audit?action=${action}`, later)).body.events;
  expect(await eventsOf("secret.purge")).toMatchObject([{ actor: "ops", secrets: [{ id: gone.body.id }] }]);
  expect(await eventsOf("secret.delete")).toMatchObject([{ actor: "ops", secrets: [{ id: deleted.body.id, name: "DELETED", version: 1 }] }]);
  expect((await ask("GET /v1/secrets?deleted=true", later)).body.secrets).toMatchObject([{ id: deleted.body.id, deleted_until }]);
  await ask(`POST /v1/secrets/${deleted.body.id}/undelete`, later);
  expect((await values(later)).secrets.DELETED.value).toBe("DELETED");
});

it.each([
  ["is behind when a run comes by", 1],
  ["has come as far again before a run comes by", 0],
])("what was made after the database was set back is shown and stays, though its events have the numbers of lost ones: the log %s", async (_, runs) => {
  await put("KEPT");
  await ask("PUT /v1/trusts/kept", { ...ACME, json: githubTrust("https://token.actions.githubusercontent.com") });
  const gone = await put("GONE");
  await run(10);
  const setBack = await timeTravel();
  await ask(`DELETE ${at("global", "GONE")}?purge=true`, ACME);
  for (let n = 0; n < 5; n++) await put("KEPT");
  await run(25);
  await setBack();
  await run(runs);
  const newer = await put("NEWER");
  await ask("PUT /v1/trusts/newer", { ...ACME, json: githubTrust("https://token.actions.githubusercontent.com") });
  // The log comes as far again as it had been, and the rows are compared after all of that.
  for (let n = 0; n < 8; n++) await put("KEPT");
  minute += 60;
  await run(2);
  await stopAnswering();
  const pages = await compareAll();
  const found = pages
    .flatMap(({ rows }) => rows)
    .filter(({ fault }) => fault === "newer" || fault === "returned")
    .sort((a, b) => b.fault.localeCompare(a.fault));
  expect(found).toEqual([
    { org: "acme", table: "secrets", key: [gone.body.id], fault: "returned" },
    { org: "acme", table: "secrets", key: [newer.body.id], fault: "newer" },
  ]);
  for (const { cursor, rows } of pages) await reconcile({ cursor, keys: rows.map(({ key }) => key) });
  await finish(ask);
  vi.setSystemTime(Date.now() + 2_000);
  const later = { token: { org: "acme", iat: Math.floor(Date.now() / 1000) } };
  expect(Object.keys((await values(later)).secrets).sort()).toEqual(["KEPT", "NEWER"]);
  expect((await ask("GET /v1/trusts", later)).body.trusts.map(({ name }: { name: string }) => name).sort()).toEqual(["kept", "newer"]);
});

describe("a comparison", () => {
  const DAY = 86_400_000;
  /** Makes tokens that no event speaks of. */
  const addTokens = (count: number, expires: number, start = "r") =>
    env.OTHER_DB.prepare(
      `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT ${count})
       INSERT INTO tokens (id, org, label, permissions, created_at, created_by, expires_at, seal) SELECT '${start}' || printf('%06d', i), 'acme', 'l', 'p', 0, 's', ${expires}, 'x' FROM n`,
    ).run();
  const made = async () => ask("POST /v1/tokens", { ...ACME, json: { label: "ci", permissions: ["secrets:resolve"], expires_in: 3600 } });

  it("goes through all rows of a long stretch, and deletes at most 100 of them by one call", async () => {
    await made();
    await run(2);
    await addTokens(1_050, NOON + DAY);
    await addTokens(1, NOON, "e");
    const pages = await compareAll();
    const returned = pages.flatMap(returnedOf);
    expect([returned.length, returned.flat().includes("e000001")], "one that has expired is nothing").toEqual([1_050, false]);
    await stopAnswering();
    const [page] = pages.filter((one) => returnedOf(one).length > 0);
    const keys = returnedOf(page as ComparedStores);
    expect((await reconcile({ cursor: page?.cursor, keys: keys.slice(0, 101) })).status).toBe(400);
    expect((await reconcile({ cursor: page?.cursor, keys: keys.slice(0, 100) })).body.deleted).toHaveLength(100);
    expect((await compareAll()).flatMap(returnedOf)).toHaveLength(950);
  });

  it("says where it is not known what rows there should be", async () => {
    await made();
    expect(
      (await compareAll()).filter(({ unknown }) => unknown),
      "before there is an inventory",
    ).toHaveLength(8);
    await run(2);
    expect((await compareAll()).some(({ unknown }) => unknown)).toBe(false);
    await env.OTHER_KV.delete("i/trusts/first");
    expect((await compareAll()).filter(({ unknown }) => unknown)).toHaveLength(1);
  });
});

it("a secret whose seal is not its own is named and left, and what is beside it is deleted again", async () => {
  const [bent, fine] = [await put("BENT"), await put("FINE")];
  await run(10);
  const setBack = await timeTravel();
  for (const name of ["BENT", "FINE"]) await ask(`DELETE ${at("global", name)}`, ACME);
  await run(25);
  await setBack();
  await run(1);
  await env.OTHER_DB.prepare("UPDATE secrets SET expires_at = 4102444800000 WHERE id = ?").bind(bent.body.id).run();
  await stopAnswering();
  const [page] = (await compareAll()).filter((one) => returnedOf(one).length > 0);
  const { deleted, skipped } = await putRight(page as Awaited<ReturnType<typeof compareAll>>[number]);
  const keysOf = (rows: ComparedStores["rows"]) => rows.map(({ key }) => key);
  expect([keysOf(deleted), keysOf(skipped)]).toEqual([[[fine.body.id]], [[bent.body.id]]]);
});

it("a reconciliation that was begun deletes only what it is told, refuses pages of a backup, and is not mixed up with a restore of one", async () => {
  await put("KEPT");
  const [page] = await backUp(ask);
  await stopAnswering();
  expect((await ask("POST /v1/backup/restore", { ...OPERATOR, json: page })).status).toBe(412);
  await expect(
    env.OTHER_DB.prepare("INSERT INTO audit_entries (org, action) VALUES ('acme', 'secret.purge')").run(),
    "but by a reconciliation itself nothing is deleted",
  ).rejects.toThrow("no_restore");
  expect((await finish(ask)).body.done).toBe(true);
  expect((await ask("POST /v1/backup/finish", { token: { ...OPERATOR.token, iat: Math.floor(NOON / 1000) + 2 }, json: {} })).body, "once more").toEqual({
    done: true,
    logs: [],
  });
  ask = await emptyDeployment();
  expect((await ask("POST /v1/backup/restore", { ...OPERATOR, json: page })).status).toBe(200);
  expect((await reconcile({})).status).toBe(412);
});
