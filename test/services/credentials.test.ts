import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { keepToken, openToken, tokensOf } from "../../src/worker/injection/kept-tokens.ts";
import { put, type Reply } from "../support/call.ts";
import { callWith } from "../support/call-with.ts";
import { eventsOf } from "../support/events-of.ts";

const use = callWith({});
const API = "https://api.example.com";
const LOGIN = "https://login.example.com/oauth2/token";
const SECRET = "cs-0123456789abcdef";
const codeOf = ({ status, body, headers }: Reply) => [status, body.code ?? body, headers.get("Keyhole-Error")];

let org: string;
/** What was asked outside, in its order. */
let asked: Request[];
/** What the token endpoint and the API answer. */
let login: () => Response | Promise<Response>;
let api: (request: Request) => Response | Promise<Response>;

beforeEach(() => {
  org = `cred-${crypto.randomUUID().slice(0, 8)}`;
  asked = [];
  vi.spyOn(globalThis, "fetch").mockImplementation(async (input, init) => {
    const request = new Request(input as URL, { ...init, signal: null } as RequestInit);
    asked.push(request);
    return request.url === LOGIN ? login() : api(request);
  });
});
afterEach(() => vi.restoreAllMocks());

const askedOf = (host: string) => asked.filter(({ url }) => new URL(url).host === host);
const made = async (fields: object, name = "api") =>
  use(`PUT /v1/services/${name}`, {
    token: { org },
    json: { origin: API, scopes: ["global"], allow: [{ methods: ["GET", "POST", "PUT"], paths: ["/**"] }], audit: "each", ...fields },
  });

