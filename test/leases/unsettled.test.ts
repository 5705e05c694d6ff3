import { env } from "cloudflare:workers";
import { afterEach, expect, it, vi } from "vitest";
import { runScheduled } from "../../src/worker/scheduled.ts";
import { call, put } from "../support/call.ts";
import { sign } from "../support/sign.ts";
import { STILL } from "../support/still.ts";
import { openPlace } from "./place.ts";

const START = Date.parse("2026-11-26T12:00:00.000Z");
const DAY = 86_400_000;
afterEach(() => {
  vi.useRealTimers();
});

it("/readyz counts for a day the leases whose last count was lost", async () => {
  vi.useFakeTimers({ toFake: ["Date", "setTimeout", "clearTimeout"], now: START });
  const token = await sign({ org: "lost", exp: START / 1000 + 200_000 });
  await put("namespace:prod", "KEY", "value", { token });
  const lost = async () => (await call("GET /readyz", { token })).body.backlog.leases_unsettled;
  const [here, there] = [openPlace(), openPlace()];
  await here.resolve("KEY", 60, { token });
  // Nothing of what it left behind ever runs.
  vi.clearAllTimers();
  await there.resolve("KEY", 60, { token });
  await vi.advanceTimersByTimeAsync(180_000);
  await there.settle();
  await runScheduled(env as never, new Date(), STILL);
  expect(await lost()).toBe(1);
  const { body } = await call("GET /v1/audit", { token });
  expect(body.events.filter(({ lease }: { lease?: object }) => lease).map(({ issuer }: { issuer: string }) => issuer)).toEqual(
    expect.arrayContaining(["keyhole", "keyhole", "keyhole"]),
  );
  for (let hour = 1; hour <= 23; hour += 11) {
    vi.setSystemTime(START + 180_000 + hour * 3_600_000);
    await runScheduled(env as never, new Date(), STILL);
    expect(await lost()).toBe(1);
  }
  vi.setSystemTime(START + 180_000 + DAY);
  await runScheduled(env as never, new Date(), STILL);
  expect(await lost()).toBe(0);
});
