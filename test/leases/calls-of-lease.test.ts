import { expect, it } from "vitest";
import { callsOfLease, countRequest, countStatus, nameOfRequest, noteOfCalls } from "../../src/worker/leases/calls-of-lease.ts";

it.each([
  ["/v1/chat/completions", "/v1/chat/completions"],
  ["/repos/acme/api/issues/17", "/repos/acme/api/issues/*"],
  ["/v1/customers/cus_NffrFeUfNV2Hib1234567/sources", "/v1/customers/*/sources"],
  ["/items/0b1c2d3e-4f50-6172-8394-a5b6c7d8e9f0", "/items/*"],
  ["/commits/9fceb02d0ae598e95dc970b74767f19372d61af8", "/commits/*"],
  ["/v1/models/gpt-4o-mini", "/v1/models/gpt-4o-mini"],
  ["/a-long-name-without-any-digit/x", "/a-long-name-without-any-digit/x"],
  ["/", "/"],
])("of %s the path that is counted is %s", (path, counted) => {
  expect(nameOfRequest("GET", path)).toBe(`GET ${counted}`);
});

it("a lease tells at most twenty requests from each other, in 600 characters, and counts the others", () => {
  const short = callsOfLease();
  for (let n = 0; n < 25; n++) countRequest(short, "GET", `/a/x${String.fromCharCode(97 + n)}`);
  countRequest(short, "GET", "/a/xa");
  expect([short.requests.size, short.others, short.requests.get("GET /a/xa")]).toEqual([20, 5, 2]);
  const long = callsOfLease();
  for (let n = 0; n < 25; n++) countRequest(long, "GET", `/${String.fromCharCode(97 + n).repeat(15)}/${"x.".repeat(300)}`);
  expect([...long.requests.keys()].join("").length).toBeLessThanOrEqual(600);
  expect([...long.requests.keys()].every((name) => name.length <= 120)).toBe(true);
  expect([...long.requests.values()].reduce((sum, count) => sum + count, 0) + long.others).toBe(25);
});

it("what is counted is said by an event whose length has a limit, whatever was asked", () => {
  const calls = callsOfLease();
  for (let n = 0; n < 10_000; n++) {
    countRequest(calls, "PROPFIND", `/${"%E2".repeat(n % 50)}/${n % 7}`);
    countStatus(calls, 100 + (n % 500));
  }
  expect(new TextEncoder().encode(JSON.stringify(noteOfCalls(calls))).length).toBeLessThan(1_700);
});
