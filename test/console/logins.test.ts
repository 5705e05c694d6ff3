import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { CallOptions, Reply } from "../support/call.ts";
import { callWith } from "../support/call-with.ts";
import { eventsOf } from "../support/events-of.ts";
import { FORM } from "../support/exchange.ts";
import { type Issuer, makeKey, publish, startIssuer } from "../support/issuer.ts";
import { sign } from "../support/sign.ts";

const OWN_PAGE = { "Keyhole-Console": "1", "Sec-Fetch-Site": "same-origin", "CF-Connecting-IP": "203.0.113.7" };
const START = Date.parse("2026-11-28T12:00:00.000Z");
const ORIGIN = "https://keyhole.test";
const worker = callWith({ ALLOW_INSECURE_ISSUERS: "true", FAILURE_LIMIT: undefined });
/** The same with a limit of failures, which lets so many through from each address. */
function limitedTo(most: number): typeof worker {
  const counted = new Map<string, number>();
  const limit = ({ key }: { key: string }) => {
    counted.set(key, (counted.get(key) ?? 0) + 1);
    return Promise.resolve({ success: (counted.get(key) ?? 0) <= most });
  };
  return callWith({ ALLOW_INSECURE_ISSUERS: "true", FAILURE_LIMIT: { limit } });
}

let org = "";
let provider: Issuer;
const logged: string[] = [];
beforeEach(async () => {
  vi.useFakeTimers({ toFake: ["Date"], now: START });
  logged.length = 0;
  for (const method of ["log", "info", "warn", "error"] as const)
    vi.spyOn(console, method).mockImplementation((...parts: unknown[]) => void logged.push(parts.map(String).join(" ")));
  org = `login-${crypto.randomUUID().slice(0, 8)}`;
  provider = await startProvider();
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});
const pass = (seconds: number) => vi.setSystemTime(Date.now() + seconds * 1000);

async function startProvider(more: object = {}): Promise<Issuer> {
  const issuer = await startIssuer("RS256");
  const endpoints = { authorization_endpoint: `${issuer.url}/authorize`, token_endpoint: `${issuer.url}/token` };
  await publish(issuer.discoveryUrl, { body: JSON.stringify({ issuer: issuer.url, jwks_uri: issuer.jwksUrl, ...endpoints, ...more }) });
  return issuer;
}

const rules = (issuer: string, more: object = {}) => ({
  ...{ issuer, client_id: "keyhole-console", claims: { groups: "staff" }, permissions: ["secrets:read", "secrets:write", "tokens:write"], expires_in: 3600 },
  ...more,
});
const putLogin = (more: object = {}, options: CallOptions = {}) =>
  worker("PUT /v1/logins/work", { token: { org }, json: rules(provider.url, more), ...options });

/** A browser, which has cookies, and asks as the console's page does. */
function browser(through = worker) {
  const cookies = new Map<string, string>();
  const keep = ({ headers }: Reply) => {
    for (const line of headers.getSetCookie()) {
      const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      if (/Max-Age=0/.test(line)) cookies.delete(name);
      else cookies.set(name, value);
    }
  };
  const ask = async (request: string, options: CallOptions = {}): Promise<Reply> => {
    const Cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join("; ");
    const reply = await through(request, { token: null, ...options, headers: { ...OWN_PAGE, ...(Cookie && { Cookie }), ...options.headers } });
    keep(reply);
    return reply;
  };
  return { ask, cookies };
}
type Browser = ReturnType<typeof browser>;

const begin = ({ ask }: Browser, more: object = {}) => ask("POST /console/api/logins", { json: { organization: org, login: "work", ...more } });
const askedOf = (reply: Reply) => new URL(reply.body.location).searchParams;

/** Has the provider answer with an identity token for a login that was begun. */
async function answers(asked: URLSearchParams, claims: object = {}, issuer: Issuer = provider, key = issuer.key): Promise<string> {
  const iat = Date.now() / 1000;
  const nonce = asked.get("nonce") ?? "";
  const said = { iss: issuer.url, aud: "keyhole-console", sub: "ada", groups: ["staff"], nonce, iat, exp: iat + 300, ...claims };
  const id_token = await issuer.sign(said, { key });
  await publish(`${issuer.url}/token`, {
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ id_token, access_token: "access-of-the-provider", token_type: "Bearer" }),
  });
  return id_token;
}
const back = (asked: URLSearchParams, more: Record<string, string> = {}) =>
  `GET /console/callback/${org}/work?${new URLSearchParams({ code: "code-of-the-provider", state: asked.get("state") ?? "", ...more })}`;

/** Logs in by the provider, as far as the browser's own part goes. */
async function logIn(visitor: Browser = browser(), claims: object = {}): Promise<Browser> {
  const asked = askedOf(await begin(visitor));
  await answers(asked, claims);
  const reply = await visitor.ask(back(asked));
  expect([reply.status, reply.headers.get("Location")]).toEqual([303, "/console/login?arrived=1&page=%2Fsecrets"]);
  expect((await visitor.ask("POST /console/api/session", { json: { arrived: true } })).status).toBe(201);
  return visitor;
}
const whoIs = async ({ ask }: Browser) => (await ask("GET /console/api/session")).body;
const actors = async (action: string) =>
  (await env.DB.prepare("SELECT actor, target FROM audit_events WHERE org = ? AND action = ? AND outcome = 'allowed'").bind(org, action).all()).results;
