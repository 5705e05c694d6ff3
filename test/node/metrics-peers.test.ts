import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type Served, serveWorker } from "../../scripts/local/serve-worker.ts";
import { readVars } from "../../scripts/settings.ts";
import { TEST_SECRETS } from "../support/test-secrets.ts";
import { tokenFor } from "./cli/support/start-keyhole.ts";
import { prepareServer } from "./support/prepare-server.ts";

/** Prometheus' own parsers in Python: of the older text form, and of OpenMetrics, which refuses what the standard does not allow. */
const PARSE = `import json, sys
from prometheus_client import parser
from prometheus_client.openmetrics import parser as openmetrics
read = (openmetrics if sys.argv[1] == "openmetrics" else parser).text_string_to_metric_families
print(json.dumps([[f.name, f.type, [[s.name, s.labels, float(s.value)] for s in f.samples]] for f in read(sys.stdin.read())]))
`;

type Family = [name: string, type: string, samples: [name: string, labels: Record<string, string>, value: number][]];

const folder = mkdtempSync(join(tmpdir(), "metrics-peers-"));
const python = join(folder, "python");
const missing = (() => {
  try {
    execFileSync("python3", ["-m", "venv", python], { stdio: "pipe" });
    execFileSync(join(python, "bin/pip"), ["install", "--quiet", "--disable-pip-version-check", "prometheus_client==0.26.0"], { stdio: "pipe" });
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
})();

let served: Served;
beforeAll(async () => {
  const persistTo = join(folder, "data");
  const bindings = { ...readVars(), ...TEST_SECRETS, PLATFORM_ORG: "platform" };
  served = await serveWorker({ port: 0, persistTo, bindings, period: null, onLine: () => undefined, prepared: await prepareServer(persistTo) });
});
afterAll(async () => {
  await served.stop();
  rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
});

async function ask(path: string, headers: Record<string, string>, body?: unknown): Promise<Response> {
  const method = body === undefined ? "GET" : path.startsWith("/v1/scopes") ? "PUT" : "POST";
  return fetch(new URL(path, served.url), {
    method,
    headers: { ...headers, "Content-Type": "application/json" },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
}

async function read(form: "openmetrics" | "text", accept: string, headers: Record<string, string>): Promise<Family[]> {
  const reply = await ask("/metrics", { ...headers, Accept: accept });
  expect(reply.headers.get("Content-Type")).toContain(accept);
  return JSON.parse(execFileSync(join(python, "bin/python"), ["-c", PARSE, form], { input: await reply.text(), encoding: "utf8" }));
}

it("metrics are read alike by Prometheus' parsers of both forms", { timeout: 120_000 }, async ({ skip }) => {
  skip(missing !== undefined, `prometheus_client is not to be had here: ${missing}`);
  const headers = { Authorization: `Bearer ${await tokenFor("platform")}` };
  expect((await ask("/v1/scopes/global/secrets/API_KEY", headers, { value: "sk-metrics" })).status).toBe(201);
  expect((await ask("/v1/resolve", headers, { names: ["API_KEY"] })).status).toBe(200);
  expect((await ask("/v1/resolve", headers, { names: ["NOT_THERE"] })).status).toBe(404);
  expect(await served.runScheduled()).toBe("ok");

  const families = await read("openmetrics", "application/openmetrics-text", headers);
  const samples = families.flatMap(([, , samples]) => samples);
  expect(families.every(([name, type]) => name.startsWith("keyhole_") && type !== "unknown")).toBe(true);
  const resolves = samples.filter(([name, { action }]) => name === "keyhole_events_total" && action === "secret.resolve");
  expect(resolves.map(([, { outcome }, value]) => [outcome, value]).toSorted()).toEqual([
    ["allowed", 1],
    ["not-found", 1],
  ]);
  expect(samples.some(([name]) => name.startsWith("keyhole_deployment_"))).toBe(true);
  expect((await read("text", "text/plain", headers)).flatMap(([, , samples]) => samples)).toEqual(samples);
});
