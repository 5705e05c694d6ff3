import { env } from "cloudflare:workers";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { ComparedStores } from "../../src/contract/backup.ts";
import { runScheduled } from "../../src/worker/scheduled.ts";
import { at } from "../support/call.ts";
import { githubTrust } from "../support/exchange.ts";
import { STILL } from "../support/still.ts";
import { emptyDeployment, finish, OPERATOR, OTHER, timeTravel } from "./other-deployment.ts";

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
  for (const { cursor } of pages) expect((await ask("POST /v1/backup/reconcile", { ...OPERATOR, json: { cursor } })).status).toBe(200);
  const { body } = await finish(ask, { restored_in_place: true });
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