const refusals = async () => (await eventsOf(org)).filter(({ action }) => action === "token.refused").map(({ target }) => target);

describe("a login", () => {
  it("is made, shown, listed, replaced and deleted, and is no trust", async () => {
    const made = await putLogin({ scopes: ["email"] });
    expect([made.status, made.body]).toEqual([
      201,
      expect.objectContaining({
        name: "work",
        client_secret: null,
        scopes: ["email"],
        expires_in: 3600,
        suspended: false,
        callback: `${ORIGIN}/console/callback/${org}/work`,
      }),
    ]);
    const token = { org };
    expect((await worker("GET /v1/logins/work", { token })).body).toEqual(made.body);
    expect((await worker("GET /v1/logins", { token })).body.logins).toEqual([made.body]);
    expect((await worker("GET /v1/trusts", { token })).body.trusts).toEqual([]);
    expect((await worker("GET /v1/trusts/work", { token })).body.code).toBe("trust-not-found");
    expect((await worker("DELETE /v1/trusts/work", { token })).body.code).toBe("trust-not-found");
    const trust = { issuer: provider.url, audience: "keyhole", claims: { sub: "s" }, permissions: ["secrets:read"] };
    expect((await worker("PUT /v1/trusts/work", { token, json: trust })).status).toBe(400);
    expect((await putLogin()).status).toBe(200);
    expect((await worker("DELETE /v1/logins/work", { token })).status).toBe(204);
    expect((await worker("GET /v1/logins/work", { token })).body.code).toBe("login-not-found");
    expect((await worker("PUT /v1/trusts/work", { token, json: trust })).status).toBe(201);
    expect((await putLogin()).status).toBe(400);
  });

  it("gives nothing that its maker lacks, nor the use of a secret that its maker may not use", async () => {
    const client_secret = { scope: "namespace:prod", name: "CLIENT_SECRET" };
    const as = async (scope: string, more: object, limits: object = {}) => (await putLogin(more, { token: { org, scope, ...limits } })).status;
    await worker("PUT /v1/scopes/namespace%3Aprod/secrets/CLIENT_SECRET", { token: { org }, json: { value: "v", hosts: ["127.0.0.1"] } });
    expect(await as("trusts:write secrets:read", {})).toBe(403);
    expect(await as("trusts:write secrets:read", { permissions: ["secrets:read"] })).toBe(201);
    expect(await as("trusts:write secrets:read", { permissions: ["secrets:read"], client_secret })).toBe(403);
    expect(await as("trusts:write secrets:use", { permissions: ["secrets:use"], client_secret })).toBe(200);
    const elsewhere = { secret_scopes: ["namespace:dev"] };
    expect(await as("trusts:write secrets:use", { permissions: ["secrets:use"], ...elsewhere, client_secret }, elsewhere)).toBe(403);
  });

  it("is refused with a client's secret that is not there, is over, may go nowhere or is somewhere else, and says so", async () => {
    const client_secret = { scope: "namespace:prod", name: "CLIENT_SECRET" };
    const judged = async () => {
      const { status, body } = await putLogin({ client_secret });
      return [status, body.code];
    };
    const set = (more: object) => worker("PUT /v1/scopes/namespace%3Aprod/secrets/CLIENT_SECRET", { token: { org }, json: { value: "v", ...more } });
    // What a wider scope has is not it.
    await worker("PUT /v1/scopes/global/secrets/CLIENT_SECRET", { token: { org }, json: { value: "v", hosts: ["127.0.0.1"] } });
    expect(await judged()).toEqual([404, "secret-not-found"]);
    await set({});
    expect(await judged()).toEqual([422, "host-not-allowed"]);
    await set({ hosts: ["127.0.0.1"], expires_at: new Date(Date.now() + 60_000).toISOString() });
    expect(await judged()).toEqual([201, undefined]);
    pass(61);
    expect(await judged()).toEqual([410, "secret-expired"]);
    await worker("DELETE /v1/scopes/namespace%3Aprod/secrets/CLIENT_SECRET", { token: { org } });
    expect(await judged()).toEqual([404, "secret-not-found"]);
    // Whoever may not use it is not told whether it is there.
    const limits = { secret_scopes: ["namespace:dev"] };
    const stranger = await putLogin(
      { client_secret, ...limits, permissions: ["secrets:use"] },
      { token: { org, scope: "trusts:write secrets:use", ...limits } },
    );
    expect([stranger.status, stranger.body.code]).toEqual([403, "forbidden"]);
    expect((await worker("GET /v1/logins/work", { token: { org } })).status).toBe(200);
  });

  it.each([
    ["an issuer inside a network", { issuer: "https://10.0.0.1" }],
    ["an issuer without https", { issuer: "http://provider.example" }],
    ["conditions that tie nobody down", { claims: { groups: "*" } }],
    ["a client id with a line break", { client_id: "a\nb" }],
    ["a scope that is two", { scopes: ["email profile"] }],
  ])("is refused with %s", async (_, more) => {
    const strict = callWith({ ALLOW_INSECURE_ISSUERS: "false" });
    expect((await strict("PUT /v1/logins/work", { token: { org }, json: rules("https://provider.example", more) })).status).toBe(400);
  });

  it("lets a person in as its rules say, for no longer than that, and both are on record", async () => {
    await putLogin({ secret_scopes: ["team:${team}"] });
    const visitor = await logIn(browser(), { team: "api" });
    expect(await whoIs(visitor)).toMatchObject({
      ...{ organization: org, subject: "login:work:ada", permissions: ["secrets:read", "secrets:write", "tokens:write"], secret_scopes: ["team:api"] },
      expires_at: "2026-11-28T13:00:00.000Z",
    });
    expect((await visitor.ask("GET /console/api/v1/secrets")).status).toBe(200);
    expect(await actors("token.exchange")).toEqual([{ actor: "login:work:ada", target: "work" }]);
    expect(await actors("session.create")).toEqual([{ actor: "login:work:ada", target: null }]);
    pass(3600);
    expect((await visitor.ask("GET /console/api/session")).status).toBe(401);
  });

  it("asks the provider with PKCE, a state and a nonce, all new each time", async () => {
    await putLogin({ scopes: ["email"] });
    const [one, other] = [askedOf(await begin(browser())), askedOf(await begin(browser()))];
    expect(Object.fromEntries(one)).toEqual({
      ...{ client_id: "keyhole-console", response_type: "code", scope: "openid email", redirect_uri: `${ORIGIN}/console/callback/${org}/work` },
      ...{ code_challenge_method: "S256", code_challenge: expect.stringMatching(/^[\w-]{43}$/) },
      ...{ state: expect.stringMatching(/^[\w-]{43}$/), nonce: expect.stringMatching(/^[\w-]{43}$/) },
    });
    for (const name of ["state", "nonce", "code_challenge"]) expect(one.get(name)).not.toBe(other.get(name));
  });

  it("keeps what it has begun in a cookie that is sealed, and nothing of it anywhere else", async () => {
    await putLogin();
    const reply = await begin(browser());
    const [line = ""] = reply.headers.getSetCookie();
    expect(line).toMatch(/^__Host-keyhole-login=t1[^;]+; Max-Age=600; Path=\/; HttpOnly; Secure; SameSite=Lax$/);
    for (const text of [askedOf(reply).get("state") ?? "", askedOf(reply).get("nonce") ?? ""]) expect(line).not.toContain(text);
  });

  it("ends, with the sessions by it, when it is deleted or its maker's token is revoked", async () => {
    const maker = { org, jti: `tok_${crypto.randomUUID()}` };
    await putLogin({}, { token: maker });
    const visitor = await logIn();
    await worker("POST /v1/revocations", { token: { org }, json: { token_id: maker.jti } });
    expect((await visitor.ask("GET /console/api/session")).status).toBe(401);
    expect((await begin(browser())).body.code).toBe("login-not-found");
    expect((await browser().ask(`GET /console/api/logins?organization=${org}`)).body).toEqual({ logins: [] });
    await putLogin();
    const another = await logIn();
    await worker("DELETE /v1/logins/work", { token: { org } });
    expect((await another.ask("GET /console/api/session")).status).toBe(401);
  });

  it("says the same of an organization without logins and of one that is not there", async () => {
    await worker("PUT /v1/scopes/global/secrets/A", { token: { org }, json: { value: "v" } });
    const offered = async (name: string) => (await browser().ask(`GET /console/api/logins?organization=${name}`)).text;
    expect(await offered(org)).toBe(await offered("nobody-at-all"));
    const started = async (organization: string) => ({ ...(await begin(browser(), { organization })).body, request_id: "" });
    expect(await started(org)).toEqual(await started("nobody-at-all"));
    await putLogin();
    expect(await offered(org)).toBe(JSON.stringify({ logins: ["work"] }));
  });

  it("is neither offered nor begun for whoever has tried too many names, when one is right either", async () => {
    await putLogin();
    const visitor = browser(limitedTo(2));
    const offered = (name: string) => visitor.ask(`GET /console/api/logins?organization=${name}`);
    expect((await offered("nobody-at-all")).body).toEqual({ logins: [] });
    expect((await begin(visitor, { login: "other" })).body.code).toBe("login-not-found");
    expect((await offered(org)).body.code).toBe("rate-limited");
    expect((await begin(visitor)).body.code).toBe("rate-limited");
  });

  it("sends the client's secret to the provider's token endpoint, on record, and only where that is among its hosts", async () => {
    const client_secret = { scope: "global", name: "CLIENT_SECRET" };
    const put = (hosts: string[]) => worker("PUT /v1/scopes/global/secrets/CLIENT_SECRET", { token: { org }, json: { value: "the-client-s-secret", hosts } });
    await put(["elsewhere.example.com"]);
    await putLogin({ client_secret });
    const visitor = browser();
    const asked = askedOf(await begin(visitor));
    await answers(asked);
    expect((await visitor.ask(back(asked))).headers.get("Location")).toContain("refused=login");
    expect(await refusals()).toEqual(["trust:work login-secret-unavailable once"]);
    await put(["127.0.0.1"]);
    await logIn();
    expect(await actors("secret.use")).toContainEqual({ actor: "login:work", target: "login:work#1" });
    expect(logged.join("\n")).not.toContain("the-client-s-secret");
  });
});

