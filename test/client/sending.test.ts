import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createClient, exchangeToken } from "../../src/client/create-client.ts";

type Reply = Response | Error;

const problem = (status: number, code: string, headers: Record<string, string> = {}) =>
  new Response(JSON.stringify({ type: `urn:keyhole:problem:${code}`, title: code, status, code, detail: "No.", request_id: "req_1" }), {
    status,
    headers: { "Content-Type": "application/problem+json", ...headers },
  });
const BUSY = () => problem(503, "storage-unavailable", { "Retry-After": "2" });
const LOST = () => new TypeError("connection lost");
const WHO = { org: "acme", sub: "ada", token_id: null, permissions: [], secret_scopes: null, secret_names: null, expires_at: null, lease_seconds: 0 };

/** A client whose requests are answered in turn, and what it sent. */
function clientOf(replies: readonly Reply[], token: Parameters<typeof createClient>[0]["token"] = "token") {
  const left = [...replies];
  const sent: { url: string; method: string | undefined; token: string | null; at: number }[] = [];
  const fetch = async (url: string | URL | Request, init: RequestInit = {}) => {
    sent.push({ url: String(url), method: init.method, token: new Headers(init.headers).get("Authorization"), at: Date.now() });
    const reply = left.shift() ?? new Promise<never>((_, reject) => init.signal?.addEventListener("abort", () => reject(init.signal?.reason)));
    if (reply instanceof Error) throw reply;
    return reply;
  };
  return { client: createClient({ baseUrl: "https://keyhole.test", token, fetch: fetch as typeof globalThis.fetch }), sent };
}

/** What a call comes to while the clock runs by itself. */
async function settle(call: Promise<unknown>): Promise<unknown> {
  const settled = call.then(
    () => "done",
    (error: { code?: string; name: string }) => error.code ?? error.name,
  );
  await vi.runAllTimersAsync();
  return settled;
}

beforeEach(() => void vi.useFakeTimers({ now: 0 }));
afterEach(() => void vi.useRealTimers());

