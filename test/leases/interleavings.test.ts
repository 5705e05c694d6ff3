import { env } from "cloudflare:workers";
import fc from "fast-check";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { runScheduled } from "../../src/worker/scheduled.ts";
import { put } from "../support/call.ts";
import { sign } from "../support/sign.ts";
import { STILL } from "../support/still.ts";
import { openPlace } from "./place.ts";

const START = Date.parse("2026-11-26T12:00:00.000Z");
const STALE = 5_000;
let now = START;
let run = 0;

beforeAll(() => {
  vi.useFakeTimers({ toFake: ["Date", "setTimeout", "clearTimeout"], now: START });
});
afterAll(() => {
  vi.useRealTimers();
});

const NAMES = ["A", "B"] as const;
const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      does: fc.constant("resolve" as const),
      place: fc.nat(1),
      name: fc.constantFrom(...NAMES),
      address: fc.nat(1),
      maxAge: fc.constantFrom(0, 3, 20, 60),
    }),
  },
  { weight: 2, arbitrary: fc.record({ does: fc.constant("set" as const), place: fc.nat(2), name: fc.constantFrom(...NAMES) }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constant("delete" as const), place: fc.nat(2), name: fc.constantFrom(...NAMES) }) },
  { weight: 3, arbitrary: fc.record({ does: fc.constant("pass" as const), milliseconds: fc.constantFrom(100, 900, 2_600, 5_000, 21_000) }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constant("run" as const) }) },
);

interface Given {
  readonly at: number;
  readonly name: string;
  readonly id: string;
  readonly version: number;
  readonly address: string;
  readonly lease: string | undefined;
  readonly request: string | null;
}

interface EventRow {
  readonly action: string;
  readonly at: number;
  readonly ip: string | null;
  readonly request_id: string;
  readonly secrets: string;
  readonly lease: string | null;
}

it("nothing is given that no event before it covers, nothing that changed more than STALE_SECONDS ago, and every use is counted", {
  timeout: 120_000,
}, async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 12, maxLength: 40 }), async (steps) => {
      run += 1;
      const org = `interleaved${run}`;
      const token = await sign({ org, exp: now / 1000 + 86_400 });
      // Where what changes happens elsewhere, there is a third place.
      const places = [openPlace(), openPlace(), openPlace()] as const;
      const given: Given[] = [];
      /** What each name's versions are, and until when each was the current one. */
      const history = new Map<string, { id: string; version: number; until: number }[]>();
      const current = new Map<string, { id: string; version: number }>();
      const ended = (name: string): void => {
        const before = current.get(name);
        if (before) history.set(name, [...(history.get(name) ?? []), { ...before, until: now }]);
        current.delete(name);
      };
      for (const each of steps) {
        if (each.does === "pass") {
          await vi.advanceTimersByTimeAsync(each.milliseconds);
          now += each.milliseconds;
        } else if (each.does === "run") {
          await runScheduled(env as never, new Date(now), STILL);
        } else if (each.does === "set") {
          const { body } = await places[each.place as 0].call(`PUT /v1/scopes/namespace%3Aprod/secrets/${each.name}`, {
            token,
            json: { value: `${each.name} ${now} ${Math.random()}` },
          });
          ended(each.name);
          current.set(each.name, { id: body.id, version: body.version });
        } else if (each.does === "delete") {
          const { status } = await places[each.place as 0].call(`DELETE /v1/scopes/namespace%3Aprod/secrets/${each.name}`, { token });
          if (status === 204) ended(each.name);
        } else {
          const address = `192.0.2.${each.address}`;
          const { status, body, headers } = await places[each.place as 0].resolve(each.name, each.maxAge, { token, headers: { "CF-Connecting-IP": address } });
          expect([200, 404]).toContain(status);
          if (status !== 200) continue;
          given.push({ at: now, name: each.name, id: body.id, version: body.version, address, lease: body.lease?.id, request: headers.get("X-Request-Id") });
          const is = current.get(each.name);
          const isCurrent = is?.id === body.id && is?.version === body.version;
          const was = history.get(each.name)?.find(({ id, version }) => id === body.id && version === body.version);
          // A strict answer is the current one; a repeat may be as old as what is known of changes.
          if (each.maxAge === 0) expect(isCurrent).toBe(true);
          else expect(isCurrent || (was !== undefined && now - was.until <= STALE)).toBe(true);
        }
      }
      await vi.advanceTimersByTimeAsync(30_000);
      now += 30_000;
      for (const place of places) await place.settle();

      const { results } = await env.DB.prepare("SELECT action, at, ip, request_id, secrets, lease FROM audit_events WHERE org = ? ORDER BY seq")
        .bind(org)
        .all<EventRow>();
      const opened = new Map(
        results.flatMap((event) =>
          event.action === "secret.resolve" && event.lease ? [[(JSON.parse(event.lease) as { id: string }).id, event] as const] : [],
        ),
      );
      for (const { at, id, version, address, lease } of given.filter((each) => each.lease !== undefined)) {
        const event = opened.get(lease ?? "");
        expect(event).toBeDefined();
        expect(event?.ip).toBe(address);
        expect(JSON.parse(event?.secrets ?? "[]")).toMatchObject([{ id, version }]);
        expect(event?.at).toBeLessThanOrEqual(at);
        expect((JSON.parse(event?.lease ?? "{}") as { until: number }).until).toBeGreaterThan(at);
      }
      const finals = results.flatMap(({ action, lease }) => {
        const note = lease === null ? undefined : (JSON.parse(lease) as { id: string; uses: number; final: boolean });
        return action === "secret.resolve.uses" && note?.final ? [note] : [];
      });
      expect(new Set(finals.map(({ id }) => id)).size).toBe(finals.length);
      expect(finals.map(({ id }) => id).sort()).toEqual([...opened.keys()].sort());
      const openers = new Set(results.map(({ request_id }) => request_id));
      const repeats = given.filter(({ lease, request }) => lease !== undefined && !openers.has(request ?? ""));
      expect(finals.reduce((total, { uses }) => total + uses, 0)).toBe(repeats.length);
      expect(results.filter(({ action }) => action === "lease.unsettled")).toEqual([]);
      const open = await env.DB.prepare("SELECT COUNT(*) AS n FROM open_leases WHERE org = ?").bind(org).first<number>("n");
      expect(open).toBe(0);
      await put("namespace:prod", "END", "x", { token });
    }),
    { numRuns: 12 },
  );
});
