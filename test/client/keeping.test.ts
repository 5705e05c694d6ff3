import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type ClientOptions, createClient, KeyholeError } from "../../src/client/create-client.ts";

const START = Date.parse("2026-11-26T12:00:00.000Z");
const LEASE = { id: "lse_1", until: "2026-11-26T12:01:00.000Z", expires_in: 60 };

beforeEach(() => void vi.useFakeTimers({ now: START }));
afterEach(() => void vi.useRealTimers());

const pass = (seconds: number) => vi.advanceTimersByTimeAsync(seconds * 1000);

/** What a resolve of A replies. */
function resolved(value: string, lease: typeof LEASE | null = LEASE): Response {
  const A = { value, encoding: "utf8", scope: "global", id: "sec_1", version: 1 };
  return Response.json({ secrets: { A }, missing: [], searched: ["global"], ...(lease && { lease }) });
}

const problem = (status: number, code: string) =>
  new Response(JSON.stringify({ type: `urn:keyhole:problem:${code}`, title: code, status, code, detail: "No.", request_id: "req_1" }), {
    status,
    headers: { "Content-Type": "application/problem+json" },
  });

type Answer = () => Response | Promise<Response>;
const never: Answer = () => new Promise<never>(() => undefined);
const lost: Answer = () => Promise.reject(new TypeError("connection lost"));
const later =
  (seconds: number, answer: Answer): Answer =>
  async () => {
    await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
    return answer();
  };

/** A client of a service that answers as `answers.next` says, and what it was asked. */
function clientOf(options: Partial<ClientOptions> = {}) {
  const answers = { next: (() => resolved("one")) as Answer };
  const asked: { control: string | null; token: string | null; signal: AbortSignal | null | undefined }[] = [];
  const fetch = (_: unknown, { headers, signal }: RequestInit = {}) => {
    const sent = new Headers(headers);
    asked.push({ control: sent.get("Cache-Control"), token: sent.get("Authorization"), signal });
    return new Promise<Response>((resolve, reject) => {
      signal?.addEventListener("abort", () => reject(signal.reason));
      Promise.resolve(answers.next()).then(resolve, reject);
    });
  };
  const client = createClient({ baseUrl: "https://keyhole.test", token: "token", retries: 0, maxAge: 60, ...options, fetch: fetch as typeof globalThis.fetch });
  return { client, answers, asked };
}

type Client = ReturnType<typeof clientOf>["client"];
const request = { names: ["A"] };
/** The value of A, or the code of the error. */
const readA = (client: Client, options: Parameters<Client["resolve"]>[1] = {}) =>
  client.resolve(request, options).then(
    ({ secrets }) => secrets.A?.value,
    (error: Error) => (error instanceof KeyholeError ? error.code : error.name),
  );

