import { env } from "cloudflare:workers";
import { afterEach, describe, expect, inject, it, vi } from "vitest";
import { ownFields } from "../../src/worker/services/own-fields.ts";
import { at, call, put, type Reply } from "../support/call.ts";
import { callWith } from "../support/call-with.ts";
import { eventsOf } from "../support/events-of.ts";
import { mint } from "../support/mint.ts";
import { sign, type TokenClaims } from "../support/sign.ts";
import { asked, definition, replying, serve, use, VALUE } from "./upstream.ts";

const STARS = "*".repeat(VALUE.length);
const uses = async (org: string) => (await eventsOf(org)).filter(({ action }) => action === "secret.use");
const codeOf = ({ status, body, headers }: Reply) => [status, body.code ?? body, headers.get("Keyhole-Error")];
const refused = (status: number, code: string) => [status, code, code];

const TOKEN_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange";
const ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token";

afterEach(() => vi.restoreAllMocks());

/** Whether anything is asked of the upstream while something is done. */
async function outgoing(work: () => Promise<unknown>): Promise<number> {
  const out = vi.spyOn(globalThis, "fetch");
  await work();
  return out.mock.calls.length;
}

describe("a use", () => {
  it("sends a request on with the value in it, and nothing of the token or the browser", async () => {
    const { org, put: made } = await serve();
    expect([made.status, made.body.revision]).toEqual([201, 1]);
    const headers = {
      ...{ "X-Own": "1", Cookie: "a=b", "X-Forwarded-For": "1.2.3.4", "CF-Connecting-IP": "192.0.2.7", Referer: "https://x.example/", Via: "1.1 x" },
      ...{ "X-HTTP-Method-Override": "DELETE", Range: "bytes=0-1", Forwarded: "for=1", "Proxy-Authorization": "Basic eA==", "Accept-Encoding": "br" },
      ...{ Connection: "X-Listed", "X-Listed": "1", "Keyhole-Scope": "", TE: "trailers", Origin: "https://x.example" },
    };
    const { "Keyhole-Scope": _, ...sent } = headers;
    const reply = await use("POST /use/api/echo/a%2Fb?q=1&z", { token: { org }, body: "hello", headers: sent });
    expect(reply.text).not.toContain(VALUE);
    const { method, url, headers: arrived, body } = asked(reply);
    expect([method, url, body]).toEqual(["POST", "/echo/a%2Fb?q=1&z", "hello"]);
    expect(arrived).toMatchObject({ authorization: `Bearer ${STARS}`, "x-own": "1", "accept-encoding": "identity", "keyhole-hop": "1" });
    for (const name of Object.keys(sent).filter((name) => !["X-Own", "Accept-Encoding", "Connection"].includes(name)))
      expect(arrived, name).not.toHaveProperty(name.toLowerCase());
    expect(arrived.host).toBe(new URL(inject("upstream")).host);
    const [event] = await uses(org);
    expect(event).toMatchObject({ outcome: "allowed", target: "api#1 rule 1 POST /echo/a%2Fb", secrets: [{ name: "API_KEY", scope: "global", version: 1 }] });
  });

  it("is on record before it leaves, and does not leave where it cannot be", async () => {
    const { org } = await serve();
    const order: string[] = [];
    vi.spyOn(globalThis, "fetch").mockImplementation(async () => {
      order.push(`asked after ${(await uses(org)).length}`);
      return new Response("ok");
    });
    expect((await use("GET /use/api/echo/x", { token: { org } })).status).toBe(200);
    expect(order).toEqual(["asked after 1"]);
    await env.DB.prepare("INSERT INTO restores (id, backup, page, jws, begun_at) VALUES (1, 'b', 0, '', 0)").run();
    try {
      expect(codeOf(await use("GET /use/api/echo/x", { token: { org } }))).toEqual(refused(503, "storage-unavailable"));
    } finally {
      await env.DB.prepare("DELETE FROM restores").run();
    }
    expect(order).toHaveLength(1);
  });

  it("needs secrets:use: neither reading, writing nor resolving is enough, and it is none of them", async () => {
    const { org } = await serve();
    for (const scope of ["secrets:resolve secrets:read secrets:write services:write tokens:write", ""]) {
      expect(await outgoing(async () => expect(codeOf(await use("GET /use/api/echo/x", { token: { org, scope } }))).toEqual(refused(403, "forbidden")))).toBe(
        0,
      );
    }
    expect((await uses(org)).map(({ outcome, target }) => [outcome, target])).toEqual([
      ["denied", "api GET /echo/x"],
      ["denied", "api GET /echo/x"],
    ]);
    const own = { org, scope: "secrets:use" };
    expect((await use("GET /use/api/echo/x", { token: own })).status).toBe(200);
    expect((await call("POST /v1/resolve", { token: own, json: { names: ["API_KEY"] } })).status).toBe(403);
    expect((await call(`GET ${at("global", "API_KEY")}`, { token: own })).status).toBe(403);
  });

  it("is within the scopes and the names of the grant", async () => {
    const { org } = await serve();
    for (const limits of [{ secret_scopes: ["team:a"] }, { secret_names: ["OTHER"] }, { secret_scopes: [] }])
      expect(
        await outgoing(async () => expect(codeOf(await use("GET /use/api/echo/x", { token: { org, ...limits } }))).toEqual(refused(403, "forbidden"))),
      ).toBe(0);
    expect((await use("GET /use/api/echo/x", { token: { org, secret_scopes: ["global"], secret_names: ["API_*"] } })).status).toBe(200);
  });

  it("is of the services in the grant, and of no other", async () => {
    const { org } = await serve();
    await use("PUT /v1/services/billing", { token: { org }, json: definition() });
    const ask = async (service: string, services: string[]) => (await use(`GET /use/${service}/echo/x`, { token: { org, services } })).status;
    expect(
      await outgoing(async () => expect([await ask("api", ["billing"]), await ask("api", []), await ask("nowhere", ["billing"])]).toEqual([403, 403, 403])),
    ).toBe(0);
    expect([await ask("billing", ["billing"]), await ask("api", ["a*"])]).toEqual([200, 200]);
    const limited = { org, services: ["billing"] };
    const listed = (await use("GET /v1/services", { token: limited })).body.services.map(({ name }: { name: string }) => name);
    expect([listed.includes("billing"), listed.includes("api")]).toEqual([true, false]);
    for (const request of ["GET", "PUT", "DELETE"])
      expect([request, (await use(`${request} /v1/services/api`, { token: limited, json: request === "PUT" ? definition() : undefined })).status]).toEqual([
        request,
        403,
      ]);
  });

  it("is one of this organization's services, or of the operator's", async () => {
    const { org } = await serve();
    expect(codeOf(await use("GET /use/api/echo/x", { token: { org: "use-nobody" } }))).toEqual(refused(404, "service-not-found"));
    const name = `all-${crypto.randomUUID().slice(0, 8)}`;
    const platform = { org: "platform" };
    await put("global", `BUILTIN_${name.replaceAll("-", "_")}`, "sk-of-the-operator", { token: platform, fields: { hosts: ["127.0.0.1"] } });
    const builtin = { scopes: ["builtin"], inject: [{ in: "header", name: "X-Key", value: `\${BUILTIN_${name.replaceAll("-", "_")}}` }] };
    expect((await use(`PUT /v1/services/${name}`, { token: { org }, json: definition(builtin) })).body.errors).toEqual([
      expect.objectContaining({ pointer: "/scopes" }),
    ]);
    await use(`PUT /v1/services/${name}`, { token: platform, json: definition(builtin) });
    expect(asked(await use(`GET /use/${name}/echo/x`, { token: { org } })).headers["x-key"]).toBe("*".repeat("sk-of-the-operator".length));
    expect((await use(`GET /v1/services/${name}`, { token: { org } })).body).toEqual({ name, preset: null, builtin: true, allow: expect.anything() });
    expect((await use(`DELETE /v1/services/${name}`, { token: { org } })).status).toBe(404);
    await use(`DELETE /v1/services/${name}`, { token: platform });
  });
});

