import { mkdtempSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type FakeService, startFakeService } from "./support/fake-service.ts";
import { runProgram } from "./support/run-program.ts";
import { buildKeyhole } from "./support/start-keyhole.ts";

type Call = { readonly request: string; readonly body: Record<string, unknown> };
type Row = { readonly org: string; readonly table: string; readonly key: string[]; readonly fault: string };

let service: FakeService;
let cli: ReturnType<typeof buildKeyhole>;
let calls: Call[] = [];
/** The rows that are there again, in pages. */
let returned: Row[] = [];
let unknown = false;
/** What is there again once something was deleted. */
let later: Row[] = [];
let finishes: (number | "lost")[] = [];

const row = (n: number, fault = "returned"): Row => ({ org: "acme", table: "trusts", key: ["acme", `t${n}`], fault });
const keyOf = ({ key }: Row) => JSON.stringify(key);

beforeAll(async () => {
  cli = buildKeyhole();
  service = await startFakeService((request, text) => {
    const [path, query = ""] = (request.url ?? "").split("?");
    const body = text === "" ? {} : JSON.parse(text);
    calls.push({ request: `${request.method} ${path}${query && ` ${query}`}`, body });
    if (path === "/v1/backup/finish") {
      if (finishes.shift() === "lost") return { status: 412, code: "version-conflict" };
      return { json: { done: finishes.length === 0, logs: [{ org: "acme", events: 7, verified: true, lost: null }] } };
    }
    if (path === "/v1/backup/restore") return { json: { page: 2, refused: [{ table: "trusts", key: ["acme", body.jws], reason: "seal" }], whole: true } };
    if (request.method === "GET") {
      const last = query !== "";
      return { json: { rows: last ? returned : [], values: [], orphans: 0, unknown: last && unknown, next_cursor: last ? null : "second" } };
    }
    const named = new Set((body.keys ?? []).map((key: string[]) => JSON.stringify(key)));
    const deleted = returned.filter((one) => one.fault === "returned" && named.has(keyOf(one)));
    returned = returned.filter((one) => !deleted.includes(one)).concat(deleted.length > 0 ? later.splice(0) : []);
    return { json: { deleted, skipped: [], removed: 0 } };
  });
});

afterAll(async () => {
  await service?.stop();
  cli?.remove();
});

beforeEach(() => {
  [calls, returned, unknown, finishes] = [[], [], false, [1]];
});

const keyhole = (...args: string[]) => runProgram(cli.path, args, { env: { KEYHOLE_URL: service.url, KEYHOLE_TOKEN: "token", HOME: cli.folder } });
const requests = () => calls.map(({ request }) => request.replace("/v1/backup/", ""));

describe("keyhole admin reconcile", () => {
  it("has the deployment answer nothing else before it compares, deletes what that shows a hundred at a time, and compares until nothing is left", async () => {
    returned = Array.from({ length: 150 }, (_, n) => row(n)).concat(row(900, "newer"));
    expect((await keyhole("admin", "reconcile", "--yes")).code).toBe(0);
    const compared = ["GET reconcile", "GET reconcile cursor=second"];
    expect(requests()).toEqual(["POST reconcile", ...compared, "POST reconcile", "POST reconcile", ...compared, "POST finish"]);
    const sizes = calls
      .filter(({ request }) => request.startsWith("POST /v1/backup/reconcile"))
      .map(({ body }) => [body.cursor, (body.keys as [] | undefined)?.length]);
    expect(sizes).toEqual([
      [undefined, undefined],
      ["second", 100],
      ["second", 50],
    ]);
    expect(returned.map(keyOf), "what is newer stays").toEqual([keyOf(row(900))]);
    expect(calls.at(-1)?.body).toEqual({ keep_tokens: false });
  });

  it("goes on with what was stopped while it was being finished", async () => {
    finishes = [1, "lost"];
    const { code, stderr } = await keyhole("admin", "reconcile", "--yes");
    expect([code === 0, stderr.includes("the same command goes on")]).toEqual([false, true]);
    finishes = [1];
    expect((await keyhole("admin", "reconcile", "--yes")).code).toBe(0);
    expect(requests().filter((request) => request === "POST finish")).toHaveLength(3);
  });

  it("deletes nothing that it has not shown before it asked, and does not finish with that", async () => {
    [returned, later] = [[row(1)], [row(2)]];
    const { code, stderr } = await keyhole("admin", "reconcile", "--yes");
    expect([code, stderr.includes("are left"), returned.map(keyOf), requests().includes("POST finish")]).toEqual([1, true, [keyOf(row(2))], false]);
  });

  it("changes nothing by a dry run", async () => {
    returned = [row(1)];
    const { code, stdout } = await keyhole("admin", "reconcile", "--dry-run");
    expect([code, stdout.includes("t1"), requests()]).toEqual([0, true, ["GET reconcile", "GET reconcile cursor=second"]]);
  });

  it("does not finish where it is not known what rows there should be, unless that is accepted", async () => {
    [unknown, returned] = [true, [row(1)]];
    expect((await keyhole("admin", "reconcile", "--dry-run")).code).toBe(1);
    const { code, stderr } = await keyhole("admin", "reconcile", "--yes");
    expect([code, stderr.includes("cannot be read"), returned.length, requests().includes("POST finish")]).toEqual([1, true, 1, false]);
    expect((await keyhole("admin", "reconcile", "--yes", "--accept-unknown")).code).toBe(1);
    expect([returned, requests().at(-1)]).toEqual([[], "POST finish"]);
  });
});

it("keyhole admin restore names what was left out of every page, also of those that are there already", async () => {
  const file = join(mkdtempSync(join(cli.folder, "backup-")), "keyhole.backup");
  writeFileSync(file, ["one", "two"].map((jws) => `${JSON.stringify({ jws, rows: "[]" })}\n`).join(""));
  const { code, stdout } = await keyhole("admin", "restore", file, "--yes", "--json");
  expect([code, JSON.parse(stdout).refused.map(({ key }: Row) => key[1])]).toEqual([1, ["one", "two"]]);
});
