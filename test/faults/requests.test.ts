import { env } from "cloudflare:workers";
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { vaultFront } from "../../src/worker/http/vault/vault-front.ts";
import { isVaultPath } from "../../src/worker/http/vault/vault-path.ts";
import { settleCiphertexts } from "../../src/worker/secrets/settle-ciphertexts.ts";
import { forgetLogs } from "../audit/forget-logs.ts";
import { OPERATIONS } from "../security/operations.ts";
import { type CallOptions, call, type Reply } from "../support/call.ts";
import { FAULTS, faultsFor, watch } from "./binding-faults.ts";
import { type Cell, type FaultedOperation, MAX_VERSIONS, READS, WRITES } from "./operations.ts";
import { ask, type Seen, START } from "./worker-run.ts";

const ENV = { ...env, LEGACY_PLAINTEXT: "read", ALLOW_INSECURE_ISSUERS: "true", MAX_VERSIONS: String(MAX_VERSIONS) };
let made = 0;
let cells = 0;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date", "setTimeout", "clearTimeout"], now: START });
  vi.spyOn(console, "error").mockReturnValue();
});
afterEach(async () => {
  vi.restoreAllMocks();
  vi.useRealTimers();
  // An operation that looks at every log need not look at those of the operations before.
  await forgetLogs();
});

const envOf = ({ vars }: FaultedOperation, org: string) => ({ ...ENV, ...vars?.(org) });

async function makeCell(operation: FaultedOperation): Promise<Cell> {
  const org = `cell-${made++}`;
  const calmly = async (request: string, options?: CallOptions) => (await ask(watch(envOf(operation, org)), org, request, options)) as Reply;
  return { org, ask: calmly, made: (await operation.prepare?.({ org, ask: calmly })) ?? "" };
}

/** Makes an operation's calls without a fault, and returns them. */
async function record(operation: FaultedOperation) {
  const cell = await makeCell(operation);
  const watched = watch(envOf(operation, cell.org));
  const reply = (await ask(watched, cell.org, ...operation.request(cell))) as Reply;
  expect(reply.status, reply.text).toBeLessThan(300);
  expect(watched.calls.length).toBeGreaterThan(0);
  return watched.calls;
}