describe("what a service lets through", () => {
  it.each([
    ["another method", "PATCH /use/api/echo/x"],
    ["another path", "GET /use/api/admin"],
    ["a path that only begins alike", "GET /use/api/echoes"],
    ["a separator that is encoded", "GET /use/api/echo%2Fx"],
    ["nothing after the name", "GET /use/api"],
    ["an origin that it does not have", "GET /use/api/~other/echo/x"],
  ])("is not %s", async (_, request) => {
    const { org } = await serve();
    expect(await outgoing(async () => expect(codeOf(await use(request, { token: { org } }))).toEqual(refused(403, "use-not-allowed")))).toBe(0);
    expect(await uses(org)).toEqual([expect.objectContaining({ outcome: "denied", target: expect.stringMatching(/^api [A-Z]+ /) })]);
  });

  it.each([
    ["dots", "GET /use/api/echo/%252e%252e/admin"],
    ["an encoded separator around dots", "GET /use/api/echo/..%2Fadmin"],
    ["a separator encoded twice", "GET /use/api/echo/a%252Fb"],
    ["a backslash", "GET /use/api/echo/a%5Cb"],
    ["a null byte", "GET /use/api/echo/a%00b"],
    ["a line end", "GET /use/api/echo/a%0d%0aX-Other:1"],
    ["what is no UTF-8", "GET /use/api/echo/%ff"],
    ["a query that begins with another question mark", "GET /use/api/echo/x??mode=read"],
  ])("has no path with %s", async (_, request) => {
    const { org } = await serve();
    expect(await outgoing(async () => expect(codeOf(await use(request, { token: { org } }))).toEqual(refused(400, "invalid-request")))).toBe(0);
  });

  it("leaves the service by no dots that were resolved on the way", async () => {
    const { org } = await serve();
    expect((await use("GET /use/api/echo/../admin", { token: { org } })).status).toBe(403);
    expect((await use("GET /use/api/../../v1/whoami", { token: { org } })).body.org).toBe(org);
  });

  it("has further origins by their names, and values only for hosts of the secret", async () => {
    const upstream = inject("upstream");
    const { org } = await serve({ origin: undefined, origins: { "": upstream, local: upstream.replace("127.0.0.1", "localhost") } });
    expect((await use("GET /use/api/echo/x", { token: { org } })).status).toBe(200);
    const other = () => use("GET /use/api/~local/echo/x", { token: { org } });
    expect(await outgoing(async () => expect(codeOf(await other())).toEqual(refused(403, "use-not-allowed")))).toBe(0);
    expect((await uses(org)).at(-1)).toMatchObject({ outcome: "denied", secrets: [{ name: "API_KEY", scope: "global" }] });
    const { id } = (await call(`GET ${at("global", "API_KEY")}`, { token: { org } })).body;
    await call(`PATCH /v1/secrets/${id}`, { token: { org }, json: { hosts: ["127.0.0.1", "localhost"] } });
    expect(asked(await other()).url).toBe("/echo/x");
  });
});