describe("a login whose client has a secret", () => {
  beforeEach(async () => {
    const json = { value: "the-client-s-secret", hosts: ["127.0.0.1"] };
    await worker("PUT /v1/scopes/global/secrets/CLIENT_SECRET", { token: { org }, json });
    await putLogin({ client_secret: { scope: "global", name: "CLIENT_SECRET" } });
    await publish(`${provider.url}/token`, { status: 400, body: '{"error":"invalid_grant"}' });
  });
  const releases = async () => (await actors("secret.use")).length;
  /** Comes back from the provider, as often as somebody likes with what one login was begun with. */
  async function comesBack(through: typeof worker) {
    const visitor = browser(through);
    const asked = askedOf(await begin(visitor));
    const kept = new Map(visitor.cookies);
    return (more: Record<string, string> = {}, headers: Record<string, string> = {}) => {
      for (const [name, value] of kept) visitor.cookies.set(name, value);
      return visitor.ask(back(asked, more), { headers });
    };
  }

  it("releases none for an answer without one code", async () => {
    const again = await comesBack(worker);
    expect((await again({ code: "" })).headers.get("Location")).toContain("refused=login");
    expect(await refusals()).toEqual(["trust:work login-answer-invalid once"]);
    expect(await releases()).toBe(0);
  });

  it("releases it no more to an address that has come back too often", async () => {
    const again = await comesBack(limitedTo(3));
    for (let n = 0; n < 4; n += 1) await again();
    expect((await again()).headers.get("Location")).toMatch(/^\/console\/login\?refused=busy/);
    // One of the three was the login that was begun.
    expect(await releases()).toBe(2);
  });

  it("releases it sixty times at once and then twice a second, wherever who comes back is, so that nobody uses up its organization's events", async () => {
    const again = await comesBack(worker);
    const from = (n: number) => again({}, { "CF-Connecting-IP": `198.51.100.${n}` });
    for (let n = 0; n < 61; n += 1) await from(n);
    expect([(await from(61)).headers.get("Location"), await releases()]).toEqual([expect.stringContaining("refused=busy"), 60]);
    pass(1);
    for (let n = 62; n < 66; n += 1) await from(n);
    expect(await releases()).toBe(62);
    // Who logs in takes nothing of that, and who has an account there and is not let in does.
    pass(60);
    for (let n = 0; n < 3; n += 1) await logIn();
    const guest = browser();
    const asked = askedOf(await begin(guest));
    await answers(asked, { groups: ["guests"] });
    expect((await guest.ask(back(asked))).headers.get("Location")).toContain("refused=login");
    for (let n = 66; n < 130; n += 1) await from(n);
    expect(await releases()).toBe(62 + 3 + 60);
  });
});

