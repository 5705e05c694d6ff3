import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { NATIVE_NAMES, orgSchema } from "../../src/contract/org-name.ts";
import { PERMISSIONS } from "../../src/contract/permission.ts";
import { PROBLEMS } from "../../src/contract/problem.ts";
import { consoleFront } from "../../src/worker/http/console/console-front.ts";
import { nativeFront } from "../../src/worker/http/native/native-front.ts";
import { call, type Reply } from "../support/call.ts";
import { sign } from "../support/sign.ts";
import { BAD_TOKENS } from "./bad-tokens.ts";
import { beginSession, CONSOLE_OPERATIONS, makeSubject, OPERATIONS, OWN_PAGE } from "./operations.ts";

async function countOf(table: string): Promise<unknown> {
  return env.DB.prepare(`SELECT COUNT(*) AS n FROM ${table}`).first("n");
}

/** A quarter of the bad tokens, another one for each operation and in each run, and all of them where there is time. */
function badTokensFor(operation: string) {
  const nth = env.TEST_SEED + Object.keys(OPERATIONS).indexOf(operation);
  return Object.entries(BAD_TOKENS).filter((_, index) => env.EVERY_CASE || (index + nth) % 4 === 0);
}

const denials = async (org: string) =>
  (await env.DB.prepare("SELECT action, outcome, secrets, target, actor, request_id FROM audit_events WHERE org = ? AND outcome = 'denied'").bind(org).all())
    .results;

function expectForbidden(reply: Reply, permission: string | null): void {
  expect([reply.status, reply.body.code]).toEqual([403, "forbidden"]);
  expect(reply.headers.get("WWW-Authenticate")).toBe(`Bearer error="insufficient_scope", scope="${permission}"`);
  expect(reply.text).not.toMatch(/subject-value|SUBJECT_/);
}

/** Whether a call asks for something that has a name or an id, which a refusal then has on record. */
const asksForOne = (operation: string) =>
  operation.includes("{") || ["POST /v1/secrets", "POST /v1/import", "POST /v1/import/object", "POST /v1/resolve"].includes(operation);

it("has a row for every operation under /v1 that the API description lists, for the metrics, and for no other", async () => {
  const { body } = await call("GET /openapi.json", { token: null });
  const listed = Object.entries<object>(body.paths).flatMap(([path, item]) => Object.keys(item).map((method) => `${method.toUpperCase()} ${path}`));
  expect(listed.filter((operation) => operation.includes(" /v1/") || operation === "GET /metrics").sort()).toEqual(Object.keys(OPERATIONS).sort());
});

it("no organization is called what comes first in the path of an operation", () => {
  const first = Object.keys(OPERATIONS)
    .filter((operation) => operation.includes(" /v1/"))
    .map((operation) => operation.split("/")[2] ?? "");
  expect(first.filter((name) => !(NATIVE_NAMES as readonly string[]).includes(name))).toEqual([]);
  expect([...NATIVE_NAMES, "kv", "Secrets", "acme"].filter((name) => orgSchema.safeParse(name).success)).toEqual(["Secrets", "acme"]);
});