describe("what is safe to send again", () => {
  const json = (body: unknown) => Response.json(body);
  const resolved = { secrets: {}, missing: [], searched: [] };

  it.each([
    ["a read", (c: ReturnType<typeof clientOf>["client"]) => c.whoami(), WHO],
    ["a resolve", (c: ReturnType<typeof clientOf>["client"]) => c.resolve(), resolved],
    ["a PUT", (c: ReturnType<typeof clientOf>["client"]) => c.scopes.put("repo:a", "global"), { scope: "repo:a", parent: "global", secrets: 0 }],
  ])("is %s, after 503, 429 and a lost connection", async (_, call, body) => {
    const { client, sent } = clientOf([BUSY(), problem(429, "rate-limited"), LOST(), json(body)]);
    expect(await settle(call(client))).toBe("done");
    expect(sent).toHaveLength(4);
    // As long as the service asks for.
    expect((sent[1]?.at ?? 0) - (sent[0]?.at ?? 0)).toBe(2000);
  });

  it.each([502, 504, 522])("is a read after %i of what stands before the service", async (status) => {
    expect(await settle(clientOf([new Response("<html>", { status }), json(WHO)]).client.whoami())).toBe("done");
  });

  it("ends after three more attempts, and does not wait for what would be too long", async () => {
    const busy = clientOf([BUSY(), BUSY(), BUSY(), BUSY(), BUSY()]);
    expect([await settle(busy.client.whoami()), busy.sent.length]).toEqual(["storage-unavailable", 4]);
    const later = clientOf([problem(503, "storage-unavailable", { "Retry-After": "3600" })]);
    expect([await settle(later.client.whoami()), later.sent.length]).toEqual(["storage-unavailable", 1]);
  });

  it.each([
    ["creating a secret", (c: ReturnType<typeof clientOf>["client"]) => c.secrets.create("global", "A", "x")],
    ["minting a token", (c: ReturnType<typeof clientOf>["client"]) => c.tokens.create({ label: "x", permissions: ["secrets:read"], expires_in: 60 })],
    ["a patch", (c: ReturnType<typeof clientOf>["client"]) => c.secrets.patch("sec_1", { description: null })],
    ["a rollback", (c: ReturnType<typeof clientOf>["client"]) => c.secrets.rollback("sec_1", 1)],
    ["an import", (c: ReturnType<typeof clientOf>["client"]) => c.secrets.import("global", {})],
    ["a write on a condition", (c: ReturnType<typeof clientOf>["client"]) => c.secrets.set("global", "A", "x", {}, { ifMatch: '"1"' })],
  ])("is not %s", async (_, call) => {
    for (const reply of [BUSY, LOST]) {
      const { client, sent } = clientOf([reply()]);
      expect(await settle(call(client))).not.toBe("done");
      expect(sent).toHaveLength(1);
    }
  });

  it.each([
    [
      "an import",
      (c: ReturnType<typeof clientOf>["client"]) => c.secrets.import("global", { A: "x" }),
      () => json({ created: ["A"], updated: [], unchanged: [] }),
    ],
    [
      "a delete on a condition",
      (c: ReturnType<typeof clientOf>["client"]) => c.secrets.deleteById("sec_1", { ifMatch: '"1"' }),
      () => new Response(null, { status: 204 }),
    ],
  ])("is %s of which the service says that nothing has happened, after a pause of the client's own", async (_, call, done) => {
    const { client, sent } = clientOf([problem(409, "write-conflict"), done()]);
    expect([await settle(call(client)), sent.length]).toEqual(["done", 2]);
    expect(sent[1]?.at).toBeGreaterThanOrEqual(100);
  });

  it("is no write on an empty condition: it is not even sent", async () => {
    for (const options of [{ ifMatch: "" }, { ifNoneMatch: " " }]) {
      const { client, sent } = clientOf([]);
      const calls = [
        client.secrets.set("global", "A", "x", {}, options),
        client.secrets.patch("sec_1", {}, options),
        client.secrets.delete("global", "A", options),
        client.secrets.rollback("sec_1", 1, options),
        client.secrets.destroyVersion("sec_1", 1, options),
      ];
      for (const call of calls) await expect(call).rejects.toThrow(TypeError);
      expect(sent).toEqual([]);
    }
  });

  it("is a delete, which is done when the second one finds nothing", async () => {
    const { client } = clientOf([LOST(), problem(404, "secret-not-found")]);
    expect(await settle(client.secrets.delete("global", "A"))).toBe("done");
    expect(await settle(clientOf([problem(404, "secret-not-found")]).client.secrets.delete("global", "A"))).toBe("secret-not-found");
  });

  it("is a delete that is done only if the first one may have been carried out, and until when is then not known", async () => {
    const refused = new TypeError("fetch failed", { cause: Object.assign(new Error("refused"), { code: "ECONNREFUSED" }) });
    const nothing = () => problem(404, "token-not-found");
    for (const first of [problem(429, "rate-limited"), problem(409, "write-conflict"), refused])
      expect(await settle(clientOf([first, nothing()]).client.tokens.revoke("tok_nosuch"))).toBe("token-not-found");
    for (const first of [LOST(), BUSY(), new Response("<html>", { status: 522 })])
      expect(await settle(clientOf([first, nothing()]).client.tokens.revoke("tok_1"))).toBe("done");
    const deleted = async (...replies: Reply[]) => {
      const call = clientOf(replies).client.secrets.delete("global", "A");
      await vi.runAllTimersAsync();
      return call;
    };
    expect(await deleted(LOST(), nothing())).toEqual({ deleted_until: undefined });
    expect(await deleted(new Response(null, { status: 204 }))).toEqual({ deleted_until: null });
  });

  it("is nothing where no connection can be made for a reason that stays", async () => {
    const untrusted = new TypeError("fetch failed", { cause: Object.assign(new Error("self-signed"), { code: "DEPTH_ZERO_SELF_SIGNED_CERT" }) });
    const { client, sent } = clientOf([untrusted]);
    await expect(client.whoami()).rejects.toThrow("keyhole.test cannot be reached: its certificate is not trusted here.");
    expect(sent).toHaveLength(1);
  });

  it("is nothing that was done, also where a runtime gives a reply without a body an empty one", async () => {
    const done = Object.defineProperty(new Response(null, { status: 204 }), "body", { value: new Blob([]).stream() });
    const { client, sent } = clientOf([done]);
    expect(await settle(client.tokens.revoke("tok_1"))).toBe("done");
    expect(sent).toHaveLength(1);
  });

  it("is nothing that was refused", async () => {
    for (const [status, code] of [
      [400, "invalid-request"],
      [403, "forbidden"],
      [500, "internal"],
    ] as const) {
      const { client, sent } = clientOf([problem(status, code)]);
      expect([await settle(client.whoami()), sent.length]).toEqual([code, 1]);
    }
  });
});

