import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it, vi } from "vitest";
import { at, type Reply } from "../support/call.ts";
import { callWith } from "../support/call-with.ts";
import { exchange, githubClaims, githubTrust } from "../support/exchange.ts";
import { type Issuer, startIssuer } from "../support/issuer.ts";
import { sign } from "../support/sign.ts";

/** How many failures of one network are let through. */
const FAILURES = 30;
const failures = new Map<string, number>();
const FAILURE_LIMIT = {
  async limit({ key }: { key: string }) {
    failures.set(key, (failures.get(key) ?? 0) + 1);
    return { success: (failures.get(key) ?? 0) <= FAILURES };
  },
};
/** Refused calls have a fifth of them. */
const QUOTAS = JSON.stringify({ events_per_minute: 200 });
const call = callWith({ FAILURE_LIMIT, QUOTAS, ALLOW_INSECURE_ISSUERS: "true" });

const ATTACKER = { org: "attacker" };
const BYSTANDER = { org: "bystander" };
let issuer: Issuer;

const from = (ip: string) => ({ headers: { "CF-Connecting-IP": ip } });
const times = async (count: number, ask: (n: number) => Promise<Reply>): Promise<Record<number, number>> => {
  const statuses: Record<number, number> = {};
  for (let n = 0; n < count; n++) {
    const { status } = await ask(n);
    statuses[status] = (statuses[status] ?? 0) + 1;
  }
  return statuses;
};
const swap = (subjectToken: string, audience: string, ip: string) =>
  exchange(subjectToken, { audience }, (request, options) => call(request, { ...options, headers: { ...options?.headers, ...from(ip).headers } }));

/** What the attacker does, and how that is answered. */
const ATTACKS: readonly [name: string, attack: () => Promise<Record<number, number>>, answered: Record<number, number>][] = [
  [
    "sixty dry runs of imports of 68 KB",
    () => {
      const secrets = Object.fromEntries(Array.from({ length: 500 }, (_, n) => [`${"N".repeat(120)}_${n}`, "v"]));
      return times(60, () => call("POST /v1/import?dry_run=true", { token: ATTACKER, json: { scope: "global", secrets } }));
    },
    { 200: 60 },
  ],
  [
    "a flood of denied calls",
    async () => {
      const token = await sign({ ...ATTACKER, scope: "secrets:read" });
      return times(50, () => call("POST /v1/resolve", { token, json: { names: ["A"] } }));
    },
    { 403: 40, 429: 10 },
  ],
  ["junk exchanges under the bystander's name, from as many addresses", () => times(50, (n) => swap("a.b.c", "bystander/ci", `198.51.100.${n}`)), { 400: 50 }],
  [
    "failures from ever other addresses of one /64",
    () => times(40, (n) => call("GET /v1/secrets", { token: "a.b.c", ...from(`2001:db8:1:2::${n.toString(16)}`) })),
    { 401: FAILURES, 429: 10 },
  ],
  [
    "resolves of 500 values of 64 KB",
    async () => {
      const secrets = Object.fromEntries(Array.from({ length: 500 }, (_, n) => [`S_${n}`, "v"]));
      expect((await call("POST /v1/import", { token: ATTACKER, json: { scope: "team:large", secrets } })).status).toBe(200);
      await env.DB.prepare(
        "UPDATE versions SET size = 65536 WHERE secret_id IN (SELECT id FROM secrets WHERE org = 'attacker' AND scope = 'team:large')",
      ).run();
      return times(10, () => call("POST /v1/resolve", { token: ATTACKER, json: { scopes: ["team:large"] } }));
    },
    { 413: 10 },
  ],
  [
    "exchanges under the bystander's issuer with a slash",
    async () => {
      await call("PUT /v1/trusts/ci", { token: ATTACKER, json: githubTrust(`${issuer.url}/`) });
      const claims = { ...githubClaims(issuer.url), iss: `${issuer.url}/` };
      return times(20, async () => swap(await issuer.sign(claims), "attacker/ci", "203.0.113.66"));
    },
    { 503: 20 },
  ],
];

/** The bystander's calls, how they are answered, and what they take: of D1, which is the same each time, and of the clock. */
async function everydayCalls() {
  const batches: Promise<D1Result[]>[] = [];
  const batch = env.DB.batch.bind(env.DB);
  const spy = vi.spyOn(env.DB, "batch").mockImplementation(((statements: D1PreparedStatement[]) => {
    const results = batch(statements);
    batches.push(results);
    return results;
  }) as never);
  const began = performance.now();
  const identity = await issuer.sign(githubClaims(issuer.url));
  const replies = [
    await call(`PUT ${at("global", "KEY")}`, { token: BYSTANDER, json: { value: crypto.randomUUID() }, ...from("192.0.2.1") }),
    await call("POST /v1/resolve", { token: BYSTANDER, json: { names: ["KEY"] }, ...from("192.0.2.1") }),
    await call("GET /v1/secrets", { token: BYSTANDER, ...from("192.0.2.1") }),
    await call("GET /v1/audit?limit=5", { token: BYSTANDER, ...from("192.0.2.1") }),
    await swap(identity, "bystander/ci", "192.0.2.1"),
    await call("GET /v1/secrets", { token: "a.b.c", ...from("192.0.2.1") }),
  ];
  const took = performance.now() - began;
  spy.mockRestore();
  const results = (await Promise.all(batches)).flat();
  const sum = (of: "rows_read" | "rows_written") => results.reduce((total, { meta }) => total + meta[of], 0);
  const d1 = { batches: batches.length, statements: results.length, rows_read: sum("rows_read"), rows_written: sum("rows_written") };
  return { statuses: replies.map(({ status }) => status), d1, took };
}

beforeAll(async () => {
  issuer = await startIssuer();
  await call("PUT /v1/trusts/ci", { token: BYSTANDER, json: githubTrust(issuer.url) });
  await call(`PUT ${at("global", "A")}`, { token: ATTACKER, json: { value: "v" } });
  // Old versions are destroyed from the eleventh on, each time alike.
  for (let n = 0; n < 12; n++) await call(`PUT ${at("global", "KEY")}`, { token: BYSTANDER, json: { value: `v${n}` } });
  await everydayCalls();
});

describe("one organization is answered, for the same of D1, whatever another one does:", () => {
  it.each(ATTACKS)("%s", { timeout: 30_000 }, async (name, attack, answered) => {
    const before = await everydayCalls();
    expect(await attack()).toEqual(answered);
    const after = await everydayCalls();
    expect(before.statuses).toEqual([200, 200, 200, 200, 200, 401]);
    expect(after.statuses).toEqual(before.statuses);
    expect(after.d1).toEqual(before.d1);
    const shown = { attack: name, answered, ...after.d1, before_ms: Math.round(before.took), after_ms: Math.round(after.took) };
    console.info(`isolation: ${JSON.stringify(shown)}`);
  });
});

it("what the attacks left in the logs is bounded, and none of it hides what else there is", async () => {
  const count = (org: string, where = "true") =>
    env.DB.prepare(`SELECT COUNT(*) AS n FROM audit_events WHERE org = ? AND ${where}`).bind(org).first<number>("n");
  expect(await count("bystander", "action = 'token.refused'")).toBeLessThanOrEqual(20);
  expect(await count("attacker", "outcome = 'denied' AND action <> 'token.refused'")).toBe(40);
  expect([...failures.keys()].filter((key) => key.startsWith("2001:"))).toEqual(["2001:db8:1:2::/64"]);
});
