import { createServer, type IncomingHttpHeaders, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createTestHarness } from "wrangler";
import { signToken } from "../../scripts/sign-token.ts";
import { PERMISSIONS } from "../../src/contract/permission.ts";
import { TEST_SECRETS } from "../support/test-secrets.ts";

const received: IncomingHttpHeaders[] = [];
let upstream: Server;
let harness: ReturnType<typeof createTestHarness>;
let token: string;

beforeAll(async () => {
  upstream = createServer((request, response) => {
    received.push(request.headers);
    response.end(`upstream saw ${request.method} ${request.url}`);
  });
  await new Promise<void>((resolve) => void upstream.listen(0, "127.0.0.1", resolve));
  const { port } = upstream.address() as AddressInfo;
  harness = createTestHarness({
    root: join(import.meta.dirname, "../.."),
    workers: [
      { configPath: "wrangler.toml", vars: TEST_SECRETS },
      { configPath: "examples/gateway/wrangler.toml", vars: { UPSTREAM: `http://127.0.0.1:${port}` } },
    ],
  });
  await harness.listen();
  await harness.getWorker("keyhole").applyD1Migrations("DB");
  token = await signToken(TEST_SECRETS.SIGNING_KEY, {
    org: "acme",
    subject: "tester",
    permissions: PERMISSIONS.join(" "),
    ttl: 600,
    issuer: "keyhole",
    audience: "keyhole",
  });
});

afterAll(async () => {
  await harness?.close();
  upstream?.close();
});

function keyhole(method: string, path: string, body?: string) {
  const headers = { Authorization: `Bearer ${token}`, "Content-Type": "text/plain" };
  return harness.getWorker("keyhole").fetch(path, { method, headers, ...(body !== undefined && { body }) });
}

it("forwards with the provider's key, resolved by service binding, and follows a rotation at once", async () => {
  const path = "/v1/scopes/namespace%3Aprod/secrets/OPENAI_API_KEY";
  for (const key of ["sk-upstream-1", "sk-upstream-2"]) {
    expect((await keyhole("PUT", path, key)).ok).toBe(true);
    const reply = await harness.getWorker("gateway").fetch("/v1/models?x=1");
    expect(await reply.text()).toBe("upstream saw GET /v1/models?x=1");
    expect(received.at(-1)?.authorization).toBe(`Bearer ${key}`);
  }
});

it("answers 502 and forwards nothing when the key is gone", async () => {
  await keyhole("DELETE", "/v1/scopes/namespace%3Aprod/secrets/OPENAI_API_KEY");
  const before = received.length;
  const reply = await harness.getWorker("gateway").fetch("/v1/models");
  expect(reply.status).toBe(502);
  expect(received).toHaveLength(before);
});
