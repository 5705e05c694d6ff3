import { request } from "node:http";
import { afterAll, beforeAll, expect, it } from "vitest";
import { bundleKeyhole, type Instance, migrate, startInstance } from "../../bench/instance.ts";
import { signToken } from "../../scripts/sign-token.ts";
import { TEST_SECRETS } from "../support/test-secrets.ts";

let server: Instance;
let token = "";

beforeAll(async () => {
  server = await startInstance(bundleKeyhole("src/worker/worker.ts"), TEST_SECRETS, { direct: true });
  await migrate(server.db);
  const claims = { org: "acme", permissions: "secrets:write secrets:resolve", subject: "tester", ttl: 3600, issuer: "keyhole", audience: "keyhole" };
  token = await signToken(TEST_SECRETS.SIGNING_KEY, claims);
  const headers = { Authorization: `Bearer ${token}`, "Content-Type": "text/plain" };
  await fetch(new URL("/v1/scopes/global/secrets/KEY", server.url), { method: "PUT", headers, body: "value" });
});
afterAll(() => server?.stop());

/** A GET with a body, which `fetch` does not send. */
function get(headers: Record<string, string>, body: string): Promise<{ status: number | undefined; text: string }> {
  return new Promise((resolve, reject) => {
    const sent = request(
      new URL("/v1/resolve/KEY?format=raw", server.url),
      { method: "GET", headers: { ...headers, "Content-Length": Buffer.byteLength(body) } },
      (reply) => {
        let text = "";
        reply.setEncoding("utf8").on("data", (chunk: string) => {
          text += chunk;
        });
        reply.on("end", () => resolve({ status: reply.statusCode, text }));
      },
    );
    sent.on("error", reject);
    sent.end(body);
  });
}

it("a GET is answered whatever body comes with it, also when it asks for a lease", async () => {
  const asking = { Authorization: `Bearer ${token}`, "Cache-Control": "max-age=60" };
  for (const body of ["", "x", "x".repeat(10_000)]) {
    expect(await get(asking, body)).toEqual({ status: 200, text: "value" });
    expect(await get({ Authorization: `Bearer ${token}` }, body)).toEqual({ status: 200, text: "value" });
    expect((await get({ ...asking, Authorization: "Bearer a.b.c" }, body)).status).toBe(401);
  }
});
