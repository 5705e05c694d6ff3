import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { append, DAY, MINUTE, sql } from "./support.ts";
import { makeWorld, NOON } from "./world.ts";

const HOUR = DAY / 24;
const DAY_IN_MINUTES = DAY / MINUTE;
const minutes = (hours: number) => (hours * HOUR) / MINUTE;

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ["Date"], now: NOON });
  for (const method of ["log", "error"] as const) vi.spyOn(console, method).mockReturnValue();
  await makeWorld().reset();
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

// Nothing is archived here: what is not removed is in D1.
const worldOf = (days: number, confirm = "") => makeWorld({ AUDIT_RETENTION_DAYS: String(days), AUDIT_RETENTION_CONFIRM: confirm, AUDIT_HOT_DAYS: "36500" });
const left = (org: string) => env.DB.prepare("SELECT COUNT(*) AS n FROM audit_events WHERE org = ? AND action = 'secret.update'").bind(org).first<number>("n");
const statement = (name: string) => env.DB.prepare("SELECT jws FROM audit_statements WHERE name = ?").bind(name).first<string>("jws");

/** Two events that are 20 days old and one of now, sealed; and runs each six hours until a day is over. */
async function settledLog(days: number): Promise<void> {
  const world = worldOf(days);
  await append("acme", 2, { at: NOON - 20 * DAY });
  await world.run(0);
  await append("acme", 1, { at: NOON });
  for (let hours = 6; hours <= 24; hours += 6) await world.run(minutes(hours));
  await world.run(minutes(24) + 1);
}

describe("retention", () => {
  it("removes nothing in the first day of runs, and then whatever is due", async () => {
    const world = worldOf(10);
    await append("acme", 1_200, { at: NOON - 20 * DAY });
    await world.run(0);
    await append("acme", 1, { at: NOON });
    await world.run(1);
    for (let hours = 6; hours < 24; hours += 6) await world.run(minutes(hours));
    expect(await left("acme")).toBe(1_201);
    await world.run(DAY_IN_MINUTES);
    expect(await left("acme"), "however much it is").toBe(1);
  });

  it("that is made shorter is noted, and is in force a day later", async () => {
    await settledLog(30);
    expect(await left("acme")).toBe(3);
    const shorter = worldOf(10);
    const from = minutes(25);
    await shorter.run(from);
    expect(await shorter.integrity()).toMatchObject({ shorter_retention: { days: 10, from: new Date(NOON + 49 * HOUR).toISOString() } });
    for (const hours of [6, 12, 18, 23]) await shorter.run(from + minutes(hours));
    expect(await left("acme")).toBe(3);
    const { events } = (await shorter.call("GET /v1/audit?action=audit.retention", { token: { org: "platform" } })).body;
    expect(events.map(({ target, actor }: { target: string; actor: string }) => [actor, target])).toEqual([["keyhole:scheduled", "shorter:30:10"]]);
    await shorter.run(from + minutes(24));
    expect(await left("acme")).toBe(1);
    expect(await shorter.integrity()).toMatchObject({ shorter_retention: null });
  });

  it("that is made shorter and confirmed is in force at once", async () => {
    await settledLog(30);
    await worldOf(10, "11").run(minutes(25));
    expect(await left("acme"), "another number confirms nothing").toBe(3);
    await worldOf(10, "10").run(minutes(25) + 1);
    expect(await left("acme")).toBe(1);
  });

  it("that is made shorter and longer again has removed nothing, and waits anew the next time", async () => {
    await settledLog(30);
    await worldOf(10).run(minutes(25));
    await worldOf(30).run(minutes(40));
    for (const hours of [50, 60, 70]) await worldOf(10).run(minutes(hours));
    expect(await left("acme")).toBe(3);
    await worldOf(10).run(minutes(75));
    expect(await left("acme")).toBe(1);
  });

  it("waits for a day again after a day without runs, also when it was confirmed", async () => {
    const world = worldOf(10, "10");
    await settledLog(30);
    await worldOf(30).run(minutes(30));
    await world.run(minutes(30 + 25));
    for (const hours of [56, 62, 70, 78]) await world.run(minutes(hours));
    expect(await left("acme")).toBe(3);
    await world.run(minutes(55 + 24));
    expect(await left("acme")).toBe(1);
  });

  it.each([
    ["erased", () => sql("DELETE FROM audit_statements WHERE name = 'run'")],
    ["bent", () => sql("UPDATE audit_statements SET jws = jws || 'x' WHERE name = 'run'")],
    ["another statement's", async () => sql("UPDATE audit_statements SET jws = ? WHERE name = 'run'", await statement("registry"))],
  ])("removes nothing for a day when what was noted of it is %s", async (_, bend) => {
    await settledLog(30);
    await bend();
    for (const hours of [25, 31, 37, 48]) await worldOf(10).run(minutes(hours));
    expect(await left("acme")).toBe(3);
  });

  it("removes nothing for a day when an older note is put back, by which it was shorter", async () => {
    await settledLog(10);
    expect(await left("acme")).toBe(1);
    const shorter = await statement("run");
    await append("acme", 1, { at: NOON - 12 * DAY });
    await worldOf(30).run(minutes(26));
    for (const hours of [40, 51]) await worldOf(30).run(minutes(hours));
    await append("acme", 1, { at: NOON });
    await worldOf(30).run(minutes(51) + 1);
    await sql("UPDATE audit_statements SET jws = ? WHERE name = 'run'", shorter);
    for (const hours of [52, 58, 70]) await worldOf(10).run(minutes(hours));
    expect(await left("acme")).toBe(3);
  });
});