describe("the token", () => {
  it.each(["x-api-key", "api-key", "x-goog-api-key", "private-token", "X-Amz-Security-Token"])("is taken from %s", async (name) => {
    const { org } = await serve();
    const token = await sign({ org });
    const reply = await use("GET /use/api/echo/x", { token: null, headers: { [name]: token } });
    expect(reply.status).toBe(200);
    expect(reply.text).not.toContain(token);
    expect(asked(reply).headers.authorization).toBe(`Bearer ${STARS}`);
  });

  it("may come twice, but not two of them", async () => {
    const { org } = await serve();
    const [token, other] = [await sign({ org }), await sign({ org })];
    expect((await use("GET /use/api/echo/x", { token, headers: { "x-api-key": token } })).status).toBe(200);
    expect(codeOf(await use("GET /use/api/echo/x", { token, headers: { "x-api-key": other } }))).toEqual(refused(401, "unauthenticated"));
    expect(codeOf(await use("GET /use/api/echo/x", { token, headers: { "api-key": "another-key" } }))).toEqual(refused(401, "unauthenticated"));
    expect(codeOf(await use("GET /use/api/echo/x", { token: null, headers: { Authorization: `Bearer ${token}, Bearer ${other}` } }))).toEqual(
      refused(401, "unauthenticated"),
    );
  });

  it("is none in a cookie, and is asked for without a challenge that a browser would show", async () => {
    const { org } = await serve();
    const reply = await use("GET /use/api/echo/x", { token: null, headers: { Cookie: `token=${await sign({ org })}` } });
    expect([codeOf(reply), reply.headers.get("WWW-Authenticate")]).toEqual([refused(401, "unauthenticated"), 'Bearer error="invalid_token"']);
  });

  it.each([
    ["git/2.45.0", "/echo/x"],
    ["git/2.0 (libgit2 1.9.0)", "/echo/x"],
    ["JGit/7.1.0", "/echo/x"],
    ["of no name", "/acme/api.git/info/refs?service=git-upload-pack"],
    ["of no name", "/acme/api.git/git-receive-pack"],
    ["of no name", "/acme/api.git/info/lfs/objects/batch"],
  ])("is asked for as a Basic password by %s at %s, unless a service is known that takes none", async (agent, path) => {
    const headers = { "User-Agent": agent };
    const challenge = async (token: string | null) => {
      const reply = await use(`GET /use/api${path}`, { token: null, headers: { ...headers, ...(token && { Authorization: `Basic ${btoa(`x:${token}`)}` }) } });
      return [reply.status, reply.headers.get("WWW-Authenticate")];
    };
    for (const token of [null, `${await sign()}x`]) expect(await challenge(token)).toEqual([401, 'Basic realm="keyhole", charset="UTF-8"']);
    const { org } = await serve();
    expect(await challenge(await sign({ org }))).toEqual([401, 'Bearer error="invalid_token"']);
  });

  it("is asked for as a Basic password of whoever sends it in the query to a service that takes those", async () => {
    const { org } = await serve({ basic: true });
    const reply = await use(`GET /use/api/echo/x?key=${await sign({ org })}`, { token: null });
    expect([reply.status, reply.headers.get("WWW-Authenticate")]).toEqual([401, 'Basic realm="keyhole", charset="UTF-8"']);
  });

  it("is taken as a Basic password only where the service says so", async () => {
    const basic = async (org: string) => ({ token: null, headers: { Authorization: `Basic ${btoa(`x-access-token:${await sign({ org })}`)}` } });
    const { org } = await serve();
    expect(codeOf(await use("GET /use/api/echo/x", await basic(org)))).toEqual(refused(401, "unauthenticated"));
    const other = await serve({ basic: true, inject: [{ in: "basic", username: "user", password: "${API_KEY}" }] });
    const reply = await use("GET /use/api/echo/x", await basic(other.org));
    const { authorization = "" } = asked(reply).headers;
    expect(authorization).toMatch(/^Basic \*+$/);
    expect(authorization.length).toBe(6 + btoa(`user:${VALUE}`).length);
  });

  it("is taken from the query only where the service injects there, and goes nowhere", async () => {
    const query = async (org: string) => `GET /use/api/echo/x?a=1&key=${await sign({ org })}&key=mine&b=2`;
    const { org } = await serve();
    expect(codeOf(await use(await query(org), { token: null }))).toEqual(refused(401, "unauthenticated"));
    const other = await serve({ inject: [{ in: "query", name: "key", value: "${API_KEY}" }] });
    expect(asked(await use(await query(other.org), { token: null })).url).toBe(`/echo/x?a=1&b=2&key=${STARS}`);
    const named = await use("GET /use/api/echo/x?%6bey=evil&a=1", { token: { org: other.org } });
    expect(asked(named).url, "whoever asks has none of their own").toBe(`/echo/x?a=1&key=${STARS}`);
  });

  it("ends uses when it is revoked", async () => {
    const { org } = await serve();
    const { id, token } = await mint({ permissions: ["secrets:use"] }, { token: { org } });
    expect((await use("GET /use/api/echo/x", { token })).status).toBe(200);
    await call(`DELETE /v1/tokens/${id}`, { token: { org } });
    expect(await outgoing(async () => expect(codeOf(await use("GET /use/api/echo/x", { token }))).toEqual(refused(401, "unauthenticated")))).toBe(0);
  });
});

