import fc from "fast-check";
import { afterAll, beforeAll, expect, it } from "vitest";
import { bundleKeyhole, type Instance, migrate, startInstance } from "../../bench/instance.ts";
import { signToken } from "../../scripts/sign-token.ts";
import { type Api, routesOf } from "../fuzz/api.ts";
import { checkReply } from "../fuzz/check-reply.ts";
import { CALLERS } from "../fuzz/grants.ts";
import { GRANTS, type Grant, requestFor } from "../fuzz/request.ts";
import { stock } from "../fuzz/stock.ts";
import { TEST_SECRETS } from "../support/test-secrets.ts";
import { memoryOfWorkerd } from "./support/memory-of-workerd.ts";
import { sendRaw } from "./support/send-raw.ts";

const REQUESTS = Number(process.env.FUZZ_REQUESTS);
/** How often the store is stocked anew. */
const ROUNDS = 40;
/** How many requests that takes. */
const STOCKING = 15;

let server: Instance;
const tokens = new Map<Grant, string>();

beforeAll(async () => {
  server = await startInstance(bundleKeyhole("src/worker/worker.ts"), TEST_SECRETS, { ISSUER: "keyhole", AUDIENCE: "keyhole" });
  await migrate(server.db);
  for (const grant of GRANTS) {
    const { org = "", permissions = "", expired, ...limits } = CALLERS[grant] ?? {};
    const claims = { org, permissions, subject: "tester", ttl: expired ? -60 : 36_000, issuer: "keyhole", audience: "keyhole", ...limits };
    if (org) tokens.set(grant, await signToken(TEST_SECRETS.SIGNING_KEY, claims));
  }
});
afterAll(() => server?.stop());

async function call(request: string, { json }: { json: object }): Promise<{ status: number; body: { id: string } }> {
  const [method = "", path] = request.split(" ");
  const headers = { Authorization: `Bearer ${tokens.get("everything")}`, "Content-Type": "application/json" };
  const reply = await fetch(new URL(path ?? "", server.url), { method, headers, body: JSON.stringify(json) });
  return { status: reply.status, body: (await reply.json()) as { id: string } };
}

it(`over real HTTP ${REQUESTS} requests are answered as described, and cost no more memory than ordinary ones`, { timeout: 1_800_000 }, async () => {
  const api = (await (await fetch(new URL("/openapi.json", server.url))).json()) as Api;
  const routes = routesOf(api);
  const ordinary = await growth(40 * STOCKING, async () => {
    for (let n = 0; n < 40; n++) await stock(call);
  });
  let unanswered = 0;
  const hostile = await growth(REQUESTS + ROUNDS * STOCKING, async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const known = await stock(call);
      const requests = fc.oneof(...routes.map((route) => requestFor(api, known, route)));
      const property = fc.asyncProperty(requests, async (request) => {
        const reply = await sendRaw(server.url, tokens.get(request.grant), request);
        // The server in front of the Worker takes no more than so many bytes of address and headers.
        if (!reply || /^4(14|31)$/.test(String(reply.status))) unanswered++;
        else expect(checkReply(api, routes, request, reply), `${reply.status} ${reply.text.slice(0, 500)}`).toEqual([]);
      });
      await fc.assert(property, { numRuns: Math.ceil(REQUESTS / ROUNDS), seed: Number(process.env.TEST_SEED) + round });
    }
  });
  console.info(`memory, KiB for each request: ordinary ${ordinary}, hostile ${hostile}; without a reply: ${unanswered}`);
  expect(unanswered).toBeLessThan(REQUESTS / 50);
  // The local runtime keeps some memory of every request and binding call, also of a Worker that does nothing.
  expect(hostile).toBeLessThan(ordinary * 2);
});

/** By how many KiB the memory grows for each of so many requests. */
async function growth(requests: number, send: () => Promise<void>): Promise<number> {
  const before = memoryOfWorkerd();
  await send();
  return Math.round(((memoryOfWorkerd() - before) * 1024) / requests);
}
