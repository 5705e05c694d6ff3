import { spawn } from "node:child_process";
import { once } from "node:events";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type FakeService, startFakeService } from "./support/fake-service.ts";
import { runProgram } from "./support/run-program.ts";
import { buildKeyhole } from "./support/start-keyhole.ts";

let service: FakeService;
let cli: ReturnType<typeof buildKeyhole>;
let env: Record<string, string>;
/** The pages that are answered, in turn, and the queries for them. */
let pages: { seqs: number[]; next?: string }[];
let queries: URLSearchParams[];
/** What a verification answers, in turn. */
let verdicts: object[] = [];

const event = (seq: number) => ({
  ...{ seq, at: "2026-11-21T12:00:00.000Z", org: "acme", actor: `actor-${seq}`, token_id: null, action: "secret.read", outcome: "denied" },
  ...{ secrets: [], target: null, request_id: "req_1", ip: null, user_agent: null },
});

beforeAll(async () => {
  cli = buildKeyhole();
  service = await startFakeService(({ url = "" }) => {
    queries.push(new URL(url, service.url).searchParams);
    if (url.startsWith("/v1/audit/verify")) return { json: verdicts.shift() };
    const { seqs, next = null } = pages.shift() ?? { seqs: [5] };
    return { json: { events: seqs.map(event), next_cursor: next } };
  });
  env = { PATH: process.env.PATH ?? "", KEYHOLE_URL: service.url, KEYHOLE_TOKEN: "token", HOME: cli.folder };
});

beforeEach(() => {
  queries = [];
});

afterAll(async () => {
  await service?.stop();
  cli?.remove();
});

/** Follows the log until `actor` has come, and gives all the actors. */
async function follow(actor: string, ...options: string[]): Promise<string[] | null> {
  const child = spawn(cli.path, ["audit", "--follow", "--interval", "0", ...options], { env, stdio: ["ignore", "pipe", "ignore"] });
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    output += text;
    if (output.includes(actor)) child.kill();
  });
  await once(child, "close");
  return output.match(/actor-\d/g);
}

describe("the audit log", () => {
  it("is shown as far as was asked, also where pages are short or empty", async () => {
    pages = [
      { seqs: [], next: "a" },
      { seqs: [9, 8], next: "b" },
      { seqs: [5, 4, 3], next: "c" },
    ];
    const { code, stdout, stderr } = await runProgram(cli.path, ["audit", "--limit", "4"], { env });
    expect({ code, shown: stdout.match(/actor-\d/g) }).toEqual({ code: 0, shown: ["actor-9", "actor-8", "actor-5", "actor-4"] });
    expect(stderr).toContain("There is more");
    expect(queries.map((query) => [query.get("limit"), query.get("cursor")])).toEqual([
      ["5", null],
      ["5", "a"],
      ["5", "b"],
    ]);
  });

  it("is followed: what is there oldest first, then each new event once", async () => {
    pages = [
      [2, 1],
      [2, 1],
      [4, 3, 2, 1],
      [5, 4, 3],
    ].map((seqs) => ({ seqs }));
    expect(await follow("actor-5")).toEqual(["actor-1", "actor-2", "actor-3", "actor-4", "actor-5"]);
  });

  it("is not gone through again and again while nothing in it is to be shown", async () => {
    pages = [{ seqs: [] }, { seqs: [] }];
    expect(await follow("actor-5")).toEqual(["actor-5"]);
    const [first, ...later] = queries.map((query) => Date.parse(query.get("since") ?? ""));
    expect([first, later.length >= 2, later.every((since) => since > Date.now() - 7_200_000)]).toEqual([Number.NaN, true, true]);
  });
});

describe("a verification", () => {
  const page = (more: object) => ({ ok: true, checked: 2, unsealed: 0, first_bad: null, next_cursor: null, ...more });
  const newer = { ok: false, newer: { seq: 7, version: 2 } };
  const verify = async (given: object[], ...options: string[]) => {
    verdicts = given;
    const { code, stdout } = await runProgram(cli.path, ["audit", "verify", ...options], { env });
    return { code, stdout };
  };

  it("goes on where only a later service can check, and says so in the end", async () => {
    const stdout = "Nothing was found changed, but from event 7 on the log holds what only a later service can check: update it.\n";
    expect(await verify([page({ ...newer, next_cursor: "a" }), page({})])).toEqual({ code: 1, stdout });
    const { code, stdout: json } = await verify([page({ next_cursor: "a" }), page({ ...newer, next_cursor: "b" }), page({})], "--json");
    expect([code, JSON.parse(json)]).toEqual([1, { ok: false, checked: 6, unsealed: 0, first_bad: null, newer: { seq: 7, version: 2 } }]);
  });

  it("says what was changed after that", async () => {
    const { code, stdout } = await verify([page({ ...newer, next_cursor: "a" }), page({ ok: false, first_bad: 9 })]);
    expect({ code, stdout }).toEqual({ code: 1, stdout: "The log was changed: the first event that does not fit is 9.\n" });
  });
});