describe("a reply", () => {
  const FORMS = ["", "hex:", "base64:", "base64url:", "percent:", "json:"].map((form) => `{{${form}authorization}}`);

  it.each(FORMS)("does not have the value as %s, wherever it is cut", async (form) => {
    const { org } = await serve();
    const chunks = [`before ${form} after `, form, "\nend"];
    const reply = await use(`GET /use/api${replying({ chunks })}`, { token: { org } });
    expect(reply.text).toMatch(/^before .*\*{12}.* after .*\nend$/s);
    for (const readable of [reply.text, decodeURIComponent(reply.text.replaceAll(/%(?![0-9a-f]{2})/g, "")), hexOf(reply.text)])
      expect(readable).not.toContain(VALUE);
    expect(
      reply.text
        .match(/[A-Za-z0-9+/_-]{16,}=*/g)
        ?.map(fromBase64)
        .join(" ") ?? "",
    ).not.toContain(VALUE.slice(3));
  });

  it("does not have it in headers, errors, gzip or events, either", async () => {
    const { org } = await serve();
    const seen: string[] = [];
    for (const spec of [
      { headers: { "X-Echo": "{{authorization}}", Link: `<${inject("upstream")}/a?{{authorization}}>; rel="next"` } },
      { status: 401, chunks: ['{"error": "{{authorization}} is no key"}'], headers: { "WWW-Authenticate": 'Basic realm="{{authorization}}"' } },
      { encoding: "gzip" as const, chunks: ["zipped {{authorization}}"] },
      { headers: { "Content-Type": "text/event-stream" }, sized: false, chunks: ["data: {{auth", "orization}}\n\n", "data: {{authorization}}\n\n"] },
    ]) {
      const reply = await use(`GET /use/api${replying(spec)}`, { token: { org } });
      seen.push(`${reply.status} ${[...reply.headers].join("\n")} ${reply.text}`);
      expect(reply.headers.get("WWW-Authenticate")).toBeNull();
      expect(reply.headers.get("Keyhole-Error")).toBeNull();
      expect(reply.headers.get("Content-Encoding")).toBeNull();
    }
    expect(seen.join("\n")).not.toContain(VALUE);
    expect(seen[0]).toContain(`<https://keyhole.test/use/api/a?Bearer%20${STARS}>; rel="next"`);
    expect(seen[1]).toContain(`401`);
    expect(seen[2]).toContain(`zipped Bearer ${STARS}`);
  });

  it("is nothing in another encoding", async () => {
    const { org } = await serve();
    expect(codeOf(await use(`GET /use/api${replying({ encoding: "br", chunks: ["x"] })}`, { token: { org } }))).toEqual(refused(502, "upstream-encoding"));
  });

  it.each(["x-gzip", "GZIP", "gzip, gzip", "deflate"])(
    "is nothing in an encoding that is called %s: what cannot be read is not looked through",
    async (name) => {
      const { org } = await serve();
      const reply = await use(`GET /use/api${replying({ headers: { "Content-Encoding": name }, chunks: ["{{authorization}}"] })}`, { token: { org } });
      expect(codeOf(reply)).toEqual(refused(502, "upstream-encoding"));
      expect(reply.headers.get("x-should-retry"), "the service has done what was asked").toBe("false");
    },
  );

  it("says that something was made, but not where, when that is elsewhere", async () => {
    const { org } = await serve();
    const made = (location: string) => use(`POST /use/api${replying({ status: 201, headers: { Location: location }, chunks: ["made"] })}`, { token: { org } });
    const elsewhere = await made("https://elsewhere.example.com/1");
    expect([elsewhere.status, elsewhere.headers.get("Location"), elsewhere.text]).toEqual([201, null, "made"]);
    expect((await made("/echo/1")).headers.get("Location")).toBe("https://keyhole.test/use/api/echo/1");
  });

  it("does not have it where it was put in as a user name", async () => {
    const { org } = await serve({ inject: [{ in: "basic", username: "${API_KEY}", password: "x${API_KEY}" }] });
    const reply = await use(`GET /use/api${replying({ status: 401, chunks: [`no such user: ${VALUE}`] })}`, { token: { org } });
    expect([reply.status, reply.text]).toEqual([401, `no such user: ${STARS}`]);
  });

  it("has none of what it says to browsers, nor of what Keyhole says", async () => {
    const { org } = await serve();
    const headers = {
      ...{ "Set-Cookie": "a=b", "Clear-Site-Data": '"*"', "Service-Worker-Allowed": "/", Refresh: "0; url=/", "Access-Control-Allow-Origin": "*" },
      ...{
        "Strict-Transport-Security": "max-age=0",
        "Alt-Svc": "h3",
        "Report-To": "{}",
        "Content-Security-Policy": "default-src *",
        "Keyhole-Error": "forbidden",
      },
      ...{
        "Cross-Origin-Resource-Policy": "cross-origin",
        "Cache-Control": "public, max-age=60",
        "X-Content-Type-Options": "x",
        NEL: "{}",
        "Content-Type": "text/html",
      },
    };
    const reply = await use(`GET /use/api${replying({ headers, chunks: ["<script>"] })}`, { token: { org } });
    for (const name of [
      "Set-Cookie",
      "Clear-Site-Data",
      "Service-Worker-Allowed",
      "Refresh",
      "Access-Control-Allow-Origin",
      "Alt-Svc",
      "Report-To",
      "Keyhole-Error",
      "NEL",
    ])
      expect(reply.headers.get(name), name).toBeNull();
    expect(Object.fromEntries(reply.headers)).toMatchObject({
      ...{ "content-security-policy": "sandbox; default-src 'none'", "x-content-type-options": "nosniff", "cross-origin-resource-policy": "same-origin" },
      ...{ "cache-control": "no-store", "content-type": "text/html", "strict-transport-security": "max-age=31536000" },
    });
  });

  it("leads back through Keyhole where it redirects within the service, and nowhere else but where the service says", async () => {
    const upstream = inject("upstream");
    const { org } = await serve({ redirects: ["files.example.com"] });
    const redirect = async (location: string) => {
      const reply = await use(`GET /use/api${replying({ status: 302, headers: { Location: location } })}`, { token: { org } });
      return reply.status === 302 ? reply.headers.get("Location") : codeOf(reply);
    };
    expect(await redirect("/echo/next?a=1")).toBe("https://keyhole.test/use/api/echo/next?a=1");
    expect(await redirect(`${upstream}/echo/abs`)).toBe("https://keyhole.test/use/api/echo/abs");
    expect(await redirect("https://files.example.com/f?sig=1")).toBe("https://files.example.com/f?sig=1");
    for (const elsewhere of [
      "https://evil.example.com/",
      "//evil.example.com/",
      "http://files.example.com/",
      "https://files.example.com:8443/",
      "javascript:alert(1)",
      "https://{",
    ])
      expect(await redirect(elsewhere), elsewhere).toEqual(refused(502, "redirect-refused"));
  });

  describe("whose JSON has addresses that clients follow", () => {
    const fields = { origins: { "": inject("upstream"), files: "https://files.example.com" }, origin: undefined, url_fields: ["url", "*_url"] };
    const here = "https://keyhole.test/use/api";
    async function shown(text: string, spec: object = {}, status = 200): Promise<string> {
      const { org } = await serve(fields);
      const chunks = text.match(/.{1,100000}/gs) ?? [];
      const reply = await use(`GET /use/api${replying({ headers: { "Content-Type": "application/json; charset=utf-8" }, chunks, ...spec })}`, {
        token: { org },
      });
      expect(reply.status).toBe(status);
      return reply.text;
    }

    it("leads back through Keyhole by those that a service names, and has nothing else changed", async () => {
      const from = inject("upstream");
      const document = (own: string, files: string) =>
        `{"url" : "${own}/a?b=${from}", "n": 12345678901234567890, "upload_url":"${files}/x{?name,label}","html_url":"https://example.com/${from}",` +
        `"list":[{"a_url":"${own}","x":1.0},"url","${from}/y"],"body":"\\"url\\":\\"${from}/z\\"", "curl":"${from}/c", "b_url":"${own.replaceAll("/", "\\/")}\\/q\\u00e9",` +
        `"c_url":"${from}.evil.example/","d_url":"${from}@evil.example/","e_url":null,"f_url":"ü","g_url":"x${from}/"}\n`;
      // An escaped slash in what is replaced is not kept: both are the same text.
      const expected = document(here, `${here}/~files`).replace(here.replaceAll("/", "\\/"), here);
      expect(await shown(document(from, "https://files.example.com"))).toBe(expected);
      expect(await shown(document(from, "https://files.example.com"), { encoding: "gzip" })).toBe(expected);
    });

    it("is without the value there, too", async () => {
      const text = await shown(`{"url":"${inject("upstream")}/{{authorization}}","other":"{{authorization}}"}`);
      expect(text).toBe(`{"url":"${here}/Bearer ${STARS}","other":"Bearer ${STARS}"}`);
    });

    it("has them as they came in a body that is no JSON by its type, is a part, has no end, is no text, or is larger than 4 MiB", async () => {
      const url = `{"url":"${inject("upstream")}/"`;
      expect(await shown(`${url}}`, { headers: { "Content-Type": "text/plain" } })).toBe(`${url}}`);
      expect(await shown(`${url}}`, { status: 206 }, 206)).toBe(`${url}}`);
      const definition = { origins: { "": inject("upstream") }, redirects: [] };
      for (const text of [
        `${url.slice(0, -1)}`,
        "",
        `\xff${url}}`,
        `${url},"x":"${"x".repeat(4 * 2 ** 20)}"}`,
        '"\\'.repeat(100_000),
        '"a" '.repeat(100_000),
      ]) {
        const bytes = Uint8Array.from(text, (character) => character.charCodeAt(0));
        const body = new Response(bytes).body as ReadableStream<Uint8Array>;
        const back = new Uint8Array(await new Response(body.pipeThrough(ownFields({ base: here, definition }, ["url"]))).arrayBuffer());
        expect(new TextDecoder("latin1").decode(back) === text, text.slice(0, 50)).toBe(true);
      }
    });
  });

  it("keeps its status, its length, and that a body has none", async () => {
    const { org } = await serve();
    const sized = await use(`GET /use/api${replying({ status: 418, chunks: ["short"] })}`, { token: { org } });
    expect([sized.status, sized.text]).toEqual([418, "short"]);
    expect((await use(`GET /use/api${replying({ status: 204 })}`, { token: { org } })).status).toBe(204);
    const head = await use(`HEAD /use/api${replying({ chunks: ["hello"] })}`, { token: { org } });
    expect([head.status, head.text]).toEqual([200, ""]);
  });

  it("ends with the time that the service gives it, and leaves an upstream that never ends when the caller does", async () => {
    const { org } = await serve({ max_seconds: 1 });
    await expect(use(`GET /use/api${replying({ endless: true, chunks: ["a"] })}`, { token: { org } })).rejects.toThrow();
    expect(codeOf(await use(`GET /use/api${replying({ silent: true })}`, { token: { org } }))).toEqual(refused(504, "upstream-timeout"));
    expect(codeOf(await use(`GET /use/api${replying({ broken: true })}`, { token: { org } })).slice(0, 1)).toEqual([502]);
  });

  it("says nothing of the value when the upstream cannot be reached", async () => {
    const { org } = await serve();
    const logged = vi.spyOn(console, "log");
    vi.spyOn(globalThis, "fetch").mockImplementation(async (_, init) => {
      throw new TypeError(`cannot send ${JSON.stringify([...new Headers(init?.headers)])}`);
    });
    const reply = await use("GET /use/api/echo/x", { token: { org } });
    expect(codeOf(reply)).toEqual(refused(502, "upstream-unreachable"));
    expect(reply.text + JSON.stringify(logged.mock.calls)).not.toContain(VALUE);
    expect(reply.body).toMatchObject({
      error: { code: "upstream-unreachable", type: "upstream-unreachable", message: reply.body.detail },
      message: reply.body.detail,
    });
    expect(reply.headers.get("x-should-retry")).toBeNull();
  });
});

