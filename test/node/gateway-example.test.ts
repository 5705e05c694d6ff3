import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, type IncomingHttpHeaders, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createTestHarness } from "wrangler";
import { signToken } from "../../scripts/sign-token.ts";
import { PERMISSIONS } from "../../src/contract/permission.ts";
import { TEST_SECRETS } from "../support/test-secrets.ts";

const ROOT = join(import.meta.dirname, "../..");
const KEY = "/v1/scopes/namespace%3Aprod/secrets/OPENAI_API_KEY";

describe("the gateway", () => {
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
      root: ROOT,
      workers: [
        { configPath: "wrangler.toml", vars: { ...TEST_SECRETS, LEASE_SECONDS: "300" } },
        { configPath: "examples/gateway/wrangler.toml", vars: { UPSTREAM: `http://127.0.0.1:${port}`, KEY_MAX_AGE: "300" } },
      ],
    });
    await harness.listen();
    await harness.getWorker("keyhole").applyD1Migrations("DB");
    const grant = { org: "acme", subject: "tester", permissions: PERMISSIONS.join(" "), ttl: 600, issuer: "keyhole", audience: "keyhole" };
    token = await signToken(TEST_SECRETS.SIGNING_KEY, grant);
  });

  afterAll(async () => {
    await harness?.close();
    upstream?.close();
  });

  function keyhole(method: string, path: string, body?: string) {
    const headers = { Authorization: `Bearer ${token}`, "Content-Type": "text/plain" };
    return harness.getWorker("keyhole").fetch(path, { method, headers, ...(body !== undefined && { body }) });
  }

  const forward = () => harness.getWorker("gateway").fetch("/v1/models?x=1");

  it("answers 502 and forwards nothing while there is no key", async () => {
    expect((await forward()).status).toBe(502);
    expect(received).toEqual([]);
  });

  it("forwards 2,000 requests with the provider's key from one lease", { timeout: 240_000 }, async () => {
    expect((await keyhole("PUT", KEY, "sk-upstream")).ok).toBe(true);
    // The first alone: of many at once, one that waits for more than a quarter of a second asks by itself.
    for (const many of [1, ...Array.from({ length: 39 }, () => 50), 49]) {
      const replies = await Promise.all(Array.from({ length: many }, async () => (await forward()).text()));
      expect(new Set(replies)).toEqual(new Set(["upstream saw GET /v1/models?x=1"]));
    }
    expect(received).toHaveLength(2_000);
    expect(new Set(received.map(({ authorization }) => authorization))).toEqual(new Set(["Bearer sk-upstream"]));
    const reply = await keyhole("GET", "/v1/audit?actor=binding:gateway");
    const { events } = (await reply.json()) as { events: { action: string; outcome: string; secrets: unknown[]; lease?: object }[] };
    const released = events.filter(({ outcome, secrets }) => outcome === "allowed" && secrets.length > 0);
    expect(released).toEqual([expect.objectContaining({ action: "secret.resolve", lease: expect.objectContaining({ max_uses: 10_000 }) })]);
  });
});

describe("npm run gateway", () => {
  const folder = mkdtempSync(join(tmpdir(), "keyhole-gateway-"));
  let child: ChildProcess | undefined;
  afterAll(async () => {
    // It takes the runtime with it when it is told to end, and leaves it behind when it is killed.
    if (child?.kill("SIGTERM")) await once(child, "exit");
    rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  });

  it("serves it with a Keyhole and a provider, and says how to try it", async () => {
    const { scripts } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as { scripts: { gateway: string } };
    const [, ...command] = scripts.gateway.split(" ");
    const started = spawn(process.execPath, [...command, "--port", "0", "--persist-to", folder], { cwd: ROOT, stdio: ["ignore", "pipe", "inherit"] });
    child = started;
    let said = "";
    for await (const text of started.stdout) {
      said += text;
      if (said.includes("/v1/audit?")) break;
    }
    const [, models] = /^curl -sS (http:\S+)$/m.exec(said) ?? [];
    expect(await (await fetch(String(models))).json()).toEqual({ saw: "GET /v1/models", key: "…0001" });
  });
});