describe("client credentials", () => {
  const inject = [{ in: "oauth2", token_url: LOGIN, client_id: "my-client", client_secret: "${CLIENT_SECRET}", scope: "read write" }];
  const token = (n = 1) => `access-token-number-${n}`;
  const granted = (n = 1, expires_in: number | undefined = 3600) => Response.json({ access_token: token(n), token_type: "Bearer", expires_in });
  const get = () => use("GET /use/api/x", { token: { org } });

  beforeEach(async () => {
    let count = 0;
    login = () => granted(++count);
    api = ({ headers }) => new Response(`you sent ${headers.get("Authorization")}`);
    await put("global", "CLIENT_SECRET", SECRET, { token: { org }, fields: { hosts: ["api.example.com", "login.example.com"] } });
    expect((await made({ inject })).status).toBe(201);
  });

  it("fetch an access token, which goes to the API and does not come back", async () => {
    const reply = await get();
    expect([reply.status, reply.text]).toEqual([200, `you sent Bearer ${"*".repeat(token().length)}`]);
    const [first, second] = asked;
    expect([first?.method, first?.url, await first?.text(), first?.headers.get("Authorization")]).toEqual([
      ...["POST", LOGIN, "grant_type=client_credentials&scope=read+write"],
      `Basic ${btoa(`my-client:${SECRET}`)}`,
    ]);
    expect([first?.redirect, first?.headers.get("Keyhole-Hop")]).toEqual(["manual", "1"]);
    expect([second?.url, second?.headers.get("Authorization")]).toEqual([`${API}/x`, `Bearer ${token()}`]);
    expect(await eventsOf(org)).toContainEqual(
      expect.objectContaining({ action: "secret.use", secrets: [expect.objectContaining({ name: "CLIENT_SECRET" })] }),
    );
  });

  it("fetch one for all uses until it ends, and one of their own for each organization and each version of the secret", async () => {
    await get();
    await get();
    expect(askedOf("login.example.com")).toHaveLength(1);
    await put("global", "CLIENT_SECRET", `${SECRET}-2`, { token: { org }, fields: { hosts: ["api.example.com", "login.example.com"] } });
    await get();
    expect(askedOf("login.example.com")).toHaveLength(2);
    org = `${org}-b`;
    await put("global", "CLIENT_SECRET", SECRET, { token: { org }, fields: { hosts: ["api.example.com", "login.example.com"] } });
    await made({ inject });
    await get();
    expect(askedOf("login.example.com")).toHaveLength(3);
  });

  it("fetch one for all who need it at the same time", async () => {
    let goOn: (response: Response) => void = () => undefined;
    login = () => new Promise((resolve) => (goOn = resolve));
    const uses = [get(), get(), get()];
    await vi.waitUntil(() => asked.length > 0);
    goOn(granted());
    expect((await Promise.all(uses)).map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(askedOf("login.example.com")).toHaveLength(1);
  });

  it.each([
    ["about to end", () => granted(1, 30)],
    ["refused by the API", () => granted(1)],
  ])("fetch another one when theirs is %s", async (why, first) => {
    login = first;
    api = () => new Response(null, { status: why.startsWith("refused") ? 401 : 200 });
    await get();
    login = () => granted(2);
    await get();
    expect(askedOf("api.example.com").map(({ headers }) => headers.get("Authorization"))).toEqual([`Bearer ${token(1)}`, `Bearer ${token(2)}`]);
  });

  it("are kept up to a share of each organization, so that none loses them by another one's", async () => {
    const kept = tokensOf({});
    await keepToken(kept, "quiet", "theirs", "token", 1);
    for (let n = 0; n <= 125; n++) await keepToken(kept, "busy", `own ${n}`, "token", 1);
    expect(await Promise.all(["theirs", "own 0", "own 1", "own 125"].map((name) => openToken(kept, name, 0)))).toEqual(["token", undefined, "token", "token"]);
    expect(kept.tokens.size).toBe(126);
  });

  it("are not dropped by a late answer to a request with an older one", async () => {
    let goOn: (response: Response) => void = () => undefined;
    api = () => new Promise((resolve) => (goOn = resolve));
    const late = get();
    await vi.waitUntil(() => askedOf("api.example.com").length > 0);
    const answerLate = goOn;
    api = () => new Response(null, { status: 401 });
    await get();
    api = () => new Response(null, { status: 200 });
    await get();
    answerLate(new Response(null, { status: 401 }));
    expect((await late).status).toBe(401);
    await get();
    expect(askedOf("api.example.com").map(({ headers }) => headers.get("Authorization")?.slice(-1))).toEqual(["1", "1", "2", "2"]);
  });

  it.each<[string, () => Response | Promise<Response>, number, string]>([
    ["refuses the client", () => Response.json({ error: "invalid_client", error_description: SECRET }, { status: 401 }), 502, "token-refused"],
    ["redirects", () => new Response(null, { status: 302, headers: { Location: "https://evil.example.com/" } }), 502, "token-refused"],
    ["answers no JSON", () => new Response(`token=${SECRET}`), 502, "token-refused"],
    ["answers too much", () => new Response(" ".repeat(70_000)), 502, "token-refused"],
    ["gives another kind of token", () => Response.json({ access_token: token(), token_type: "mac" }), 502, "token-refused"],
    ["gives a token that is no header", () => Response.json({ access_token: `${token()}\r\nX: y`, token_type: "bearer" }), 502, "token-refused"],
    ["cannot be reached", () => Promise.reject(new TypeError(`connect to ${SECRET}`)), 502, "upstream-unreachable"],
  ])("give nothing to the API when the token endpoint %s", async (_, answer, status, code) => {
    login = answer;
    const reply = await get();
    expect(codeOf(reply)).toEqual([status, code, code]);
    expect(reply.text).not.toContain(SECRET);
    expect(askedOf("api.example.com")).toEqual([]);
    // What failed is not kept.
    login = () => granted(2);
    expect((await get()).status).toBe(200);
  });

  it.each([[["api.example.com"]], [["login.example.com"]]])("are for the endpoint and for the API, or for neither: of %j nothing is sent", async (hosts) => {
    await put("global", "CLIENT_SECRET", `${SECRET}-b`, { token: { org }, fields: { hosts } });
    expect(codeOf(await get())).toEqual([403, "use-not-allowed", "use-not-allowed"]);
    expect(asked).toEqual([]);
  });
});

describe("a definition with an access token", () => {
  it.each([
    ["http://login.example.com/token", "/inject/0/token_url"],
    ["https://127.0.0.1/token", "/inject/0/token_url"],
    ["https://keyhole.test/token", "/inject/0/token_url"],
    ["https://user@login.example.com/token", "/inject/0/token_url"],
    ["https://login.example.com/token#x", "/inject/0/token_url"],
    ["https://login.example.com:8443/token", "/inject/0/token_url"],
    // Where credentials in Authorization are taken for something else.
    ["https://api.anthropic.com/token", "/inject/0/token_url"],
  ])("has no token endpoint %s", async (token_url, pointer) => {
    const { status, body } = await made({ inject: [{ in: "oauth2", token_url, client_id: "c", client_secret: "${S}" }] });
    expect([status, body.errors?.[0]?.pointer]).toEqual([400, pointer]);
  });
});

describe("a signature of AWS", () => {
  const inject = [{ in: "aws-sigv4", access_key_id: "${BUCKET_KEY_ID}", secret_access_key: "${BUCKET_KEY}", services: ["dynamodb"] }];
  const KEY_ID = "AKIDEXAMPLE0123456789";
  const origin = "https://dynamodb.eu-central-1.amazonaws.com";
  const signed = (scope = "eu-central-1/dynamodb", algorithm = "AWS4-HMAC-SHA256") =>
    `${algorithm} Credential=AKIDOFCLIENT/20261127/${scope}/aws4_request, SignedHeaders=host;x-amz-date, Signature=${"0".repeat(64)}`;

  beforeEach(async () => {
    api = ({ headers }) => new Response(`${headers.get("Authorization")} ${SECRET}`, { headers: { "x-amzn-requestid": "r1" } });
    const fields = { hosts: ["*.amazonaws.com"] };
    await put("global", "BUCKET_KEY_ID", KEY_ID, { token: { org }, fields });
    await put("global", "BUCKET_KEY", SECRET, { token: { org }, fields });
    const allow = [{ methods: ["POST"], paths: ["/"], targets: ["DynamoDB_20120810.Get*"] }];
    expect((await made({ origin, inject, allow }, "dynamodb")).status).toBe(201);
  });

  /** As an SDK of AWS sends it whose session token is the token. */
  const post = async (headers: Record<string, string> = {}, query = "") => {
    const { sign } = await import("../support/sign.ts");
    const session = { "X-Amz-Security-Token": await sign({ org }), "X-Amz-Target": "DynamoDB_20120810.GetItem", Authorization: signed() };
    return use(`POST /use/dynamodb/${query}`, { token: null, body: "{}", headers: { ...session, ...headers } });
  };

  it("is made anew with the key of the service, for the region that the client has signed for", async () => {
    const reply = await post({ "X-Amz-Date": "20200101T000000Z" });
    expect(reply.status).toBe(200);
    const [{ headers, url } = { headers: new Headers(), url: "" }] = asked;
    expect(url).toBe(`${origin}/`);
    expect(headers.get("Authorization")).toMatch(
      new RegExp(
        `^AWS4-HMAC-SHA256 Credential=${KEY_ID}/\\d{8}/eu-central-1/dynamodb/aws4_request, SignedHeaders=host;x-amz-content-sha256;x-amz-date;x-amz-target, `,
      ),
    );
    expect([headers.get("X-Amz-Security-Token"), headers.get("X-Amz-Date")]).not.toContain("20200101T000000Z");
    expect(headers.get("X-Amz-Security-Token")).toBeNull();
    expect(reply.text).not.toContain(SECRET);
    expect(reply.text).not.toContain(KEY_ID);
  });

  it.each<[string, Record<string, string>, string, number, string]>([
    ["for another service", { Authorization: signed("eu-central-1/iam") }, "", 403, "use-not-allowed"],
    ["for another region", { Authorization: signed("us-east-1/dynamodb") }, "", 403, "use-not-allowed"],
    ["by another algorithm", { Authorization: signed("dynamodb", "AWS4-ECDSA-P256-SHA256") }, "", 501, "signature-unsupported"],
    ["in parts", { "X-Amz-Content-Sha256": "STREAMING-AWS4-HMAC-SHA256-PAYLOAD" }, "", 501, "signature-unsupported"],
    ["in the query", {}, "?X-Amz-Signature=0", 501, "signature-unsupported"],
    ["with an action that no rule names", { "X-Amz-Target": "DynamoDB_20120810.DeleteTable" }, "", 403, "use-not-allowed"],
    ["with two actions", { "X-Amz-Target": "DynamoDB_20120810.GetItem, DynamoDB_20120810.DeleteTable" }, "", 403, "use-not-allowed"],
  ])("is none of a request that is signed %s", async (_, headers, query, status, code) => {
    expect(codeOf(await post(headers, query))).toEqual([status, code, code]);
    expect(asked).toEqual([]);
    // Nothing was released for it.
    expect((await eventsOf(org)).filter(({ action, outcome }) => action === "secret.use" && outcome === "allowed")).toEqual([]);
  });

  it("is none of a request that is not signed, and says how", async () => {
    const reply = await use("POST /use/dynamodb/", { token: { org }, body: "{}", headers: { "X-Amz-Target": "DynamoDB_20120810.GetItem" } });
    expect(codeOf(reply)).toEqual([400, "invalid-request", "invalid-request"]);
    expect([reply.body.message, reply.headers.get("x-amzn-errortype")]).toEqual([expect.stringContaining("session token"), "invalid-request"]);
  });

  it.each(["https://slack.com", "https://api.openai.com"])("is made for nobody who reads something else in Authorization, as %s", async (elsewhere) => {
    const { status, body } = await made({ origin: elsewhere, inject: [{ ...inject[0], session_token: "${BUCKET_SESSION}" }] });
    expect([status, body.errors?.[0]?.pointer]).toEqual([400, "/inject/0"]);
  });

  it("waits for no body longer than for a reply", async () => {
    await made({ origin, inject, allow: [{ methods: ["POST"], paths: ["/"] }], max_seconds: 1 }, "dynamodb");
    const body = new ReadableStream<Uint8Array>({ start: (controller) => controller.enqueue(new Uint8Array(10)) });
    const { sign } = await import("../support/sign.ts");
    const reply = await use("POST /use/dynamodb/", {
      token: null,
      body,
      headers: { "X-Amz-Security-Token": await sign({ org }), Authorization: signed() },
    });
    expect(codeOf(reply)).toEqual([504, "upstream-timeout", "upstream-timeout"]);
    expect(asked).toEqual([]);
  });

  it("is of temporary credentials, too", async () => {
    await put("global", "BUCKET_SESSION", "session-0123456789", { token: { org }, fields: { hosts: ["*.amazonaws.com"] } });
    await made({ origin, inject: [{ ...inject[0], session_token: "${BUCKET_SESSION}" }], allow: [{ methods: ["POST"], paths: ["/"] }] }, "dynamodb");
    expect((await post()).status).toBe(200);
    expect(asked[0]?.headers.get("X-Amz-Security-Token")).toBe("session-0123456789");
    expect(asked[0]?.headers.get("Authorization")).toContain("x-amz-security-token");
  });
});