describe("a signal", () => {
  it("ends a request, a wait between attempts, and a call before it begins", async () => {
    for (const replies of [[], [BUSY()]]) {
      const { client, sent } = clientOf(replies);
      const controller = new AbortController();
      const call = client.whoami({ signal: controller.signal }).catch((error: Error) => error.name);
      await vi.advanceTimersByTimeAsync(1);
      controller.abort();
      expect([await call, sent.length]).toEqual(["AbortError", 1]);
    }
    const { client, sent } = clientOf([]);
    await expect(client.whoami({ signal: AbortSignal.abort() })).rejects.toThrow();
    expect(sent).toEqual([]);
  });

  it("is not needed to end a request that is never answered", async () => {
    expect(await settle(clientOf([]).client.secrets.create("global", "A", "x"))).toBe("unreachable");
  });
});

describe("a reply that stalls after it began", () => {
  const BEGUN = '{"seq":1';
  /** A fetch whose replies begin and then wait for `resume`, unless they are given up before. */
  const stalling = (resume: Promise<string>) =>
    (async (_url: unknown, { signal }: RequestInit = {}) => {
      const body = new ReadableStream({
        start(controller) {
          controller.enqueue(new TextEncoder().encode(BEGUN));
          signal?.addEventListener("abort", () => controller.error(signal.reason));
          resume.then((rest) => {
            controller.enqueue(new TextEncoder().encode(rest));
            controller.close();
          });
        },
      });
      return new Response(body, { headers: { "Content-Type": "application/json" } });
    }) as typeof globalThis.fetch;
  const stalled = () => createClient({ baseUrl: "https://keyhole.test", token: "token", retries: 0, fetch: stalling(new Promise(() => {})) });

  it("ends as one that never came", async () => {
    expect(await settle(stalled().whoami())).toBe("unreachable");
    expect(await settle(stalled().resolveRaw("A"))).toBe("unreachable");
    expect(Date.now()).toBe(60_000);
  });

  it("ends with the caller's signal", async () => {
    const controller = new AbortController();
    const call = stalled()
      .whoami({ signal: controller.signal })
      .catch((error: Error) => error.name);
    await vi.advanceTimersByTimeAsync(1);
    controller.abort();
    expect(await call).toBe("AbortError");
  });

  it("goes on when it is the audit log, which is read while it comes", async () => {
    const event = { seq: 1, at: "2026-11-21T12:00:00.000Z", org: "acme", actor: "ada", token_id: null, action: "secret.read", outcome: "allowed" };
    const rest = { secrets: [], target: null, request_id: "req_1", ip: null, user_agent: null };
    const line = `${JSON.stringify({ ...event, ...rest })}\n`.slice(BEGUN.length);
    const later = new Promise<string>((resolve) => void setTimeout(() => resolve(line), 3_600_000));
    const client = createClient({ baseUrl: "https://keyhole.test", token: "token", fetch: stalling(later) });
    const first = client.audit.stream().next();
    expect(await settle(first)).toBe("done");
  });
});

describe("a token exchange", () => {
  const EXCHANGED = { access_token: "t", issued_token_type: "urn:ietf:params:oauth:token-type:access_token", token_type: "Bearer", expires_in: 900, scope: "" };
  const oauth = (status: number, error: string, headers = {}) => Response.json({ error, error_description: "No." }, { status, headers });
  const asked = vi.fn((_body: unknown) => Date.now());
  /** What an exchange comes to whose requests are answered in turn. */
  const exchange = (replies: readonly Reply[], subjectToken: string | (() => string) = "identity\r\n") => {
    asked.mockClear();
    const left = [...replies];
    const fetch = async (_url: unknown, { signal, body }: RequestInit = {}) => {
      asked(new URLSearchParams(String(body)).get("subject_token"));
      const reply = left.shift() ?? new Promise<never>((_, reject) => signal?.addEventListener("abort", () => reject(signal.reason)));
      if (reply instanceof Error) throw reply;
      return reply;
    };
    return exchangeToken({ baseUrl: "https://keyhole.test", subjectToken, audience: "acme/github", fetch: fetch as typeof globalThis.fetch });
  };

  it("is tried again after 5xx, 429 and a lost connection, after as long as the service asks for", async () => {
    const replies = [oauth(503, "temporarily_unavailable", { "Retry-After": "60" }), oauth(429, "temporarily_unavailable"), LOST(), Response.json(EXCHANGED)];
    expect(await settle(exchange(replies))).toBe("done");
    const [first = 0, second = 0] = asked.mock.results.map(({ value }) => value as number);
    expect([second - first, asked.mock.calls.flat()]).toEqual([60_000, Array(4).fill("identity")]);
    expect(await settle(exchange([new Response("<html>", { status: 520 }), Response.json(EXCHANGED)]))).toBe("done");
  });

  it("says whether it was refused or cannot be had now, and is not tried again when it was refused", async () => {
    const busy = () => oauth(503, "temporarily_unavailable");
    expect([await settle(exchange([busy(), busy(), busy(), busy(), busy()])), asked.mock.calls.length]).toEqual(["exchange-unavailable", 4]);
    expect([await settle(exchange([oauth(400, "invalid_request")])), asked.mock.calls.length]).toEqual(["exchange-refused", 1]);
    expect(await settle(exchange([oauth(429, "temporarily_unavailable", { "Retry-After": "3600" })]))).toBe("exchange-unavailable");
    expect(await settle(exchange([]))).toBe("unreachable");
  });

  it("asks for an identity token before each attempt, and says that a lost one may have been used up", async () => {
    let count = 0;
    const refused = exchange([LOST(), oauth(400, "invalid_request")], () => `identity-${++count}`);
    const message = refused.catch((error: Error) => error.message);
    await settle(refused);
    expect([await message, asked.mock.calls.flat()]).toEqual([expect.stringContaining("may have used the identity token up"), ["identity-1", "identity-2"]]);
  });
});