describe("a client with maxAge", () => {
  it("asks for a lease, and gives the answer again while that runs, from when it was asked for", async () => {
    const { client, answers, asked } = clientOf({ maxAge: 3600 });
    answers.next = later(0.5, () => resolved("one"));
    const first = client.resolve(request);
    await pass(0.5);
    expect(await first).toMatchObject({ secrets: { A: { value: "one" } }, lease: LEASE });
    expect(asked).toMatchObject([{ control: "max-age=3600" }]);
    answers.next = () => resolved("two");
    await pass(59.4);
    expect(await client.resolve(request)).toMatchObject({ secrets: { A: { value: "one" } }, lease: { ...LEASE, expires_in: 0 } });
    await pass(0.1);
    expect([await readA(client), asked.length]).toEqual(["two", 2]);
  });

  it("keeps nothing for longer than the call says, and nothing at all for one that says 0", async () => {
    const { client, answers, asked } = clientOf({ maxAge: 0 });
    expect([await readA(client), await readA(client), asked.length]).toEqual(["one", "one", 2]);
    expect(asked[0]?.control).toBe("no-cache");
    const untold = clientOf({ maxAge: undefined });
    await readA(untold.client);
    expect(untold.asked[0]?.control).toBeNull();
    await readA(client, { maxAge: 60 });
    await pass(10);
    answers.next = () => resolved("two");
    expect([await readA(client, { maxAge: 11 }), await readA(client, { maxAge: 0 }), await readA(client, { maxAge: 10 })]).toEqual(["one", "two", "two"]);
  });

  it("keeps nothing that has no lease: each call asks, also those that waited for one", async () => {
    const { client, answers, asked } = clientOf();
    answers.next = () => resolved("one", null);
    expect(await Promise.all([readA(client), readA(client), readA(client)])).toEqual(["one", "one", "one"]);
    expect([await readA(client), asked.length]).toEqual(["one", 4]);
  });

  it("has one request under way for all who ask the same, and gives each its own copy", async () => {
    const { client, asked } = clientOf();
    const all = await Promise.all(Array.from({ length: 50 }, () => client.resolve(request)));
    expect(asked).toHaveLength(1);
    for (const { secrets } of all) Object.assign(secrets.A ?? {}, { value: "changed" });
    expect([await readA(client), asked.length]).toEqual(["one", 1]);
    await Promise.all([client.resolve({ names: ["A"], scopes: ["global"] }), client.resolve({ names: ["A"], inherit: false })]);
    expect(asked).toHaveLength(3);
  });

  it("keeps single secrets and what references name, and none of the other forms", async () => {
    const { client, answers, asked } = clientOf();
    const refs = () => client.resolveRefs({ key: { secret_key_ref: { store: "A" } } });
    expect([await refs(), await refs(), asked.length]).toEqual([{ key: "one" }, { key: "one" }, 1]);
    answers.next = () => Response.json({ name: "A", value: "one", encoding: "utf8", scope: "global", id: "sec_1", version: 1, lease: LEASE });
    const one = () => client.resolveOne("A", { scopes: ["global"] });
    expect([await one(), await one(), asked.length]).toMatchObject([{ value: "one" }, { value: "one" }, 2]);
    await client.resolveOne("A", { scopes: ["namespace:prod"] });
    expect(asked).toHaveLength(3);
    answers.next = () => Response.json({ A: "one" });
    await client.resolveEnv(request);
    await client.resolveEnv(request);
    expect(asked.slice(3).map(({ control }) => control)).toEqual([null, null]);
  });

  it("keeps a thousand answers, and forgets the one that was not used for longest", async () => {
    const { client, asked } = clientOf();
    const ask = (n: number) => client.resolve({ names: [`N${n}`] });
    for (let n = 0; n < 1_000; n++) await ask(n);
    await ask(0);
    await ask(1_000);
    expect(asked).toHaveLength(1_001);
    await ask(0);
    expect(asked).toHaveLength(1_001);
    await ask(1);
    expect(asked).toHaveLength(1_002);
  });

  it("forgets on refresh, also what is on its way", async () => {
    const { client, answers, asked } = clientOf();
    answers.next = later(1, () => resolved("old"));
    const before = readA(client);
    await pass(0);
    client.refresh();
    answers.next = () => resolved("new");
    expect(await readA(client)).toBe("new");
    await pass(1);
    expect([await before, await readA(client), asked.length]).toEqual(["old", "new", 2]);
    client.refresh();
    expect([await readA(client), asked.length]).toEqual(["new", 3]);
  });

  it("goes by the clock that went further: a machine may have slept, and a clock may be set back", async () => {
    const { client, asked } = clientOf();
    await readA(client);
    vi.setSystemTime(START - 3_600_000);
    await pass(59);
    expect([await readA(client), asked.length]).toEqual(["one", 1]);
    vi.setSystemTime(Date.now() + 1_000);
    expect([await readA(client), asked.length]).toEqual(["one", 2]);
  });

  it.each([{ maxAge: -1 }, { maxAge: 1.5 }, { maxAge: Number.NaN }, { staleIfError: -1 }])("takes whole seconds: %o is refused", async (keeping) => {
    expect(() => clientOf(keeping)).toThrow(TypeError);
    await expect(clientOf().client.resolve(request, keeping)).rejects.toThrow(TypeError);
  });
});

describe("a token that is rejected", () => {
  it("takes along what was kept under it, so that another one gets what it may", async () => {
    const { client, answers } = clientOf({ token: (rejected) => (rejected === undefined ? "first" : "second"), staleIfError: 600 });
    await readA(client);
    answers.next = () => problem(401, "unauthenticated");
    expect(await client.whoami().catch((error: { code: string }) => error.code)).toBe("unauthenticated");
    answers.next = () => problem(403, "forbidden");
    expect(await readA(client)).toBe("forbidden");
    answers.next = lost;
    expect(await readA(client)).toBe("unreachable");
  });
});

