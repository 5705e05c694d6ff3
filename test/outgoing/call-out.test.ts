import { afterEach, describe, expect, inject, it, vi } from "vitest";
import { prepareScrubber } from "../../src/scrub/create-scrubber.ts";
import { scrubStream } from "../../src/scrub/scrub-stream.ts";
import { callOut } from "../../src/worker/outgoing/call-out.ts";
import type { OutgoingCall } from "../../src/worker/outgoing/fetch-outward.ts";
import { hasHopped } from "../../src/worker/outgoing/hop.ts";
import type { OutgoingRules } from "../../src/worker/outgoing/require-public-origin.ts";
import { publish } from "../support/issuer.ts";

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

const rules: OutgoingRules = { insecureOrigins: false, ownHosts: new Set(["keyhole.example.org", "stripe.example.org"]) };
const local: OutgoingRules = { ...rules, insecureOrigins: true };

function call(address: string, more: Partial<Extract<OutgoingCall, { readonly firstByte: number }>> = {}): OutgoingCall {
  return { url: new URL(address), method: "GET", headers: new Headers(), body: null, firstByte: 5_000, whole: 5_000, ...more };
}

async function refusalOf(rules: OutgoingRules, outgoing: OutgoingCall): Promise<string> {
  const spy = vi.spyOn(globalThis, "fetch").mockRejectedValue(new TypeError("Invalid header value: sk-live-0123456789"));
  const error = await callOut(rules, outgoing).catch((error: unknown) => error);
  if (spy.mock.calls.length > 0 && rules === local) return "called";
  expect(spy).not.toHaveBeenCalled();
  return (error as { refusal: string }).refusal;
}

describe("a call outward is refused", () => {
  it.each([
    ["http://api.openai.com/"],
    ["https://api.openai.com:8443/"],
    ["https://api.openai.com:8200/"],
    ["https://user@api.openai.com/"],
    ["https://:password@api.openai.com/"],
    ["https://api.openai.com./"],
    ["https://127.1/"],
    ["https://①②⑦.0.0.1/"],
    ["https://[::ffff:169.254.169.254]/"],
    ["https://localhost/"],
    ["https://metadata.google.internal/"],
    ["https://vault/"],
    ["wss://api.openai.com/"],
    ["ftp://api.openai.com/"],
    ["data:,x"],
  ])("at %s", async (address) => {
    expect(await refusalOf(rules, call(address))).toBe("not-public");
  });

  it.each(["https://keyhole.example.org/v1/resolve", "https://stripe.example.org/"])(
    "at the deployment's own %s, also where insecure origins are allowed",
    async (address) => {
      expect(await refusalOf(rules, call(address))).toBe("own-address");
      expect(await refusalOf(local, call(address))).toBe("own-address");
    },
  );

  it.each(["http://10.0.0.1/", "http://169.254.169.254/", "http://vault:8200/", "https://user@localhost/", "ftp://localhost/"])(
    "at %s even where insecure origins are allowed",
    async (address) => {
      expect(await refusalOf(local, call(address))).toBe("not-public");
    },
  );

  it("where the runtime does not say that calls stay on the public network", async () => {
    vi.stubGlobal("Cloudflare", { compatibilityFlags: {} });
    expect(await refusalOf(rules, call("https://api.openai.com/"))).toBe("flag-missing");
  });
});

describe("a call outward", () => {
  it("may go to port 8200 for who says so", async () => {
    const spy = vi.spyOn(globalThis, "fetch").mockResolvedValue(new Response("x"));
    await callOut({ ...rules, ports: [8200] }, call("https://vault.example.org:8200/v1/sys/health"));
    expect(spy).toHaveBeenCalledTimes(1);
  });

  it("is made without a cache, follows no redirect, is marked, and has no header that a Worker cannot keep", async () => {
    const spy = vi.spyOn(globalThis, "fetch").mockResolvedValue(new Response("x"));
    const headers = new Headers({ Expect: "100-continue", TE: "trailers", Via: "1.1 x", Trailer: "x", "X-Y": "z" });
    await callOut(rules, call("https://api.openai.com/v1/models?x=1", { headers }));
    const [url, options] = spy.mock.calls[0] ?? [];
    expect([String(url), options?.cache, options?.redirect]).toEqual(["https://api.openai.com/v1/models?x=1", "no-store", "manual"]);
    expect(Object.fromEntries(new Headers(options?.headers))).toEqual({ "keyhole-hop": "1", "x-y": "z" });
    expect([hasHopped(headers), hasHopped(new Headers())]).toEqual([true, false]);
  });

  it("says nothing of what the platform says", async () => {
    vi.spyOn(globalThis, "fetch").mockRejectedValue(new TypeError("Invalid header value: sk-live-0123456789"));
    const error = await callOut(rules, call("https://api.openai.com/")).catch((error: unknown) => error);
    expect(error).toMatchObject({ refusal: "unreachable" });
    expect(error).not.toHaveProperty("cause");
    expect(`${error} ${(error as Error).stack}`).not.toContain("sk-live");
  });

  it("gives a redirect on as it is", async () => {
    const address = `${inject("issuer")}/${crypto.randomUUID()}`;
    await publish(address, { status: 302, headers: { Location: "https://example.org/" }, body: "there" });
    const reply = await callOut(local, call(address));
    expect([reply.status, reply.headers.get("Location"), await reply.text()]).toEqual([302, "https://example.org/", "there"]);
  });

  it("ends when the first byte takes too long, when the time is over and when the caller leaves", async () => {
    const address = `${inject("issuer")}/${crypto.randomUUID()}`;
    await publish(address, { delay: 20_000 });
    const leave = new AbortController();
    const calls = [call(address, { firstByte: 30 }), call(address, { whole: 30 }), call(address, { leave: leave.signal })];
    const refusals = calls.map((outgoing) => callOut(local, outgoing).then(String, (error: { refusal: string }) => error.refusal));
    leave.abort();
    expect(await Promise.all(refusals)).toEqual(["too-slow", "ended", "ended"]);
  });
});

it("what comes back can be scrubbed as it streams, in the Worker's runtime too", async () => {
  const value = "sk-live-0123456789";
  const address = `${inject("issuer")}/${crypto.randomUUID()}`;
  await publish(address, { body: JSON.stringify({ key: value, in_url: encodeURIComponent(`?${value}`), encoded: btoa(`${value}x`), other: "sk-live" }) });
  const reply = await callOut(local, call(address));
  const stars = (count: number) => "*".repeat(count);
  const shown = await new Response(reply.body?.pipeThrough(scrubStream(prepareScrubber([value])))).text();
  expect(shown).toBe(JSON.stringify({ key: stars(18), in_url: `%3F${stars(18)}`, encoded: `${stars(24)}eA==`, other: "sk-live" }));
});
