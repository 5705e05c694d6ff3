import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import type { AuditEvent } from "../../src/contract/audit.ts";
import { SCAN } from "../../src/worker/audit/read-events.ts";
import { digestLog } from "../../src/worker/log/digest-log.ts";
import { call, put, type Reply, resolve } from "../support/call.ts";
import type { TokenClaims } from "../support/sign.ts";
import { append, START, seal } from "./support.ts";

const ORG = "readers";
const token = { org: ORG };

const isNoExport = ({ action }: AuditEvent) => action !== "audit.export";

/** Reads page by page, and returns what all of them together hold, but for the events of {@link stream}. */
async function readAll(query = "", claims: TokenClaims = token): Promise<{ events: AuditEvent[]; pages: number }> {
  const events: AuditEvent[] = [];
  let cursor = "";
  for (let pages = 1; ; pages++) {
    const { status, body } = await call(`GET /v1/audit?${query}${cursor}`, { token: claims });
    expect(status).toBe(200);
    events.push(...body.events.filter(isNoExport));
    if (body.next_cursor === null) return { events, pages };
    cursor = `&cursor=${body.next_cursor}`;
  }
}

async function stream(query = "", claims: TokenClaims = token): Promise<AuditEvent[]> {
  const { headers, text }: Reply = await call(`GET /v1/audit?format=ndjson&${query}`, { token: claims });
  expect(headers.get("Content-Type")).toBe("application/x-ndjson");
  return text
    .split("\n")
    .flatMap((line) => (line === "" ? [] : [JSON.parse(line)]))
    .filter(isNoExport);
}

describe("an audit log", () => {
  const ids: Record<string, string> = {};
  let all: AuditEvent[] = [];

  beforeAll(async () => {
    for (const [scope, name, sub] of [
      ["team:a", "ALPHA", "ann"],
      ["team:b", "BETA", "bob"],
    ] as const) {
      ids[name] = (await put(scope, name, "v", { token: { ...token, sub } })).body.id;
      await put(scope, name, "w", { token: { ...token, sub } });
      await resolve({ scopes: [scope], names: [name] }, { token: { ...token, sub } });
      await call("GET /v1/secrets", { token: { ...token, sub, scope: "" } });
      if (name === "ALPHA") await digestLog({ db: env.DB, now: new Date() });
      if (name === "ALPHA") await seal();
    }
    await resolve({ scopes: ["team:a"], names: ["ALPHA", "NONE"] }, { token });
    all = (await readAll("limit=200")).events;
  });

  it("is read newest first, with denied attempts, and as the schema says", () => {
    expect(all.map(({ seq }) => seq)).toEqual([9, 8, 7, 6, 5, 4, 3, 2, 1]);
    expect(all.at(-1)).toMatchObject({
      seq: 1,
      org: ORG,
      actor: "ann",
      action: "secret.create",
      outcome: "allowed",
      secrets: [{ id: ids.ALPHA, name: "ALPHA", scope: "team:a", version: 1 }],
      target: null,
      request_id: expect.stringMatching(/^req_/),
    });
    expect(all.filter(({ outcome }) => outcome === "denied").map(({ action }) => action)).toEqual(["secret.read", "secret.read"]);
  });

  it("is the same in pages of any length, and as a stream, oldest first", async () => {
    for (const limit of [1, 2, 4, 9]) expect((await readAll(`limit=${limit}`)).events).toEqual(all);
    expect(await stream()).toEqual(all.toReversed());
  });

  it("is filtered by every combination of filters, in both orders", { timeout: 60_000 }, async () => {
    const middle = all[4]?.at ?? "";
    const filters: [string, (event: AuditEvent) => boolean][][] = [
      [
        ["", () => true],
        ["action=secret.update", ({ action }) => action === "secret.update"],
        ["action=secret.resolve", ({ action }) => action === "secret.resolve"],
      ],
      [
        ["", () => true],
        ["actor=ann", ({ actor }) => actor === "ann"],
        ["actor=nobody", () => false],
      ],
      [
        ["", () => true],
        [`secret_id=${ids.ALPHA}`, ({ secrets }) => secrets.some(({ id }) => id === ids.ALPHA)],
        [`secret_id=${ids.BETA}`, ({ secrets }) => secrets.some(({ id }) => id === ids.BETA)],
      ],
      [
        ["", () => true],
        ["outcome=denied", ({ outcome }) => outcome === "denied"],
      ],
      [
        ["", () => true],
        [`since=${middle}`, ({ at }) => at >= middle],
        [`until=${middle}`, ({ at }) => at < middle],
      ],
    ];
    const combinations = filters.reduce<(typeof filters)[number][]>((sets, options) => sets.flatMap((set) => options.map((option) => [...set, option])), [[]]);
    expect(combinations).toHaveLength(162);
    for (const combination of combinations) {
      const query = combination.map(([text]) => text).filter((text) => text !== "");
      const expected = all.filter((event) => combination.every(([, matches]) => matches(event)));
      expect((await readAll([...query, "limit=3"].join("&"))).events, query.join("&")).toEqual(expected);
      expect(await stream(query.join("&")), query.join("&")).toEqual(expected.toReversed());
    }
  });

  it("shows a token with limits what happened to the secrets within them, and no more", async () => {
    const limited = { ...token, secret_scopes: ["team:a"], secret_names: ["AL*"] };
    const expected = all.filter(({ secrets }) => secrets.some(({ scope, name }) => scope === "team:a" && name === "ALPHA"));
    expect(expected.length).toBeGreaterThan(2);
    for (const events of [(await readAll("limit=1", limited)).events, (await stream("", limited)).toReversed()]) {
      expect(events).toEqual(expected);
      expect(JSON.stringify(events)).not.toContain("BETA");
    }
    expect((await readAll("", { ...token, secret_names: ["NOTHING"] })).events).toEqual([]);
  });

  it("has each export as an event, with its filters, and the export ends before it", async () => {
    const token = { org: "exporters" };
    await call("GET /v1/secrets", { token: { ...token, scope: "" } });
    const lines = async (query: string) => (await call(`GET /v1/audit?format=ndjson${query}`, { token })).text.split("\n").length - 1;
    expect(await lines("")).toBe(1);
    expect(await lines("&after=0&action=secret.read&since=2026-01-01T00:00:00Z")).toBe(1);
    expect(await lines("&action=audit.export")).toBe(2);
    expect((await call("GET /v1/audit?format=ndjson", { token: { ...token, scope: "" } })).status).toBe(403);
    const { body } = await call("GET /v1/audit", { token });
    expect(body.events.map(({ action, outcome, actor, target }: AuditEvent) => [action, outcome, actor, target])).toEqual([
      ["audit.read", "denied", "tester", null],
      ["audit.export", "allowed", "tester", "action=audit.export"],
      ["audit.export", "allowed", "tester", "action=secret.read since=2026-01-01T00:00:00.000Z after=0"],
      ["audit.export", "allowed", "tester", "everything"],
      ["secret.read", "denied", "tester", null],
    ]);
  });

  it("shows another organization nothing", async () => {
    expect((await readAll(`secret_id=${ids.ALPHA}`, { org: "strangers" })).events).toEqual([]);
    expect(await stream("", { org: "strangers" })).toEqual([]);
  });

  it.each(["action=nothing", "outcome=maybe", "since=yesterday", "limit=0", "limit=201", "cursor=x", "order=oldest", "format=csv"])(
    "refuses %s",
    async (query) => {
      expect((await call(`GET /v1/audit?${query}`, { token })).body.code).toBe("invalid-request");
    },
  );
});

