import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { leaseStore } from "../../src/worker/leases/lease-store.ts";

interface Kept {
  readonly key: string;
  readonly org: string;
  readonly holder: string;
  readonly size: number;
}

const MIB = 2 ** 20;

describe("what an isolate keeps", () => {
  it("leaves another organization its answers, however many one has", () => {
    const store = leaseStore<Kept>(() => undefined);
    const quiet = Array.from({ length: 50 }, (_, n) => ({ key: `quiet ${n}`, org: "quiet", holder: "gateway", size: 3_000 }));
    for (const lease of quiet) store.add(lease);
    let [hits, asked] = [0, 0];
    for (let n = 0; n < 100_000; n += 1) {
      store.add({ key: `loud ${n}`, org: "loud", holder: `tok_${n % 1_000}`, size: 3_000 });
      const lease = quiet[n % quiet.length];
      if (n % 10 !== 0 || !lease) continue;
      asked += 1;
      const found = store.get(lease.key);
      if (found) store.touch(found);
      hits += found ? 1 : 0;
    }
    expect(hits / asked).toBeGreaterThanOrEqual(0.99);
    expect(store.bytes).toBeLessThanOrEqual(16 * MIB);
    expect(store.of("loud").length).toBeLessThanOrEqual(1_250);
  });

  it("never is more than the isolate, an organization or a token may have, and is counted right", () => {
    const lease = fc.record({
      key: fc.integer({ min: 0, max: 400 }).map(String),
      org: fc.constantFrom("a", "b", "c"),
      holder: fc.constantFrom("x", "y"),
      size: fc.integer({ min: 1, max: 300_000 }),
    });
    const step = fc.oneof(
      fc.record({ does: fc.constant("add" as const), lease }),
      fc.record({ does: fc.constantFrom("remove" as const, "touch" as const), key: fc.integer({ min: 0, max: 400 }).map(String) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 600 }), (steps) => {
        const gone = new Set<Kept>();
        const store = leaseStore<Kept>((each) => {
          expect(gone.has(each)).toBe(false);
          gone.add(each);
        });
        let added = 0;
        for (const each of steps) {
          if (each.does === "add") store.add({ ...each.lease });
          if (each.does === "add") added += 1;
          const there = each.does === "add" ? undefined : store.get(each.key);
          if (there && each.does === "remove") store.remove(there);
          if (there && each.does === "touch") store.touch(there);
        }
        const all = store.all();
        expect(store.count).toBe(all.length);
        expect(gone.size + store.count).toBe(added);
        expect(store.bytes).toBe(all.reduce((total, { size }) => total + size, 0));
        for (const org of ["a", "b", "c"]) {
          const own = store.of(org);
          expect(own).toEqual(expect.arrayContaining(all.filter((each) => each.org === org)));
          expect(own.reduce((total, { size }) => total + size, 0)).toBeLessThanOrEqual(2 * MIB);
          for (const holder of ["x", "y"]) expect(own.filter((each) => each.holder === holder).length).toBeLessThanOrEqual(256);
        }
        expect([...store.orgs()].sort()).toEqual([...new Set(all.map(({ org }) => org))].sort());
      }),
      { numRuns: 60 },
    );
  });

  it("loses the one that was not used for longest", () => {
    const store = leaseStore<Kept>(() => undefined);
    for (let n = 0; n < 256; n += 1) store.add({ key: `${n}`, org: "a", holder: "x", size: 1 });
    const first = store.get("0");
    if (first) store.touch(first);
    store.add({ key: "256", org: "a", holder: "x", size: 1 });
    expect([store.get("0") !== undefined, store.get("1") !== undefined]).toEqual([true, false]);
  });
});