describe("what comes back to the console", () => {
  const refused = async (visitor: Browser, request: string, reason: string) => {
    const reply = await visitor.ask(request);
    expect([reply.status, reply.headers.get("Location")]).toEqual([303, expect.stringMatching(/^\/console\/login\?refused=login/)]);
    expect((await visitor.ask("POST /console/api/session", { json: { arrived: true } })).status).toBe(401);
    const line = logged.map((text) => JSON.parse(text)).findLast(({ route }) => String(route).includes("callback"));
    expect(line).toMatchObject({ status: 303, problem: "unauthenticated", refusal: reason });
    // Of a login that this browser never began it is not known whose it would have been.
    if (reason !== "login-not-begun") expect((await refusals()).join()).toContain(reason === "identity-used" ? "" : reason);
    // Neither what came nor what would have been given is repeated.
    expect(reply.text + reply.headers.get("Location") + logged.join("\n")).not.toMatch(/code-of-the-provider|access-of-the-provider|eyJ/);
  };

  it.each([
    ["with another nonce", { nonce: "of-another-login" }, "login-answer-invalid"],
    ["for another client", { aud: "another-client" }, "login-answer-invalid"],
    ["of another issuer", { iss: "https://mallory.example" }, "login-answer-invalid"],
    ["that has expired", { iat: START / 1000 - 7200, exp: START / 1000 - 3600 }, "login-answer-invalid"],
    ["of somebody whom the rules do not let in", { groups: ["guests"] }, "claim-not-matched"],
  ])("is refused with an identity token %s", async (_, claims, reason) => {
    await putLogin();
    const visitor = browser();
    const asked = askedOf(await begin(visitor));
    await answers(asked, claims);
    await refused(visitor, back(asked), reason);
  });

  it("is refused with an identity token that another key has signed, whoever it came from", async () => {
    await putLogin();
    const visitor = browser();
    const asked = askedOf(await begin(visitor));
    await answers(asked, {}, provider, { ...(await makeKey("RS256")), kid: provider.key.kid });
    await refused(visitor, back(asked), "bad-signature");
  });

  it("is refused to a browser that has not begun it: nobody is logged in by a link", async () => {
    await putLogin();
    const [mallory, victim] = [browser(), browser()];
    const asked = askedOf(await begin(mallory));
    await answers(asked);
    await refused(victim, back(asked), "login-not-begun");
    // Nor with the victim's own login that is under way.
    await begin(victim);
    await refused(victim, back(asked), "login-mixed-up");
  });

  it("is refused a second time, also with the cookie of the first", async () => {
    await putLogin();
    const visitor = browser();
    const asked = askedOf(await begin(visitor));
    const kept = new Map(visitor.cookies);
    await answers(asked);
    expect((await visitor.ask(back(asked))).headers.get("Location")).toContain("arrived=1");
    await refused(browser(), back(asked), "login-not-begun");
    const again = browser();
    for (const [name, value] of kept) again.cookies.set(name, value);
    await refused(again, back(asked), "identity-used");
  });

  it("is refused after ten minutes", async () => {
    await putLogin();
    const visitor = browser();
    const asked = askedOf(await begin(visitor));
    pass(600);
    await answers(asked);
    await refused(visitor, back(asked), "login-not-begun");
  });

  it("is refused at the address of another login, and where it says that another provider answers", async () => {
    provider = await startProvider({ authorization_response_iss_parameter_supported: true });
    await putLogin();
    const honest = provider.url;
    await worker("PUT /v1/logins/other", { token: { org }, json: rules(provider.url) });
    const at = async (change: (request: string) => string, reason: string) => {
      const visitor = browser();
      const asked = askedOf(await begin(visitor));
      await answers(asked);
      logged.length = 0;
      await refused(visitor, change(back(asked, { iss: honest })), reason);
    };
    await at((request) => request.replace("/work?", "/other?"), "login-not-begun");
    await at((request) => request.replace(encodeURIComponent(honest), "https%3A%2F%2Fmallory.example"), "login-mixed-up");
    await at((request) => request.replace(/&iss=.*/, ""), "login-mixed-up");
    await at((request) => request.replace(/state=[^&]+/, `state=${"A".repeat(43)}`), "login-mixed-up");
    await at((request) => request.replace(/code=[^&]+/, "error=access_denied"), "login-denied");
  });

  it("is refused where the login was changed since it was begun", async () => {
    await putLogin();
    const visitor = browser();
    const asked = askedOf(await begin(visitor));
    await putLogin({ permissions: ["secrets:read"] });
    await answers(asked);
    await refused(visitor, back(asked), "login-mixed-up");
  });

  it("is refused with a cookie that nobody here has sealed, or for something else", async () => {
    await putLogin();
    const visitor = browser();
    const asked = askedOf(await begin(visitor));
    await answers(asked);
    visitor.cookies.set("__Host-keyhole-login", `${visitor.cookies.get("__Host-keyhole-login")?.slice(0, -4)}AAAA`);
    await refused(visitor, back(asked), "login-not-begun");
    const [row] = (await env.DB.prepare("SELECT sealed FROM login_codes LIMIT 1").all<{ sealed: string }>()).results;
    visitor.cookies.set("__Host-keyhole-login", row?.sealed ?? "");
    await refused(visitor, back(asked), "login-not-begun");
  });

  it.each([
    ["does not answer", { status: 500, body: "{}" }, "login-answer-invalid"],
    ["refuses the code", { status: 400, body: '{"error":"invalid_grant"}' }, "login-answer-invalid"],
    ["leads elsewhere", { status: 302, headers: { Location: "http://127.0.0.1:1/" } }, "login-answer-invalid"],
    ["has no identity token", { body: '{"access_token":"access-of-the-provider","token_type":"Bearer"}' }, "login-answer-invalid"],
    ["has no end", { body: "x".repeat(300_000) }, "login-answer-invalid"],
  ])("is refused where the provider's token endpoint %s", async (_, document, reason) => {
    await putLogin();
    const visitor = browser();
    const asked = askedOf(await begin(visitor));
    await publish(`${provider.url}/token`, document);
    await refused(visitor, back(asked), reason);
  });

  it("logs in by its cookie alone: in a link its code logs nobody in", async () => {
    await putLogin();
    const mallory = browser();
    const asked = askedOf(await begin(mallory));
    await answers(asked);
    const reply = await mallory.ask(back(asked));
    expect(reply.headers.getSetCookie().find((line) => line.includes("arrival"))).toMatch(
      /^__Host-keyhole-arrival=[\w-]{43}; Max-Age=300; Path=\/; HttpOnly; Secure; SameSite=Strict$/,
    );
    const code = mallory.cookies.get("__Host-keyhole-arrival");
    expect((await browser().ask("POST /console/api/session", { json: { code } })).status).toBe(401);
    expect(reply.text + logged.join("\n")).not.toContain(code);
  });

  it("in place of another session is shown first, and needs a click", async () => {
    await putLogin();
    const visitor = browser();
    await visitor.ask("POST /console/api/session", { json: { token: await sign({ org: `${org}-before`, sub: "grace" }) } });
    const asked = askedOf(await begin(visitor));
    await answers(asked);
    await visitor.ask(back(asked));
    const shown = await visitor.ask("POST /console/api/session", { json: { arrived: true } });
    expect([shown.status, shown.body]).toEqual([200, expect.objectContaining({ organization: org, subject: "login:work:ada" })]);
    expect((await whoIs(visitor)).organization).toBe(`${org}-before`);
    const kept = visitor.cookies.get("__Host-keyhole");
    expect((await visitor.ask("POST /console/api/session", { json: { confirm: shown.body.confirm } })).status).toBe(201);
    expect([(await whoIs(visitor)).organization, visitor.cookies.get("__Host-keyhole") !== kept]).toEqual([org, true]);
  });

  it("leads to a page of the console and to nothing else", async () => {
    await putLogin();
    for (const page of [
      "//evil.example",
      "https://evil.example",
      "/../v1/secrets",
      "/api/v1/secrets",
      "/login",
      "/callback/a/b",
      "/\\evil",
      "/%2e%2e/v1",
      "/a b",
    ])
      expect([page, (await begin(browser(), { page })).status]).toEqual([page, page === "//evil.example" ? 200 : 400]);
    const visitor = browser();
    const asked = askedOf(await begin(visitor, { page: "//evil.example" }));
    await answers(asked);
    // Below the console that is a page which is not there.
    expect((await visitor.ask(back(asked))).headers.get("Location")).toBe("/console/login?arrived=1&page=%2F%2Fevil.example");
  });

  it("is never exchanged as a workload's identity token is", async () => {
    await putLogin();
    const visitor = browser();
    const subject_token = await answers(askedOf(await begin(visitor)));
    const form = new URLSearchParams({ ...FORM, audience: `${org}/work`, subject_token });
    expect((await worker("POST /oauth/token", { token: null, body: form })).body).toEqual({
      error: "invalid_request",
      error_description: "The subject token is not accepted for this audience.",
    });
  });

  it.each([
    ["a script as its authorization endpoint", { authorization_endpoint: "javascript:alert(1)" }],
    ["a token endpoint at this deployment's own host", { token_endpoint: `${ORIGIN}/oauth/token` }],
    ["no token endpoint", { token_endpoint: undefined }],
  ])("does not come from a provider with %s: nobody is sent there", async (_, more) => {
    provider = await startProvider(more);
    await putLogin();
    expect((await begin(browser())).body.code).toBe("storage-unavailable");
  });
});