describe.each(Object.entries(OPERATIONS))("%s", (operation, { permission, orElse, prepare, request, elsewhere, limits, everyName, repeats, action }) => {
  it("refuses every bad token with one and the same 401, and does nothing", async () => {
    const subject = await makeSubject("acme", prepare);
    const before = [await countOf("secrets"), await countOf("versions"), await countOf("audit_events")];
    const bodies = new Set<string>();
    for (const [reason, make] of badTokensFor(operation)) {
      const reply = await request(subject, await make());
      expect([reason, reply.status, reply.headers.get("WWW-Authenticate")]).toEqual([reason, 401, 'Bearer error="invalid_token"']);
      expect(reply.headers.get("Content-Type")).toBe("application/problem+json");
      bodies.add(JSON.stringify({ ...reply.body, request_id: "" }));
    }
    expect([...bodies]).toHaveLength(1);
    expect([await countOf("secrets"), await countOf("versions"), await countOf("audit_events")]).toEqual(before);
  });

  it.runIf(permission)("refuses a token without its permission, whatever others it has, and puts that on record", async () => {
    const org = `no-permission-${crypto.randomUUID().slice(0, 8)}`;
    const subject = await makeSubject(org, prepare);
    const reply = await request(subject, { org, scope: PERMISSIONS.filter((other) => other !== permission && other !== orElse).join(" "), sub: "denied-one" });
    expectForbidden(reply, permission);
    const requestId = reply.headers.get("X-Request-Id");
    const recorded = await denials(org);
    expect(recorded).toEqual([expect.objectContaining({ action, actor: "denied-one", request_id: requestId })]);
    if (!asksForOne(operation)) return;
    const asked = [subject.scope, subject.name, subject.id, subject.target].filter((text) => text.length > 1);
    expect(asked.some((text) => JSON.stringify(recorded).includes(text))).toBe(true);
  });

  it.runIf(permission)("refuses a token without any permission", async () => {
    const org = `no-permission-${crypto.randomUUID().slice(0, 8)}`;
    const subject = await makeSubject(org, prepare);
    expectForbidden(await request(subject, { org, scope: "" }), permission);
  });

  it("lets a token with its permission alone through", async () => {
    const subject = await makeSubject("acme", prepare);
    expect((await request(subject, { scope: `${permission ?? ""} other:thing` })).status).toBeLessThan(300);
  });

  it.runIf(limits.length > 0).each(limits)("refuses what is outside the %s of the grant, and puts that on record", async (limit) => {
    const org = `outside-${crypto.randomUUID().slice(0, 8)}`;
    const subject = await makeSubject(org, prepare);
    const patterns = [["team:subject2", "global", "team:sub"], ["repo:*"], []];
    for (const pattern of limit === "secret_scopes" ? patterns : [["SUBJECT", "subject*"], ["OTHER*"], []]) {
      expectForbidden(await request(subject, { org, [limit]: pattern }), permission);
    }
    expect(await denials(org)).toHaveLength(3);
  });

  it("lets a grant through that covers the subject by a literal or a pattern", async () => {
    for (const by of ["literal", "pattern"]) {
      const subject = await makeSubject("acme", prepare);
      const names = by === "literal" ? [subject.name, `${subject.name}_NEW`] : ["SUB*"];
      const scopes = by === "literal" ? ["team:subject", "team:parent"] : ["team:*"];
      expect((await request(subject, { secret_scopes: scopes, ...(!everyName && { secret_names: names }) })).status).toBeLessThan(300);
    }
  });

  if (everyName) {
    it("refuses a grant that covers some names only", async () => {
      const subject = await makeSubject("acme", prepare);
      expectForbidden(await request(subject, { secret_names: ["SUB*"] }), permission);
    });
  }

  it("shows another organization nothing and changes nothing there", async () => {
    const subject = await makeSubject("acme", prepare);
    const org = `other-${crypto.randomUUID().slice(0, 8)}`;
    const seen = async () => (await env.DB.prepare("SELECT * FROM secrets WHERE id = ?").bind(subject.id).first()) ?? expect.fail("the subject is gone");
    const before = await seen();
    const reply = await request(subject, { org });
    for (const hidden of ["subject-value", subject.id, ...(subject.target.length > 1 && !repeats ? [subject.target] : [])])
      expect(reply.text).not.toContain(hidden);
    if (typeof elsewhere === "string") expect([reply.status, reply.body.code]).toEqual([PROBLEMS[elsewhere].status, elsewhere]);
    else expect(reply.status).toBe(elsewhere);
    expect(await seen()).toEqual(before);
  });
});

/** What another page, another site or another program sends in place of {@link OWN_PAGE}. */
const STRANGERS = {
  "without the header": { ...OWN_PAGE, "Keyhole-Console": "" },
  "from another site": { ...OWN_PAGE, "Sec-Fetch-Site": "cross-site" },
  "from another host of the site": { ...OWN_PAGE, "Sec-Fetch-Site": "same-site" },
  "by a link or by hand": { ...OWN_PAGE, "Sec-Fetch-Site": "none" },
  "that does not say where from": { ...OWN_PAGE, "Sec-Fetch-Site": "" },
  "by a Keyhole": { ...OWN_PAGE, "Keyhole-Hop": "1" },
};