describe("a long log", () => {
  const LONG = { org: "long-readers" };
  const COUNT = SCAN + 1_200;

  beforeAll(async () => {
    await append(LONG.org, COUNT - 1, { action: "secret.update" });
    await append(LONG.org, 1, { action: "secret.delete" });
    await seal();
  });

  it("is streamed whole", { timeout: 20_000 }, async () => {
    expect((await stream("", LONG)).map(({ seq }) => seq)).toEqual(Array.from({ length: COUNT }, (_, n) => n + 1));
  });

  it("is looked at in bounded parts: a page may be short and still have a cursor", async () => {
    await append(LONG.org, SCAN, { action: "secret.update" });
    const first = await call("GET /v1/audit?action=secret.delete", { token: LONG });
    expect([first.body.events, typeof first.body.next_cursor]).toEqual([[], "string"]);
    const { events, pages } = await readAll("action=secret.delete", LONG);
    expect(events.map(({ seq }) => seq)).toEqual([COUNT]);
    expect(pages).toBe(3);
    expect((await stream("action=secret.delete", LONG)).map(({ seq }) => seq)).toEqual([COUNT]);
  });

  it("is not looked at outside of the times asked for, as far as it is sealed", async () => {
    const since = new Date(START + (COUNT - 2) * 1000).toISOString();
    expect((await stream(`since=${since}&action=secret.delete`, LONG)).map(({ seq }) => seq)).toEqual([COUNT]);
    const until = new Date(START + 3_000).toISOString();
    const { events, pages } = await readAll(`until=${until}&limit=200`, LONG);
    expect([events.map(({ seq }) => seq), pages]).toEqual([[2, 1], 1]);
  });
});
