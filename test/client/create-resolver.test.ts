import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { createResolver, type Keeping, type ResolverBinding, type RpcResolveReply } from "../../src/client/create-resolver.ts";

beforeEach(() => void vi.useFakeTimers({ now: 0 }));
afterEach(() => void vi.useRealTimers());

const pass = (seconds: number) => vi.advanceTimersByTimeAsync(seconds * 1000);
const request = { scopes: ["namespace:prod"], names: ["A"] };

function resolved(value: string): RpcResolveReply {
  const A = { value, encoding: "utf8" as const, scope: "global", id: "sec_1", version: 1 };
  return { ok: true, secrets: { A }, missing: [], searched: ["global"], lease: { id: "lse_1", until: "1970-01-01T00:01:00.000Z", expires_in: 60 } };
}

function refused(code: "forbidden" | "storage-unavailable" | "rate-limited" | "internal", status: number): RpcResolveReply {
  return { ok: false, problem: { type: `urn:keyhole:problem:${code}`, title: code, status, code, detail: "No.", request_id: "req_1" } };
}

/** A resolver over a binding that answers as `answers.next` says, and what that was asked. */
function resolverOf(keeping?: Keeping) {
  const answers = { next: async () => resolved("one") };
  const asked: unknown[][] = [];
  const binding: ResolverBinding = {
    resolve: (...args) => {
      asked.push(args);
      return answers.next();
    },
  };
  return { resolver: createResolver(binding, keeping), answers, asked };
}

/** The value of A, or the problem's code. */
async function readA({ resolver }: ReturnType<typeof resolverOf>, keeping?: Keeping) {
  const reply = await resolver.resolve(request, keeping);
  return reply.ok ? reply.secrets.A?.value : reply.problem.code;
}

it("asks for a lease, once for all, and gives the answer again while that runs", async () => {
  const place = resolverOf({ maxAge: 60 });
  expect(await Promise.all(Array.from({ length: 50 }, () => readA(place)))).toEqual(Array(50).fill("one"));
  place.answers.next = async () => resolved("two");
  await pass(59);
  expect(await place.resolver.resolve(request)).toMatchObject({ ok: true, lease: { expires_in: 1 } });
  expect(place.asked).toEqual([[request, { maxAge: 60 }]]);
  await pass(1);
  expect(await readA(place)).toBe("two");
  place.answers.next = async () => resolved("three");
  place.resolver.refresh();
  expect(await readA(place)).toBe("three");
});

it("asks for a fresh answer where it is told 0, whatever the binding's props say", async () => {
  const place = resolverOf({ maxAge: 0 });
  const other = resolverOf();
  await readA(place);
  await readA(other, { maxAge: 0 });
  for (const { asked } of [place, other]) expect(asked).toEqual([[request, { maxAge: 0 }]]);
});

it("is as strict as the binding unless it is told", async () => {
  const place = resolverOf();
  await readA(place);
  await readA(place);
  expect(place.asked).toEqual([[request], [request]]);
  expect(() => resolverOf({ maxAge: 0.5 })).toThrow(TypeError);
  await expect(place.resolver.resolve(request, { staleIfError: -1 })).rejects.toThrow(TypeError);
});

it("gives refusals as data, and does not keep them", async () => {
  const place = resolverOf({ maxAge: 60, staleIfError: 600 });
  await readA(place);
  await pass(60);
  place.answers.next = async () => refused("forbidden", 403);
  expect([await readA(place), await readA(place)]).toEqual(["forbidden", "forbidden"]);
  place.answers.next = async () => refused("storage-unavailable", 503);
  expect(await readA(place)).toBe("storage-unavailable");
  expect(place.asked).toHaveLength(4);
});

it.each<[string, () => Promise<RpcResolveReply>]>([
  ["is unavailable", async () => refused("storage-unavailable", 503)],
  ["limits the rate", async () => refused("rate-limited", 429)],
  ["cannot be reached", () => Promise.reject(new Error("Network connection lost."))],
  ["says nothing", () => new Promise(() => undefined)],
])("gives an older answer, where it may, while Keyhole %s", async (_, unanswered) => {
  const place = resolverOf({ maxAge: 60, staleIfError: 30 });
  await readA(place);
  await pass(60);
  place.answers.next = unanswered;
  const call = readA(place);
  await pass(1);
  expect(await call).toBe("one");
  await pass(29);
  place.answers.next = async () => resolved("two");
  expect(await readA(place)).toBe("two");
});

it("throws what the binding throws where no older answer may be given", async () => {
  const place = resolverOf({ maxAge: 60 });
  place.answers.next = () => Promise.reject(new Error("Network connection lost."));
  await expect(readA(place)).rejects.toThrow("Network connection lost.");
  place.answers.next = async () => refused("internal", 500);
  expect(await readA(place, { staleIfError: 600 })).toBe("internal");
});

it("waits a second for a request that was given up with the one it was made for, and then asks by itself", async () => {
  const place = resolverOf({ maxAge: 60 });
  place.answers.next = () => new Promise(() => undefined);
  void readA(place);
  const calls = [readA(place), readA(place)];
  await pass(0.9);
  expect(place.asked).toHaveLength(1);
  place.answers.next = async () => resolved("one");
  await pass(0.1);
  expect([await Promise.all(calls), place.asked.length]).toEqual([["one", "one"], 2]);
});