describe("a request", () => {
  it("has a body up to the service's size", async () => {
    const { org } = await serve({ max_body_bytes: 10 });
    const post = (body: BodyInit, headers = {}) => use("POST /use/api/echo/x", { token: { org }, body, headers });
    expect(asked(await post("0123456789")).body).toBe("0123456789");
    expect(codeOf(await post("0123456789a", { "Content-Length": "11" }))).toEqual(refused(413, "body-too-large"));
    const stream = () => new Response("0123456789abcdef").body as BodyInit;
    expect(codeOf(await post(stream()))).toEqual(refused(413, "body-too-large"));
    // A Worker of the same account may say any length of what it sends.
    expect((await post("0123456789abcdef", { "Content-Length": "5" })).status).toBe(502);
  });

  it("is none of a browser's, and none that has been here", async () => {
    const { org } = await serve();
    const ask = (headers: Record<string, string>) => use("GET /use/api/echo/x", { token: { org }, headers });
    for (const headers of [{ "Sec-Fetch-Mode": "navigate" }, { "Sec-Fetch-Dest": "image" }, { "Sec-Fetch-Dest": "iframe" }])
      expect(codeOf(await ask(headers as unknown as Record<string, string>))).toEqual(refused(403, "use-not-allowed"));
    expect((await ask({ "Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty" })).status).toBe(200);
    expect(codeOf(await ask({ "Keyhole-Hop": "1" }))).toEqual(refused(508, "loop-detected"));
    expect(codeOf(await ask({ Upgrade: "websocket" }))).toEqual(refused(426, "upgrade-required"));
    const preflight = await use("OPTIONS /use/api/echo/x", { token: null, headers: { Origin: "https://x.example", "Access-Control-Request-Method": "GET" } });
    expect([preflight.status, preflight.headers.get("Access-Control-Allow-Origin")]).toEqual([401, null]);
  });

  it("is one of so many that its caller has in a minute, whose narrower tokens have none of their own", async () => {
    const { org } = await serve({ uses_per_minute: 2 });
    await use("PUT /v1/services/other", { token: { org }, json: definition({ uses_per_minute: 1 }) });
    const ask = async (token: TokenClaims | string, request = "GET /use/api/echo/x") => {
      const reply = await use(request, { token });
      return [reply.status, reply.headers.get("Retry-After")];
    };
    expect([await ask({ org }, "GET /use/api/admin"), await ask({ org }), await ask({ org })]).toEqual([
      [403, null],
      [200, null],
      [200, null],
    ]);
    const made = (await uses(org)).length;
    const again = await use("GET /use/api/echo/x", { token: { org } });
    expect(codeOf(again)).toEqual(refused(429, "rate-limited"));
    expect([again.headers.get("Retry-After"), again.headers.get("x-should-retry")]).toEqual(["30", null]);
    const narrower = { grant_type: TOKEN_EXCHANGE, subject_token: await sign({ org }), subject_token_type: ACCESS_TOKEN };
    const { access_token } = (await use("POST /oauth/token", { token: null, body: new URLSearchParams(narrower) as unknown as BodyInit })).body;
    expect(await ask(access_token)).toEqual([429, "30"]);
    const json = { jsonrpc: "2.0", id: 1, method: "tools/call", params: { name: "http_request", arguments: { service: "api", path: "/echo/x" } } };
    expect((await use("POST /mcp", { token: { org }, json })).body.result.content[0].text).toMatch(/^rate-limited:/);
    expect((await uses(org)).length, "none of it is on record, because nothing was read").toBe(made);
    expect([await ask({ org, sub: "another" }), await ask({ org }, "GET /use/other/echo/x")]).toEqual([
      [200, null],
      [200, null],
    ]);
  });

  it("may ask for a part where the service says so", async () => {
    const { org } = await serve({ ranges: true });
    expect(asked(await use("GET /use/api/echo/x", { token: { org }, headers: { Range: "bytes=0-1" } })).headers.range).toBe("bytes=0-1");
  });
});

