import { env, exports } from "cloudflare:workers";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { call } from "../support/call.ts";
import { sign } from "../support/sign.ts";
import { isLast } from "./api.ts";
import { checkReply, type FuzzedReply } from "./check-reply.ts";
import { readDescriptions } from "./descriptions.ts";
import { CALLERS } from "./grants.ts";
import { holdsCanary } from "./holds-canary.ts";
import { type FuzzedRequest, GRANTS, type Grant, requestFor } from "./request.ts";
import { stock } from "./stock.ts";
import type { Known } from "./valid.ts";
import { wireHeaders } from "./wire-headers.ts";

const descriptions = await readDescriptions((path) => exports.default.fetch(`https://keyhole.test${path}`));
const routes = descriptions
  .flatMap(({ api, routes }) => routes.map((route) => ({ api, route })))
  .sort((a, b) => Number(isLast(a.route)) - Number(isLast(b.route)));
const perRoute = Math.ceil(env.FUZZ_REQUESTS / routes.length);
const tokens = new Map<Grant, string | undefined>();
const reached = new Set<string>();
const logged: string[] = [];
let known: Known;

beforeAll(async () => {
  vi.spyOn(console, "log").mockImplementation((...parts: unknown[]) => void logged.push(parts.map(String).join(" ")));
  for (const grant of GRANTS) tokens.set(grant, await signFor(grant));
});
afterAll(() => vi.restoreAllMocks());

async function signFor(grant: Grant): Promise<string | undefined> {
  const { org = "", permissions: scope, scopes, names, expired } = CALLERS[grant] ?? {};
  const limits = { ...(scopes && { secret_scopes: scopes }), ...(names && { secret_names: names }) };
  return scope === undefined ? undefined : sign({ org, scope, ...limits, ...(expired && { exp: 1 }) });
}

async function send(request: FuzzedRequest): Promise<FuzzedReply> {
  const { method, target, body, chunked, grant, spends } = request;
  const headers = new Headers();
  const token = spends ? await signFor(grant) : tokens.get(grant);
  // Bytes beyond ASCII go over real HTTP, in test/node/hostile-http.test.ts: here the runtime would write a warning for each.
  for (const [name, text] of wireHeaders(request, token)) headers.append(name, text.replaceAll(/[^\t -~]/g, "?"));
  // There too a GET or HEAD has a body, which the runtime does not let anybody make here.
  const sent = body && !/^(GET|HEAD)$/.test(method) && { body: chunked ? new Blob([body.bytes]).stream() : body.bytes };
  const reply = await exports.default.fetch(`https://keyhole.test${target}`, { method, headers, redirect: "manual", ...sent });
  return { status: reply.status, headers: Object.fromEntries(reply.headers), text: new TextDecoder().decode(await reply.arrayBuffer()) };
}

describe("whatever a request says, the reply is one that the API description has", () => {
  const cases = routes.map(({ api, route }) => [route.operationId, api, route] as const);
  it.each(cases)("%s", { timeout: env.FUZZ_REQUESTS > 10_000 ? 600_000 : 90_000 }, async (_, api, route) => {
    if (!isLast(route)) known = await stock(call, (request, options) => call(request, { ...options, token: { org: "platform" } }));
    await fc.assert(
      fc.asyncProperty(requestFor(api, known, route), async (request) => {
        logged.length = 0;
        const reply = await send(request);
        if (reply.status < 300) reached.add(route.operationId);
        expect(checkReply(descriptions, request, reply), `${reply.status} ${reply.text.slice(0, 500)}`).toEqual([]);
        expect(logged.filter(holdsCanary)).toEqual([]);
      }),
      { numRuns: perRoute, endOnFailure: false },
    );
  });
});

it("three of five operations, and mostly more, have done what they do at least once", () => {
  const others = routes.map(({ route }) => route.operationId).filter((id) => !reached.has(id));
  expect(reached.size, `not reached: ${others.join(" ")}`).toBeGreaterThan(routes.length * 0.6);
});
