import { env } from "cloudflare:workers";
import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { digestLog } from "../../src/worker/log/digest-log.ts";
import { append, seal } from "../audit/support.ts";
import { call } from "../support/call.ts";

const ORG = "auditors";
const EVENTS = 12_000;

/** How many rows D1 reads for a request. */
async function rowsRead(request: string): Promise<number> {
  const batch = env.DB.batch.bind(env.DB);
  let read = 0;
  vi.spyOn(env.DB, "batch").mockImplementation((async (statements: D1PreparedStatement[]) => {
    const results = await batch(statements);
    for (const { meta } of results) read += meta.rows_read;
    return results;
  }) as typeof env.DB.batch);
  const { status } = await call(request, { token: { org: ORG } });
  vi.restoreAllMocks();
  expect(status).toBe(200);
  return read;
}

beforeAll(async () => {
  await append(ORG, EVENTS);
  await seal();
  while ((await digestLog({ db: env.DB, now: new Date() })) > 0);
});
afterEach(() => vi.restoreAllMocks());

describe("a page of the audit log reads what it shows, however long the log is:", () => {
  const cursor = (seq: number) => `&cursor=${btoa(String(seq)).replace(/=+$/, "")}`;
  it.each([
    ["the first page", "limit=50", 130],
    ["a page in the middle", `limit=50${cursor(6_000)}`, 130],
    ["the first page of one secret", "limit=50&secret_id=sec_1", 265],
    ["a later page of one secret", `limit=50&secret_id=sec_1${cursor(6_000)}`, 265],
    ["a page of a secret that nothing names", "limit=50&secret_id=sec_none", 30],
    ["a page that a filter matches often", "limit=50&actor=actor-1", 330],
  ])("%s", async (_, query, most) => {
    expect(await rowsRead(`GET /v1/audit?${query}`)).toBeLessThanOrEqual(most);
  });
});