/** PKCE's pair (RFC 7636, appendix B). */
const VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
const REDIRECT = "http://127.0.0.1:49152/callback";

/** Somebody who is logged in with a token. */
async function someone(claims: object = {}, visitor: Browser = browser()): Promise<Browser> {
  await visitor.ask("POST /console/api/session", { json: { token: await sign({ org, sub: "ada", ...claims }) } });
  return visitor;
}
const form = (fields: Record<string, string>) => ({
  token: null,
  body: new URLSearchParams(fields).toString(),
  headers: { "Content-Type": "application/x-www-form-urlencoded", "CF-Connecting-IP": "198.51.100.9", "User-Agent": "keyhole/1" },
});
const tokenFor = (fields: Record<string, string>) => worker("POST /oauth/token", form({ client_id: "keyhole-cli", ...fields }));

describe("a program on one's own machine", () => {
  const authorize = (query: Record<string, string | undefined>) => {
    const good = {
      response_type: "code",
      client_id: "keyhole-cli",
      redirect_uri: REDIRECT,
      code_challenge: CHALLENGE,
      code_challenge_method: "S256",
      state: "s-1",
    };
    const sent = Object.entries({ ...good, ...query }).filter((entry): entry is [string, string] => entry[1] !== undefined);
    return worker(`GET /oauth/authorize?${new URLSearchParams(sent)}`, { token: null });
  };
  const approve = (visitor: Browser, more: object = {}) =>
    visitor.ask("POST /console/api/authorizations", { json: { redirect_uri: REDIRECT, code_challenge: CHALLENGE, state: "s-1", approved: true, ...more } });
  const codeIn = (reply: Reply) => new URL(reply.body.location).searchParams.get("code") ?? "";
  const take = (code: string, more: Record<string, string> = {}) =>
    tokenFor({ grant_type: "authorization_code", code, redirect_uri: REDIRECT, code_verifier: VERIFIER, ...more });

  it("is led to the page that asks, and gets a token of the session's own for its code, once", async () => {
    const { status, headers } = await authorize({});
    expect([status, headers.get("Location")]).toEqual([
      302,
      `/console/authorize?${new URLSearchParams({ redirect_uri: REDIRECT, code_challenge: CHALLENGE, state: "s-1" })}`,
    ]);
    const visitor = await someone({ scope: "secrets:read tokens:write", secret_scopes: ["team:api"] });
    const reply = await approve(visitor);
    const location = new URL(reply.body.location);
    expect(Object.fromEntries(location.searchParams)).toEqual({ code: expect.stringMatching(/^[\w-]{43}$/), state: "s-1", iss: ORIGIN });
    expect(location.origin + location.pathname).toBe(REDIRECT);
    const taken = await take(codeIn(reply));
    expect([taken.status, taken.body]).toEqual([200, expect.objectContaining({ token_type: "Bearer", scope: "secrets:read tokens:write" })]);
    expect((await worker("GET /v1/whoami", { token: taken.body.access_token })).body).toMatchObject({ org, sub: "ada", secret_scopes: ["team:api"] });
    expect((await take(codeIn(reply))).body.error).toBe("invalid_grant");
    expect((await eventsOf(org)).map(({ action }) => action)).toEqual(["session.create", "token.create"]);
    expect(logged.join("\n")).not.toContain(codeIn(reply));
  });

  it.each([
    ["another client", { client_id: "keyhole-gui" }],
    ["another host", { redirect_uri: "http://evil.example:49152/callback" }],
    ["a name for this machine", { redirect_uri: "http://localhost:49152/callback" }],
    ["another path", { redirect_uri: "http://127.0.0.1:49152/callback/x" }],
    ["no port", { redirect_uri: "http://127.0.0.1/callback" }],
    ["a user in the address", { redirect_uri: "http://127.0.0.1:49152@evil.example/callback" }],
    ["a query of its own", { redirect_uri: "http://127.0.0.1:49152/callback?x=1" }],
    ["no redirect URI", { redirect_uri: undefined }],
  ])("is told nothing at its redirect URI with %s", async (_, query) => {
    const { status, headers } = await authorize(query);
    expect([status, headers.get("Location")]).toEqual([400, null]);
    const asked = { ...("redirect_uri" in query && query.redirect_uri !== undefined && { redirect_uri: query.redirect_uri }) };
    if ("redirect_uri" in asked) expect((await approve(await someone(), asked)).status).toBe(400);
  });

  it.each([
    ["no PKCE", { code_challenge: undefined, code_challenge_method: undefined }, "invalid_request"],
    ["PKCE in plain", { code_challenge: VERIFIER, code_challenge_method: "plain" }, "invalid_request"],
    ["a challenge alone, which would be a plain one", { code_challenge_method: undefined }, "invalid_request"],
    ["a token in place of a code", { response_type: "token" }, "unsupported_response_type"],
  ])("is refused with %s, at its redirect URI", async (_, query, error) => {
    const location = new URL((await authorize(query)).headers.get("Location") ?? "");
    expect(location.origin + location.pathname).toBe(REDIRECT);
    // Who answers is said of what is refused, too (RFC 9207, section 2).
    expect(Object.fromEntries(location.searchParams)).toEqual({ error, error_description: expect.any(String), state: "s-1", iss: ORIGIN });
  });

  it("gets nothing for a code with another verifier, another redirect URI, or after a minute", async () => {
    const visitor = await someone();
    const wrong: Record<string, string>[] = [{ code_verifier: "A".repeat(43) }, { redirect_uri: "http://127.0.0.1:49153/callback" }, { code: "A".repeat(43) }];
    for (const more of wrong) expect([more, (await take(codeIn(await approve(visitor)), more)).body.error]).toEqual([more, "invalid_grant"]);
    const code = codeIn(await approve(visitor));
    // Whoever tries a code with a wrong verifier has used it up.
    await take(code, { code_verifier: "A".repeat(43) });
    expect((await take(code)).body.error).toBe("invalid_grant");
    const late = codeIn(await approve(visitor));
    pass(60);
    expect((await take(late)).body.error).toBe("invalid_grant");
    expect((await take("short")).body.error).toBe("invalid_request");
    expect((await tokenFor({ grant_type: "authorization_code", code: late })).body.error).toBe("invalid_request");
  });

  it("gets no code without a session, of another organization than the screen shows, or when it is refused", async () => {
    expect((await approve(browser())).status).toBe(401);
    const visitor = await someone();
    const other = { headers: { "Keyhole-Organization": `${org}-x` } };
    const json = { redirect_uri: REDIRECT, code_challenge: CHALLENGE, approved: true };
    expect((await visitor.ask("POST /console/api/authorizations", { json, ...other })).status).toBe(401);
    const refused = new URL((await approve(visitor, { approved: false })).body.location).searchParams;
    expect([refused.get("error"), refused.get("code")]).toEqual(["access_denied", null]);
  });

  it("gets none for a code that logs into the console, nor a session for one of its own", async () => {
    const visitor = await someone();
    const code = codeIn(await approve(visitor));
    expect((await browser().ask("POST /console/api/session", { json: { code } })).status).toBe(401);
    expect((await take(code)).body.error).toBe("invalid_grant");
  });

  it("has a token that ends with the session's own token", async () => {
    const jti = `tok_${crypto.randomUUID()}`;
    const visitor = await someone({ jti });
    const first = codeIn(await approve(visitor));
    const token = (await take(codeIn(await approve(visitor)))).body.access_token;
    await worker("POST /v1/revocations", { token: { org }, json: { token_id: jti } });
    expect((await worker("GET /v1/whoami", { token })).status).toBe(401);
    expect((await take(first)).status).toBe(400);
  });
});