describe("the secret of a use", () => {
  it("comes from the most specific scope that has all, and is not replaced by a wider one", async () => {
    const two = { scopes: ["global", "namespace:prod"], inject: [{ in: "header", name: "X-Keys", value: "${API_KEY} ${SECOND}" }] };
    const { org } = await serve(two);
    const token = { org };
    const hosts = { hosts: ["127.0.0.1"] };
    const keys = async (claims: object = {}) => codeOf(await use("GET /use/api/echo/x", { token: { org, ...claims } })).slice(0, 2);
    expect(await keys()).toEqual([404, "secret-not-found"]);
    await put("global", "SECOND", "global-second-value", { token, fields: hosts });
    expect((await keys())[0]).toBe(200);
    await put("namespace:prod", "API_KEY", "prod-first-value-1", { token, fields: hosts });
    await use("GET /use/api/echo/x", { token });
    expect(
      (await uses(org)).at(-1)?.secrets.map(({ scope }) => scope),
      "one of two is not all",
    ).toEqual(["global", "global"]);
    const { id } = (await put("namespace:prod", "SECOND", "prod-second-value", { token, fields: hosts })).body;
    await use("GET /use/api/echo/x", { token });
    expect((await uses(org)).at(-1)?.secrets.map(({ scope }) => scope)).toEqual(["namespace:prod", "namespace:prod"]);
    await use("GET /use/api/echo/x", { token: { org, secret_scopes: ["global"] } });
    expect(
      (await uses(org)).at(-1)?.secrets.map(({ scope }) => scope),
      "beyond the grant nothing is searched",
    ).toEqual(["global", "global"]);
    await env.DB.prepare("UPDATE secrets SET expires_at = 1 WHERE id = ?").bind(id).run();
    expect(await keys(), "what is not what was written does not count").toEqual([500, "integrity-failed"]);
  });

  it("is the locked one, or none", async () => {
    const { org } = await serve({ scopes: ["namespace:prod", "global"] });
    const token = { org };
    const fields = { hosts: ["127.0.0.1"] };
    const scope = async () => {
      const reply = await use("GET /use/api/echo/x", { token });
      return reply.status === 200 ? (await uses(org)).at(-1)?.secrets[0]?.scope : codeOf(reply).slice(0, 2);
    };
    await put("namespace:prod", "API_KEY", "value-of-namespace", { token, fields });
    expect(await scope()).toBe("namespace:prod");
    await put("global", "API_KEY", VALUE, { token, fields: { ...fields, locked: true } });
    expect(await scope()).toBe("global");
    await put("global", "API_KEY", VALUE, { token, fields: { locked: false } });
    await call("PUT /v1/scopes/namespace%3Aprod", { token, json: { parent: "team:t" } });
    await put("team:t", "API_KEY", "value-of-the-team", { token, fields: { locked: true } });
    expect(await scope(), "locked where the service does not search").toEqual([422, "name-locked"]);
  });

  it("is of the one scope of a kind that the grant has, or the request says", async () => {
    const { org } = await serve({ scopes: ["repo:*"] });
    await put("repo:acme/api", "API_KEY", "value-of-the-repo", { token: { org }, fields: { hosts: ["127.0.0.1"] } });
    const ask = async (claims: object, headers: Record<string, string> = {}) =>
      codeOf(await use("GET /use/api/echo/x", { token: { org, ...claims }, headers })).slice(0, 1);
    expect(await ask({ secret_scopes: ["repo:acme/api", "global"] })).toEqual([200]);
    expect(await ask({ secret_scopes: ["repo:acme/api", "repo:acme/web"] })).toEqual([400]);
    expect(await ask({ secret_scopes: ["repo:acme/*"] }, { "Keyhole-Scope": "repo:acme/api" })).toEqual([200]);
    expect(await ask({ secret_scopes: ["repo:acme/*"] }, { "Keyhole-Scope": "repo:other/api" })).toEqual([403]);
    expect(await ask({}, { "Keyhole-Scope": "global" })).toEqual([400]);
    expect(await ask({})).toEqual([400]);
  });

  it.each([
    ["too short", "12345678901", "value-too-short"],
    ["of two lines", "line one of it\nX-Other: 1", "value-not-injectable"],
    ["no text", "ümlaut-ümlaut-ümlaut", "value-not-injectable"],
    ["with a space at its end", "value with space at end ", "value-not-injectable"],
  ])("is refused where it is %s, and that it did not leave is on record", async (_, value, code) => {
    const { org } = await serve({}, { value });
    expect(await outgoing(async () => expect(codeOf(await use("GET /use/api/echo/x", { token: { org } }))).toEqual(refused(422, code)))).toBe(0);
    expect((await uses(org)).map(({ outcome }) => outcome)).toEqual(["allowed", "failed"]);
  });

  it("makes no credentials larger than servers take", async () => {
    const value = "${API_KEY}".repeat(100);
    const { org } = await serve({ inject: [{ in: "header", name: "X-Key", value }] }, { value: "v".repeat(200) });
    expect(codeOf(await use("GET /use/api/echo/x", { token: { org } }))).toEqual(refused(422, "value-not-injectable"));
  });

  it("loses the end of its last line", async () => {
    const { org } = await serve({}, { value: `${VALUE}\n` });
    expect(asked(await use("GET /use/api/echo/x", { token: { org } })).headers.authorization).toBe(`Bearer ${STARS}`);
  });
});

