import { env } from "cloudflare:workers";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { withUsualQuotas } from "../../src/contract/quota.ts";
import { noteRefusal, type Refusals, type RefusedToken } from "../../src/worker/grants/note-refusals.ts";
import { call } from "../support/call.ts";
import { callWith } from "../support/call-with.ts";
import { FORM, githubTrust } from "../support/exchange.ts";
import { mint } from "../support/mint.ts";

const START = Date.parse("2026-11-26T12:00:00.000Z");
const junk: RefusedToken = {
  org: "victim",
  trust: "ci",
  actor: null,
  tokenId: null,
  issuer: null,
  reason: "bad-signature",
  about: null,
  ip: "192.0.2.1",
  logged: true,
};

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"], now: START });
});
afterEach(() => {
  vi.useRealTimers();
});

const recorded = async (org: string) =>
  (
    await env.DB.prepare("SELECT actor, token_id, target, ip, outcome FROM audit_events WHERE org = ? AND action = 'token.refused' ORDER BY seq")
      .bind(org)
      .all()
  ).results;

/** An isolate that counts, with what it left to be done after its replies. */
function isolate() {
  const refusals: Refusals = new Map();
  const left: Promise<unknown>[] = [];
  const needs = () => ({ db: env.DB, now: new Date(), quotas: withUsualQuotas({}), defer: (work: Promise<unknown>) => void left.push(work) });
  return {
    refuse: (refused: RefusedToken) => noteRefusal(refusals, needs(), refused),
    settle: () => Promise.all(left),
  };
}

const timesOf = (events: Record<string, unknown>[]) => events.reduce((sum, { target }) => sum + Number(/(\d+) times$/.exec(String(target))?.[1] ?? 1), 0);

it("60,000 junk exchanges within a minute, from as many addresses as there are, are at most 20 events, and nothing is lost", async () => {
  const { refuse, settle } = isolate();
  for (let n = 0; n < 60_000; n++) refuse({ ...junk, ip: `2001:db8:${(n % 5_000).toString(16)}::${n}` });
  await settle();
  const events = await recorded("victim");
  expect(events.length).toBeGreaterThan(9);
  expect(events.length).toBeLessThanOrEqual(20);
  expect(events).toContainEqual({ actor: "trust:ci", token_id: null, target: "trust:ci bad-signature once", ip: "2001:db8:1:0::/64", outcome: "denied" });
  vi.setSystemTime(START + 60_000);
  for (let n = 0; n < 10; n++) refuse({ ...junk, ip: `2001:db8:${n.toString(16)}::1` });
  await settle();
  expect(timesOf(await recorded("victim"))).toBe(60_010);
});

it("each trust, reason and network has its own event at once, and each organization its own share", async () => {
  const { refuse, settle } = isolate();
  for (const refused of [{}, {}, {}, {}, {}, { trust: "deploy" }, { reason: "expired" as const }, { ip: "192.0.2.2" }, { org: "bystander" }])
    refuse({ ...junk, org: "quiet", ...refused });
  await settle();
  expect((await recorded("quiet")).map(({ target, ip }) => `${target} ${ip}`).toSorted()).toEqual([
    "trust:ci bad-signature 3 times 192.0.2.1",
    "trust:ci bad-signature once 192.0.2.1",
    "trust:ci bad-signature once 192.0.2.2",
    "trust:ci expired once 192.0.2.1",
    "trust:deploy bad-signature once 192.0.2.1",
  ]);
  expect(await recorded("bystander")).toHaveLength(1);
});

it("what one organization is sent takes nothing of what another one is told of its trusts", async () => {
  for (const org of ["loud", "soft"]) await call("PUT /v1/trusts/ci", { token: { org }, json: githubTrust("https://issuer.example.com") });
  const { refuse, settle } = isolate();
  for (let n = 0; n < 2_000; n++) refuse({ ...junk, org: "loud", about: `condition-${n}`, reason: "claim-not-matched", logged: n % 2 === 0 });
  refuse({ ...junk, org: "soft" });
  await settle();
  const told = async (org: string) => (await call("GET /v1/trusts/ci/refusals", { token: { org } })).body.refusals;
  expect(await told("soft")).toMatchObject([{ reason: "bad-signature", count: 1 }]);
  expect((await told("loud")).length).toBe(20);
  expect(await recorded("soft")).toHaveLength(1);
});

it("a refused exchange is on record with its trust and the reason, and none under a trust that is not there", async () => {
  const token = { org: "exchanging" };
  await call("PUT /v1/trusts/ci", { token, json: githubTrust("https://issuer.example.com") });
  for (const trust of ["ci", "other"]) {
    const form = new URLSearchParams({ ...FORM, audience: `exchanging/${trust}`, subject_token: "a.b.c" });
    const reply = await callWith({})("POST /oauth/token", {
      token: null,
      body: String(form),
      headers: { "Content-Type": "application/x-www-form-urlencoded" },
    });
    expect(reply.status).toBe(400);
  }
  expect(await recorded("exchanging")).toEqual([expect.objectContaining({ actor: "trust:ci", target: "trust:ci not-a-jwt once" })]);
});

it("the use of a revoked token is on record with whose it was and from where, once for many uses", async () => {
  const { id, token } = await mint({}, { token: { org: "revoked" } });
  await call(`DELETE /v1/tokens/${id}`, { token: { org: "revoked" } });
  const asked = callWith({});
  for (let n = 0; n < 4; n++) expect((await asked("GET /v1/secrets", { token, headers: { "CF-Connecting-IP": "192.0.2.9" } })).status).toBe(401);
  const events = await recorded("revoked");
  expect([events.length, timesOf(events)]).toEqual([2, 4]);
  for (const event of events) expect(event).toMatchObject({ token_id: id, ip: "192.0.2.9", target: expect.stringMatching(/^revoked /) });
});