it("has a row for every route of the console's own", () => {
  const routes = consoleFront(nativeFront([], [])).app.routes.map(({ method, path }) => `${method} ${path}`);
  expect([...new Set(routes.filter((route) => route.includes(" /console/api/")))].sort()).toEqual(Object.keys(CONSOLE_OPERATIONS).sort());
});

describe.each(Object.entries(CONSOLE_OPERATIONS))("the console's %s", (_, { by, prepare, request, status }) => {
  const changed = async () => Promise.all(["sessions", "login_codes", "device_requests", "audit_events"].map(countOf));
  const open = async () => {
    const org = `console-${crypto.randomUUID().slice(0, 4)}`;
    const token = await sign({ org });
    const given = { org, target: (await prepare?.(org)) ?? "", token };
    return { given, headers: { ...OWN_PAGE, ...(by !== "token" && { Cookie: await beginSession(token) }) } };
  };

  it("answers the console's own page, of whoever may ask", async () => {
    const { given, headers } = await open();
    expect((await request(given, headers)).status).toBe(status);
  });

  it("refuses each request that is not the console's own page's, whatever cookie or token comes with it, and does nothing", async () => {
    const { given, headers } = await open();
    const before = await changed();
    for (const [who, theirs] of Object.entries(STRANGERS)) {
      const reply = await request(given, { ...headers, ...theirs });
      expect([who, reply.status, reply.body.code]).toEqual([who, ...("Keyhole-Hop" in theirs ? [508, "loop-detected"] : [403, "forbidden"])]);
      expect(reply.headers.get("Set-Cookie")).toBe(null);
    }
    expect(await changed()).toEqual(before);
  });

  it.runIf(by === "session")("refuses whoever has no session in force with one and the same 401, and does nothing", async () => {
    const { given, headers } = await open();
    const ended = await beginSession(given.token);
    await CONSOLE_OPERATIONS["DELETE /console/api/session"]?.request(given, { ...OWN_PAGE, Cookie: ended });
    const revoked = await sign({ org: given.org, jti: `tok_${crypto.randomUUID()}` });
    const without = await beginSession(revoked);
    await call("POST /v1/revocations", { token: { org: given.org }, json: { token_id: JSON.parse(atob(revoked.split(".")[1] ?? "")).jti } });
    // That somebody came with a revoked one is on record.
    const before = (await changed()).slice(0, -1);
    const bodies = new Set<string>();
    const own = String((headers as { Cookie?: string }).Cookie);
    for (const Cookie of ["", `__Host-keyhole=${"A".repeat(43)}`, own.replace("__Host-", ""), `${own}A`, ended, without]) {
      const reply = await request(given, { ...OWN_PAGE, Cookie });
      expect([Cookie, reply.status]).toEqual([Cookie, 401]);
      bodies.add(JSON.stringify({ ...reply.body, request_id: "" }));
    }
    const bearer = await request(given, { ...OWN_PAGE, Authorization: `Bearer ${given.token}` });
    bodies.add(JSON.stringify({ ...bearer.body, request_id: "" }));
    expect([bearer.status, bodies.size]).toEqual([401, 1]);
    expect((await changed()).slice(0, -1)).toEqual(before);
  });

  it.runIf(by === "token")("refuses every bad token with one and the same 401, and does nothing", async () => {
    const before = await changed();
    const bodies = new Set<string>();
    for (const [reason, make] of Object.entries(BAD_TOKENS).filter(([reason]) => reason !== "no token")) {
      const reply = await request({ org: "acme", target: "", token: await make() }, OWN_PAGE);
      expect([reason, reply.status, reply.headers.get("Set-Cookie")]).toEqual([reason, 401, null]);
      bodies.add(JSON.stringify({ ...reply.body, request_id: "" }));
    }
    expect(bodies.size).toBe(1);
    expect(await changed()).toEqual(before);
  });
});
