import { env } from "cloudflare:workers";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { noRefusals, noteRefusal, type RefusedToken } from "../../src/worker/grants/note-refusals.ts";
import { call } from "../support/call.ts";
import { callWith } from "../support/call-with.ts";
import { mint } from "../support/mint.ts";

const START = Date.parse("2026-11-26T12:00:00.000Z");
const junk: RefusedToken = { org: "victim", trust: "ci", actor: null, tokenId: null, reason: "bad-signature", ip: "192.0.2.1" };

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date", "setTimeout", "clearTimeout"], now: START });
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
  const refusals = noRefusals();
  const left: Promise<unknown>[] = [];
  return {
    refuse: (refused: RefusedToken) => noteRefusal(refusals, { db: env.DB, now: new Date(), defer: (work) => left.push(work) }, refused),
    async settle() {
      await vi.advanceTimersByTimeAsync(20_000);
      await Promise.all(left);
    },
  };
}

it("60,000 junk exchanges within a minute, from as many addresses as there are, are at most 20 events, which add up", async () => {
  const { refuse, settle } = isolate();
  for (let second = 0; second < 60; second += 20) {
    for (let n = 0; n < 20_000; n++) refuse({ ...junk, ip: `2001:db8:${(n % 5_000).toString(16)}::${second}` });
    await settle();
  }
  const events = await recorded("victim");
  expect(events).toHaveLength(20);
  expect(events).toContainEqual({ actor: "trust:ci", token_id: null, target: "trust:ci bad-signature 4 times", ip: "2001:db8:1:0::/64", outcome: "denied" });
  vi.setSystemTime(START + 90_000);
  refuse({ ...junk, ip: "2001:db8:1::1" });
  await settle();
  const times = (await recorded("victim")).reduce((sum, { target }) => sum + Number(/(\d+) times$/.exec(String(target))?.[1]), 0);
  expect(times).toBe(60_001);
});

it("each trust, reason and network has its own event, and each organization its own share", async () => {
  const { refuse, settle } = isolate();
  for (const refused of [{}, {}, { trust: "deploy" }, { reason: "expired" as const }, { ip: "192.0.2.2" }, { org: "bystander" }])
    refuse({ ...junk, org: "quiet", ...refused });
  await settle();
  expect((await recorded("quiet")).map(({ target, ip }) => `${target} ${ip}`)).toEqual([
    "trust:ci bad-signature 2 times 192.0.2.1",
    "trust:deploy bad-signature 1 times 192.0.2.1",
    "trust:ci expired 1 times 192.0.2.1",
    "trust:ci bad-signature 1 times 192.0.2.2",
  ]);
  expect(await recorded("bystander")).toHaveLength(1);
});

it("the use of a revoked token is on record with whose it was and from where, once for many uses", async () => {
  const { id, token } = await mint({}, { token: { org: "revoked" } });
  await call(`DELETE /v1/tokens/${id}`, { token: { org: "revoked" } });
  const asked = callWith({});
  const uses = Array.from({ length: 3 }, () => asked("GET /v1/secrets", { token, headers: { "CF-Connecting-IP": "192.0.2.9" } }));
  await vi.advanceTimersByTimeAsync(30_000);
  expect((await Promise.all(uses)).map(({ status }) => status)).toEqual([401, 401, 401]);
  expect(await recorded("revoked")).toEqual([expect.objectContaining({ token_id: id, target: "revoked 3 times", ip: "192.0.2.9" })]);
});