describe("a device", () => {
  const request = (more: Record<string, string> = {}) => worker("POST /oauth/device_authorization", form({ client_id: "keyhole-cli", ...more }));
  const poll = (device_code: string) => tokenFor({ grant_type: "urn:ietf:params:oauth:grant-type:device_code", device_code });
  const decide = (visitor: Browser, user_code: string, approved?: boolean) =>
    visitor.ask("POST /console/api/devices", { json: { user_code, ...(approved !== undefined && { approved }) } });

  it("waits, is shown with its address, and gets once what the session may but for what makes others", async () => {
    const asked = (await request()).body;
    expect(asked).toEqual({
      ...{ device_code: expect.stringMatching(/^[\w-]{43}$/), user_code: expect.stringMatching(/^[B-DF-HJ-NP-TV-XZ]{4}-[B-DF-HJ-NP-TV-XZ]{4}$/) },
      ...{ verification_uri: `${ORIGIN}/console/device`, verification_uri_complete: `${ORIGIN}/console/device#user_code=${asked.user_code}` },
      ...{ expires_in: 600, interval: 5 },
    });
    expect((await poll(asked.device_code)).body.error).toBe("authorization_pending");
    const visitor = await someone({ scope: "secrets:read tokens:write trusts:write keys:read keys:write" });
    const shown = {
      user_code: asked.user_code,
      ip: "198.51.100.9",
      user_agent: "keyhole/1",
      asked_at: "2026-11-28T12:00:00.000Z",
      permissions: ["secrets:read"],
    };
    expect((await decide(visitor, asked.user_code.toLowerCase().replace("-", " "))).body).toEqual({ ...shown, approved: null });
    pass(5);
    expect((await poll(asked.device_code)).body.error).toBe("authorization_pending");
    expect((await decide(visitor, asked.user_code, true)).body).toEqual({ ...shown, approved: true });
    pass(5);
    const both = await Promise.all([poll(asked.device_code), poll(asked.device_code)]);
    expect(both.map(({ status }) => status).sort()).toEqual([200, 400]);
    const given = both.find(({ status }) => status === 200)?.body;
    expect(given).toMatchObject({ token_type: "Bearer", scope: "secrets:read" });
    expect((await worker("GET /v1/whoami", { token: given.access_token })).body).toMatchObject({ org, sub: "ada", permissions: ["secrets:read"] });
    expect((await poll(asked.device_code)).body.error).toBe("expired_token");
    const listed = (await worker("GET /v1/tokens", { token: { org } })).body.tokens;
    expect(listed.map(({ label }: { label: string }) => label)).toEqual(["keyhole login --device from 198.51.100.9"]);
  });

  it("that asks too soon is slowed down, each time by five seconds more", async () => {
    const { device_code } = (await request()).body;
    const errors: string[] = [];
    for (const wait of [0, 4, 9, 10, 14, 20]) {
      pass(wait);
      errors.push((await poll(device_code)).body.error);
    }
    expect(errors).toEqual(["authorization_pending", "slow_down", "slow_down", "slow_down", "slow_down", "slow_down"]);
    pass(30);
    expect((await poll(device_code)).body.error).toBe("authorization_pending");
  });

  it("is told that it was refused, and nobody decides twice", async () => {
    const { device_code, user_code } = (await request()).body;
    const visitor = await someone();
    expect((await decide(visitor, user_code, false)).body.approved).toBe(false);
    expect((await decide(visitor, user_code, true)).body.code).toBe("device-not-found");
    expect((await poll(device_code)).body.error).toBe("access_denied");
    expect((await poll(device_code)).body.error).toBe("expired_token");
  });

  it("waits for ten minutes, and its code is none to whoever guesses, asks without a session or shows another organization", async () => {
    const { device_code, user_code } = (await request()).body;
    const visitor = await someone();
    expect((await decide(visitor, "BCDF-GHJK", true)).body.code).toBe("device-not-found");
    expect((await decide(visitor, "not a code")).status).toBe(400);
    expect((await decide(browser(), user_code, true)).status).toBe(401);
    const other = { json: { user_code, approved: true }, headers: { "Keyhole-Organization": `${org}-x` } };
    expect((await visitor.ask("POST /console/api/devices", other)).status).toBe(401);
    expect((await poll("A".repeat(43))).body.error).toBe("expired_token");
    pass(600);
    expect((await decide(visitor, user_code, true)).body.code).toBe("device-not-found");
    expect((await poll(device_code)).body.error).toBe("expired_token");
  });

  it("is shown to nobody who has tried too many codes, with its own code either", async () => {
    const { user_code } = (await request()).body;
    const visitor = await someone({}, browser(limitedTo(2)));
    for (const guess of ["BCDF-GHJK", "BCDF-GHJL"]) expect((await decide(visitor, guess)).body.code).toBe("device-not-found");
    expect((await decide(visitor, user_code)).body.code).toBe("rate-limited");
    expect((await decide(visitor, user_code, true)).body.code).toBe("rate-limited");
    expect((await decide(await someone(), user_code)).body).toMatchObject({ user_code, approved: null });
  });

  it("is stored without its codes, and is no other one's where its row is bent", async () => {
    const [mine, mallorys] = [(await request()).body, (await request()).body];
    const rows = async () => (await env.DB.prepare("SELECT * FROM device_requests").all<Record<string, string>>()).results;
    for (const code of [mine.device_code, mine.user_code, "198.51.100.9/", "keyhole/1"]) expect(JSON.stringify(await rows())).not.toContain(code);
    const shown = await env.DB.prepare("SELECT user_hash FROM device_requests").all<{ user_hash: string }>();
    expect(shown.results.length).toBeGreaterThan(1);
    // Whoever can write to D1 has another program shown for a code: that is not what was sealed.
    await env.DB.prepare("DELETE FROM device_requests WHERE user_hash = ?")
      .bind(await hash(mine.user_code))
      .run();
    await env.DB.prepare("UPDATE device_requests SET user_hash = ? WHERE user_hash = ?")
      .bind(await hash(mine.user_code), await hash(mallorys.user_code))
      .run();
    expect((await decide(await someone(), mine.user_code, true)).body.code).toBe("device-not-found");
  });

  it("is one of twenty at the most that wait from one network, and only of the client that there is", async () => {
    await env.DB.prepare("DELETE FROM device_requests").run();
    const statuses: number[] = [];
    for (let n = 0; n < 21; n += 1) statuses.push((await request()).status);
    expect(statuses).toEqual([...Array(20).fill(200), 429]);
    pass(600);
    expect((await request()).status).toBe(200);
    expect((await request({ client_id: "other" })).body.error).toBe("invalid_client");
  });
});

async function hash(text: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return new Uint8Array(digest).toBase64({ alphabet: "base64url", omitPadding: true });
}