describe("a token provider", () => {
  it("is asked once, however many requests there are, and once more for a token that is rejected", async () => {
    const provider = vi.fn(async (rejected?: string) => (rejected === undefined ? "first" : "second"));
    const { client, sent } = clientOf([Response.json(WHO), Response.json(WHO), problem(401, "unauthenticated"), Response.json(WHO)], provider);
    await Promise.all([client.whoami(), client.whoami()]);
    expect(await settle(client.whoami())).toBe("done");
    expect(provider.mock.calls).toEqual([[undefined], ["first"]]);
    expect(sent.map(({ token }) => token)).toEqual(["Bearer first", "Bearer first", "Bearer first", "Bearer second"]);
  });

  it("is not asked a third time for one request", async () => {
    const provider = vi.fn(async () => "same");
    const { client } = clientOf([problem(401, "unauthenticated"), problem(401, "unauthenticated")], provider);
    expect([await settle(client.tokens.create({ label: "x", permissions: [], expires_in: 60 })), provider.mock.calls.length]).toEqual(["unauthenticated", 2]);
  });

  it("that failed is asked again by the next request, and its error is the caller's", async () => {
    const provider = vi.fn(async () => "token").mockRejectedValueOnce(new Error("no identity"));
    const { client } = clientOf([Response.json(WHO)], provider);
    await expect(client.whoami()).rejects.toThrow("no identity");
    expect(await settle(client.whoami())).toBe("done");
  });
});

describe("a reply that is not Keyhole's", () => {
  it.each([
    ["a page", new Response("<html>", { status: 404 })],
    ["a redirect", new Response(null, { status: 302, headers: { Location: "https://elsewhere.test" } })],
    ["other JSON", Response.json({ org: 1 })],
    ["no JSON", new Response("ok")],
  ])("is an error: %s", async (_, reply) => {
    expect(await settle(clientOf([reply]).client.whoami())).toBe("unexpected-reply");
  });

  it.each([
    ["a deleted secret", (c: ReturnType<typeof clientOf>["client"]) => c.secrets.delete("global", "A")],
    ["a deleted secret by id", (c: ReturnType<typeof clientOf>["client"]) => c.secrets.deleteById("sec_1")],
    ["a destroyed version", (c: ReturnType<typeof clientOf>["client"]) => c.secrets.destroyVersion("sec_1", 1)],
    ["a revoked token", (c: ReturnType<typeof clientOf>["client"]) => c.tokens.revoke("tok_1")],
    ["a deleted trust", (c: ReturnType<typeof clientOf>["client"]) => c.trusts.delete("ci")],
    ["a deleted scope", (c: ReturnType<typeof clientOf>["client"]) => c.scopes.delete("repo:a")],
    ["a value", (c: ReturnType<typeof clientOf>["client"]) => c.resolveRaw("A")],
    ["a .env file", (c: ReturnType<typeof clientOf>["client"]) => c.resolveDotenv()],
  ])("is not taken for %s", async (_, call) => {
    const headers = { "X-Request-Id": "req_1" };
    for (const reply of [new Response("<html>", { headers: { "Content-Type": "text/html", ...headers } }), new Response("ok")])
      expect(await settle(call(clientOf([reply]).client))).toBe("unexpected-reply");
  });

  it("does not show in the error what it says", async () => {
    const reply = Response.json({ secrets: { A: { value: 7, secret: "sk-leak" } } });
    await expect(clientOf([reply]).client.resolve()).rejects.toThrow(/^(?!.*sk-leak).*\/secrets\/A\/value/);
  });
});

it("takes only addresses of services", () => {
  for (const baseUrl of ["ftp://x", "nothing", "https://user:password@x.test", "https://x.test?a=b"])
    expect(() => createClient({ baseUrl, token: "token" })).toThrow(TypeError);
});