describe("where services are used", () => {
  it("is not by path where USE_PATHS is off", async () => {
    const { org } = await serve();
    const off = callWith({ ALLOW_INSECURE_ORIGINS: "true", USE_PATHS: "off" });
    expect(codeOf(await off("GET /use/api/echo/x", { token: { org } }))).toEqual(refused(404, "route-not-found"));
  });

  it("is a host that is a service, where nothing else is served", async () => {
    const { org } = await serve();
    const byHost = callWith({ ALLOW_INSECURE_ORIGINS: "true", USE_HOSTS: '{"keyhole.test": "api"}' });
    const reply = await byHost("GET /echo/x?a", { token: { org } });
    expect(asked(reply).url).toBe("/echo/x?a");
    const redirect = await byHost(`GET ${replying({ status: 307, headers: { Location: "/echo/next" } })}`, { token: { org } });
    expect(redirect.headers.get("Location")).toBe("https://keyhole.test/echo/next");
    for (const path of ["/v1/whoami", "/v1/resolve", "/healthz", "/openapi.json", "/use/api/echo/x", "/oauth/token"])
      expect(codeOf(await byHost(`GET ${path}`, { token: { org } })), path).toEqual(refused(403, "use-not-allowed"));
  });

  it("is never this machine or another one inside where origins are to be public", async () => {
    const { org } = await serve();
    expect(
      await outgoing(async () => expect(codeOf(await call("GET /use/api/echo/x", { token: { org } })).slice(0, 2)).toEqual([403, "use-not-allowed"])),
    ).toBe(0);
  });
});

function hexOf(text: string): string {
  return (
    text
      .match(/(?:[0-9a-f]{2}){8,}/g)
      ?.map((hex) => hex.replaceAll(/../g, (pair) => String.fromCharCode(Number.parseInt(pair, 16))))
      .join(" ") ?? ""
  );
}

function fromBase64(text: string): string {
  try {
    return atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  } catch {
    return "";
  }
}