/** 503 says when to come again, and is all that goes wrong. */
function expectUnavailable(seen: Reply): void {
  expect([seen.status, Number(seen.headers.get("Retry-After")) > 0, seen.text]).toEqual([
    503,
    true,
    expect.stringMatching(/storage-unavailable|temporarily_unavailable|^\{"errors":\["/),
  ]);
}

const succeeded = (seen: Seen) => seen !== "nothing" && seen.status < 300;

/** All of a write's effects, or none. */
async function happened({ effects }: FaultedOperation, cell: Cell): Promise<boolean> {
  const seen = (await effects?.(cell)) ?? [];
  expect(new Set(seen).size, `half of it happened: ${seen}`).toBe(1);
  return seen[0] === true;
}

/** Scheduled runs bring D1 and KV to agreement: each version has its ciphertext in KV, and KV has nothing else. */
async function expectAgreement(): Promise<void> {
  // What was superseded stays in KV for 30 days.
  for (const minutes of [2, 8, 14, 20, 26, 50, 75, 100, 31 * 1440, 32 * 1440])
    await settleCiphertexts({ db: env.DB, kv: env.KV, now: new Date(START + minutes * 60_000) });
  const versions = await env.DB.prepare("SELECT kv_key, ciphertext, retry_at FROM versions WHERE kv_key IS NOT NULL ORDER BY kv_key").all<{
    kv_key: string;
    ciphertext: string | null;
    retry_at: number | null;
  }>();
  const keys: string[] = [];
  for (let cursor: string | undefined, complete = false; !complete; ) {
    const page: KVNamespaceListResult<unknown> = await env.KV.list({ prefix: "c_", ...(cursor !== undefined && { cursor }) });
    keys.push(...page.keys.map(({ name }) => name));
    complete = page.list_complete;
    cursor = "cursor" in page ? page.cursor : undefined;
  }
  expect(keys.sort()).toEqual(versions.results.map(({ kv_key }) => kv_key));
  expect(versions.results.filter(({ ciphertext, retry_at }) => ciphertext !== null || retry_at !== null)).toEqual([]);
  expect(await env.DB.prepare("SELECT COUNT(*) AS n FROM kv_removals").first("n")).toBe(0);
}

describe.each(Object.entries(WRITES))("%s", (_, operation) => {
  it("happens or does not, says so, and stays so, whatever its bindings do", { timeout: 180_000 }, async () => {
    const calls = await record(operation);
    const done: Cell[] = [];
    for (const nth of calls.keys()) {
      for (const fault of faultsFor(nth, 1)) {
        const label = `${calls[nth]} ${nth} ${fault}`;
        const cell = await makeCell(operation);
        const watched = watch(envOf(operation, cell.org), nth, fault);
        const seen = await ask(watched, cell.org, ...operation.request(cell));
        expect(watched.calls.length, label).toBeGreaterThan(nth);
        const did = await happened(operation, cell);
        if (succeeded(seen)) expect(did, `${label}: acknowledged and not there`).toBe(true);
        else if (seen !== "nothing") expectUnavailable(seen);
        const again = await cell.ask(...operation.request(cell));
        if (!(did && again.status === operation.again)) expect(again.status, `${label}, again: ${again.text}`).toBeLessThan(300);
        expect(await happened(operation, cell), `${label}, again`).toBe(true);
        done.push(cell);
        cells++;
      }
    }
    await expectAgreement();
    for (const cell of done) expect(await happened(operation, cell)).toBe(true);
  });
});

describe.each(Object.entries(READS))("%s", (_, operation) => {
  it("is answered rightly or not at all, whatever its bindings do", { timeout: 180_000 }, async () => {
    const calls = await record(operation);
    const cell = await makeCell(operation);
    const { shown = (text: string) => text } = operation;
    const calm = await cell.ask(...operation.request(cell));
    for (const nth of calls.keys()) {
      for (const fault of faultsFor(nth, 1)) {
        const watched = watch(envOf(operation, cell.org), nth, fault);
        const seen = await ask(watched, cell.org, ...operation.request(cell));
        if (!operation.varying) expect(watched.calls.length).toBeGreaterThan(nth);
        if (seen !== "nothing" && seen.status < 300) expect([shown(calm.text), operation.partly]).toContain(shown(seen.text));
        else if (seen !== "nothing") expectUnavailable(seen);
        const again = await cell.ask(...operation.request(cell));
        expect([again.status, shown(again.text)]).toEqual([calm.status, shown(calm.text)]);
        cells++;
      }
    }
  });
});

it("a refusal that cannot be put on record is no refusal: 503", async () => {
  const refused: FaultedOperation = { request: () => ["GET /v1/secrets", { token: { scope: "" } }] };
  const cell = await makeCell(refused);
  for (const fault of FAULTS) {
    const seen = await ask(watch(ENV, 0, fault), cell.org, ...refused.request(cell));
    if (seen !== "nothing") expectUnavailable(seen);
    expect((await cell.ask(...refused.request(cell))).status).toBe(403);
    cells++;
  }
});

it("/readyz names what does not answer", async () => {
  const calls = watch(ENV);
  await ask(calls, "", "GET /readyz", { token: null });
  for (const [nth, binding] of calls.calls.entries()) {
    for (const fault of FAULTS) {
      const seen = await ask(watch(ENV, nth, fault), "", "GET /readyz", { token: null });
      if (seen === "nothing") continue;
      const parts = seen.body.unusable.map(({ part }: { part: string }) => part);
      expect([seen.status, parts.includes(binding === "D1 batch" ? "d1" : "kv")]).toEqual([503, true]);
      cells++;
    }
  }
});

it("/readyz is not 200 for a caller who is told more, when that cannot be read", async () => {
  const calls = watch(ENV);
  expect(await ask(calls, "acme", "GET /readyz")).toMatchObject({ status: 200, body: { integrity: {} } });
  for (const nth of calls.calls.keys()) {
    for (const fault of FAULTS) {
      const seen = await ask(watch(ENV, nth, fault), "acme", "GET /readyz");
      if (seen !== "nothing") expect(seen.status).toBe(503);
      cells++;
    }
  }
});

it("covers every route that the security matrix has", async () => {
  const routes = new Set<string>();
  for (const operation of [...Object.values(WRITES), ...Object.values(READS)]) {
    const [request] = operation.request({ org: "", ask: call as never, made: "sec_made" });
    routes.add(routeOf(request));
  }
  const vault = vaultFront().routes.map(({ method, path }) => `${method.toUpperCase()} ${path}`);
  const expected = [
    ...Object.keys(OPERATIONS),
    "POST /oauth/token",
    "GET /use/{service}/{path}",
    "POST /mcp",
    "GET /console/api/session",
    "POST /console/api/session",
    "DELETE /console/api/session",
    "GET /console/api/v1/secrets",
    // Of the console's others `codes` is for this machine alone; what takes a code has no second try, and is tested in test/console.
    "GET /console/api/logins",
    "POST /console/api/logins",
    "POST /console/api/authorizations",
    "POST /console/api/devices",
    "POST /oauth/device_authorization",
    ...vault.filter((route) => !WITHOUT_CELL.test(route)),
  ];
  expect([...routes].sort()).toEqual(expected.sort());
});

/** What only says what the front is, or what the token is, as `whoami` does, and what ends in the exchange and the revocation that have cells of their own. */
const WITHOUT_CELL = /^\w+ \/v1\/(?:sys\/|auth\/(?:token\/(?:lookup|renew|revoke)|\{mount\}\/login|approle\/login))|^GET \/v1\/(?:secret|kv)\/metadata$/;

/** The route that a request is for, as the API description writes it. */
function routeOf(request: string): string {
  const [method, path = ""] = request.split(/[ ?]/);
  if (isVaultPath(path)) return `${method} ${path.replace(/^(\/v1\/(?:secret|kv|env)\/\w+)\/.+$/, "$1/{path}")}`;
  const route = path
    .replace(/\/scopes\/[^/]+\/secrets\/[^/]+/, "/scopes/{scope}/secrets/{name}")
    .replace(/\/scopes\/[^/{]+(\/sync)?$/, "/scopes/{scope}$1")
    .replace(/\/quotas\/[^/]*$/, "/quotas/{org}")
    .replace(/\/secrets\/sec_made/, "/secrets/{id}")
    .replace(/\/versions\/\d+$/, "/versions/{version}")
    .replace(/\/tokens\/.+$/, "/tokens/{id}")
    .replace(/\/trusts\/[^/]+/, "/trusts/{name}")
    .replace(/\/logins\/[^/]+/, "/logins/{name}")
    .replace(/\/services\/[^/]+/, "/services/{name}")
    .replace(/\/stores\/[^/]+/, "/stores/{name}")
    .replace(/\/webhooks\/[^/]+/, "/webhooks/{name}")
    .replace(/\/use\/.+/, "/use/{service}/{path}")
    .replace(/\/(resolve|explain)\/.+$/, "/$1/{name}");
  return `${method} ${route}`;
}

afterAll(() => expect(cells, "cells that ran").toBeGreaterThan(300));
