import { afterEach, expect, it, vi } from "vitest";
import { put } from "../support/call.ts";
import { sign } from "../support/sign.ts";
import { openPlace } from "./place.ts";

const START = Date.parse("2026-11-26T12:00:00.000Z");
afterEach(() => {
  vi.useRealTimers();
});

it("ten revocations a second and what is built in that changes leave nineteen of twenty answers to be given again", async () => {
  vi.useFakeTimers({ toFake: ["Date", "setTimeout", "clearTimeout"], now: START });
  const [here, there] = [openPlace(), openPlace()];
  const [token, platform] = [await sign({ org: "busy" }), await sign({ org: "platform" })];
  await put("namespace:prod", "KEY", "value", { token });
  const gateways = await Promise.all(Array.from({ length: 5 }, (_, n) => sign({ org: "busy", sub: `gateway ${n}`, scope: "secrets:resolve" })));
  let [hits, asked] = [0, 0];
  for (let second = 0; second < 12; second += 1) {
    for (let n = 0; n < 10; n += 1) {
      const minted = await there.call("POST /v1/tokens", { token, json: { label: "ci", permissions: ["secrets:resolve"], expires_in: 60 } });
      expect((await there.call(`DELETE /v1/tokens/${minted.body.id}`, { token })).status).toBe(204);
      await vi.advanceTimersByTimeAsync(100);
      for (const gateway of gateways) {
        const before = here.asked.d1;
        expect((await here.resolve("KEY", 60, { token: gateway })).body.value).toBe("value");
        asked += 1;
        hits += here.asked.d1 === before ? 1 : 0;
      }
    }
    if (second % 6 === 3) await put("global", "BUILTIN_ROTATED", `${second}`, { token: platform });
  }
  expect(hits / asked).toBeGreaterThanOrEqual(0.95);
});
