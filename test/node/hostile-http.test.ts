import fc from "fast-check";
import { afterAll, beforeAll, expect, it } from "vitest";
import { bundleKeyhole, type Instance, migrate, startInstance } from "../../bench/instance.ts";
import { signToken } from "../../scripts/sign-token.ts";
import { isLast } from "../fuzz/api.ts";
import { checkReply } from "../fuzz/check-reply.ts";
import { readDescriptions } from "../fuzz/descriptions.ts";
import { CALLERS } from "../fuzz/grants.ts";
import { GRANTS, type Grant, requestFor } from "../fuzz/request.ts";
import { stock } from "../fuzz/stock.ts";
import { TEST_SECRETS } from "../support/test-secrets.ts";
import { isUnheard } from "./support/is-unheard.ts";
import { memoryOfWorker } from "./support/memory-of-worker.ts";
import { sendRaw } from "./support/send-raw.ts";

const REQUESTS = Number(process.env.FUZZ_REQUESTS);
/** After so many requests the store is stocked anew. */
const ROUND = 500;
/** After so many rounds the Worker's memory is measured. */
const STRETCH = 10;
/** By how much the Worker's memory may grow in the second half, in KiB: the first warms it up. A run of less than 10,000 requests says nothing of that. */
const MOST_GROWTH = 256;

let server: Instance;
const tokens = new Map<Grant, string | undefined>();

beforeAll(async () => {
  server = await startInstance(bundleKeyhole("src/worker/worker.ts"), TEST_SECRETS, { vars: { ISSUER: "keyhole", AUDIENCE: "keyhole" }, inspected: true });
  await migrate(server.db);
  for (const grant of GRANTS) tokens.set(grant, await signFor(grant));
});
afterAll(() => server?.stop());

async function signFor(grant: Grant): Promise<string | undefined> {
  const { org, permissions = "", expired, ...limits } = CALLERS[grant] ?? {};
  if (org === undefined) return undefined;
  const claims = { org, permissions, subject: "tester", ttl: expired ? -60 : 36_000, issuer: "keyhole", audience: "keyhole", ...limits };
  return signToken(TEST_SECRETS.SIGNING_KEY, claims);
}

const callAs =
  (grant: Grant) =>
  async (request: string, { json }: { json?: object } = {}): Promise<{ status: number; body: { id: string } }> => {
    const [method = "", path] = request.split(" ");
    const headers = { Authorization: `Bearer ${tokens.get(grant)}`, "Content-Type": "application/json" };
    const reply = await fetch(new URL(path ?? "", server.url), { method, headers, ...(json && { body: JSON.stringify(json) }) });
    return { status: reply.status, body: (reply.status === 204 ? {} : await reply.json()) as { id: string } };
  };

it(`over real HTTP ${REQUESTS} requests are answered as described, and leave nothing in memory`, { timeout: 1_800_000 }, async () => {
  const descriptions = await readDescriptions((path) => fetch(new URL(path, server.url)));
  const sent = descriptions.flatMap(({ api, routes }) => routes.filter((route) => !isLast(route)).map((route) => ({ api, route })));
  const memory: number[] = [];
  let unheard = 0;
  for (let round = 0; round * ROUND < REQUESTS; round++) {
    if (round % STRETCH === 0) memory.push(await memoryOfWorker(server));
    const known = await stock(callAs("everything"), callAs("platform"));
    const requests = fc.oneof(...sent.map(({ api, route }) => requestFor(api, known, route)));
    const property = fc.asyncProperty(requests, async (request) => {
      const reply = await sendRaw(server.url, request.spends ? await signFor(request.grant) : tokens.get(request.grant), request);
      if (isUnheard(request, reply)) unheard++;
      else expect(reply ? checkReply(descriptions, request, reply) : ["no reply"], `${reply?.status} ${reply?.text.slice(0, 500)}`).toEqual([]);
    });
    await fc.assert(property, { numRuns: Math.min(ROUND, REQUESTS - round * ROUND), seed: Number(process.env.TEST_SEED) + round });
  }
  memory.push(await memoryOfWorker(server));
  console.info(
    `the Worker's memory, KiB, at the start, after every ${STRETCH * ROUND} requests and at the end: ${memory.join(", ")}; kept from the Worker: ${unheard}`,
  );
  expect(unheard).toBeLessThan(REQUESTS / 25);
  const secondHalf = memory.slice(Math.floor(memory.length / 2));
  if (REQUESTS >= 2 * STRETCH * ROUND) expect(Math.max(...secondHalf) - (secondHalf[0] ?? Number.NaN)).toBeLessThan(MOST_GROWTH);
});