describe("while the service does not answer", () => {
  const UNANSWERED: readonly [string, Answer][] = [
    ["is unavailable", () => problem(503, "storage-unavailable")],
    ["limits the rate", () => problem(429, "rate-limited")],
    ["cannot be reached", lost],
    ["is behind something that cannot reach it", () => new Response("bad gateway", { status: 502 })],
  ];

  it.each(UNANSWERED)("because it %s, an older answer stands in for as long as was said, and no longer", async (_, unanswered) => {
    const { client, answers, asked } = clientOf({ staleIfError: 30 });
    await readA(client);
    answers.next = unanswered;
    await pass(61);
    expect(await client.resolve(request)).toMatchObject({ secrets: { A: { value: "one" } }, lease: { expires_in: 0 } });
    expect(await readA(client, { staleIfError: 0 })).not.toBe("one");
    await pass(28.9);
    expect(await readA(client)).toBe("one");
    await pass(0.1);
    expect(await readA(client)).not.toBe("one");
    answers.next = () => resolved("two");
    expect([await readA(client), asked.length]).toEqual(["two", 6]);
  });

  it("nothing stands in unless that was said", async () => {
    const { client, answers } = clientOf();
    await readA(client);
    answers.next = lost;
    await pass(60);
    expect(await readA(client)).toBe("unreachable");
  });

  it.each([
    [401, "unauthenticated"],
    [403, "forbidden"],
    [404, "secret-not-found"],
    [410, "secret-expired"],
    [422, "name-reserved"],
    [500, "integrity-failed"],
  ])("is not: a refusal (%i %s) is passed on, and ends what is kept", async (status, code) => {
    const { client, answers } = clientOf({ staleIfError: 600 });
    await readA(client);
    await pass(60);
    answers.next = () => problem(status, code);
    expect(await readA(client)).toBe(code);
    answers.next = lost;
    expect(await readA(client)).toBe("unreachable");
  });

  it.each([
    ["an error inside of it", () => problem(500, "internal"), "internal"],
    ["a reply that is not Keyhole's", () => Response.json({}), "unexpected-reply"],
  ] as const)("is not: %s is passed on", async (_, answer, code) => {
    const { client, answers } = clientOf({ staleIfError: 600 });
    await readA(client);
    await pass(60);
    answers.next = answer;
    expect(await readA(client)).toBe(code);
    answers.next = lost;
    expect(await readA(client)).toBe("one");
  });

  it("nobody waits for longer than a second, or asks again for five, and an answer that comes after all is taken", async () => {
    const { client, answers, asked } = clientOf({ staleIfError: 600 });
    await readA(client);
    await pass(60);
    answers.next = later(2, () => resolved("two"));
    const waiting = [readA(client), readA(client)];
    await pass(1);
    expect(await Promise.all(waiting)).toEqual(["one", "one"]);
    expect([await readA(client), asked.length]).toEqual(["one", 2]);
    await pass(1);
    expect([await readA(client), asked.length]).toEqual(["two", 2]);
    await pass(60);
    answers.next = lost;
    expect([await readA(client), await readA(client), asked.length]).toEqual(["two", "two", 3]);
    answers.next = () => resolved("three");
    await pass(4.9);
    expect(await readA(client)).toBe("two");
    await pass(0.1);
    expect([await readA(client), asked.length]).toEqual(["three", 4]);
  });
});

describe("who waits for a request of another one", () => {
  it("is not given up with it; when all are, so is the request", async () => {
    const { client, answers, asked } = clientOf();
    answers.next = later(1, () => resolved("one"));
    const [first, second] = [new AbortController(), new AbortController()];
    const calls = [readA(client, { signal: first.signal }), readA(client, { signal: second.signal })];
    first.abort();
    expect(await calls[0]).toBe("AbortError");
    expect(asked[0]?.signal?.aborted).toBe(false);
    second.abort();
    expect(await calls[1]).toBe("AbortError");
    expect(asked[0]?.signal?.aborted).toBe(true);
    const third = readA(client);
    await pass(1);
    expect([await third, asked.length]).toEqual(["one", 2]);
  });

  it("asks by itself when that one has had no answer for five seconds", async () => {
    const { client, answers, asked } = clientOf();
    answers.next = never;
    void readA(client);
    const calls = [readA(client), readA(client)];
    await pass(4.9);
    expect(asked).toHaveLength(1);
    answers.next = () => resolved("one");
    await pass(0.1);
    expect([await Promise.all(calls), asked.length]).toEqual([["one", "one"], 2]);
  });
});
