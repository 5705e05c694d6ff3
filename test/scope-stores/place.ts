import { env } from "cloudflare:workers";
import { expect, vi } from "vitest";
import { loadConfig } from "../../src/worker/config.ts";
import { settleWrites } from "../../src/worker/scope-stores/settle-writes.ts";
import { openPlace as openWorker, type Place as Worker } from "../leases/place.ts";
import { ref } from "../stores/declared.ts";
import { KEYS, openPlace as openStores, type Place as Stores, VAULT_TOKEN } from "../stores/place.ts";
import type { CallOptions, Reply } from "../support/call.ts";
import { sign } from "../support/sign.ts";

export const KINDS = ["aws", "azure", "vault"] as const;
export type Kind = (typeof KINDS)[number];

export const SCOPE = "namespace:prod";
export const PREFIX = "prod/app/";
const ALLOW = [{ scopes: [SCOPE, "repo:acme/*"], keys: ["prod/*"] }];

const DEFINITIONS: Readonly<Record<Kind, object>> = {
  aws: {
    kind: "aws-secrets-manager",
    region: "eu-central-1",
    credentials: { access_key_id: ref("namespace:ops", "ACCESS_ID"), secret_access_key: ref("namespace:ops", "ACCESS_KEY") },
  },
  azure: {
    kind: "azure-key-vault",
    vault_url: "https://keyhole-test.vault.azure.net",
    tenant_id: "11111111-2222-3333-4444-555555555555",
    client_id: "99999999-8888-7777-6666-555555555555",
    credentials: { client_secret: ref("namespace:ops", "AZURE_SECRET") },
  },
  vault: { kind: "vault", address: "https://vault.example.org:8200", mount: "secret", credentials: { token: ref("namespace:ops", "VAULT_TOKEN") } },
};
const HOSTS = ["secretsmanager.eu-central-1.amazonaws.com", "keyhole-test.vault.azure.net", "login.microsoftonline.com", "vault.example.org"];
const CREDENTIALS = { ACCESS_ID: KEYS.access_key_id, ACCESS_KEY: KEYS.secret_access_key, AZURE_SECRET: "client-secret-of-the-test", VAULT_TOKEN };

/** An organization with a store of a kind, and a Worker. */
export interface Bench {
  readonly org: string;
  readonly token: string;
  readonly kind: Kind;
  readonly stores: Stores;
  readonly worker: Worker;
  call(request: string, options?: CallOptions): Promise<Reply>;
  /** The same, where it has to succeed. */
  done(request: string, options?: CallOptions): Promise<Reply>;
  set(name: string, value: string, options?: CallOptions & { readonly fields?: object }): Promise<Reply>;
  value(name: string, scope?: string): Promise<unknown>;
  define(more?: object): Promise<Reply>;
  bind(prefix?: string, scope?: string): Promise<Reply>;
  /** What the store itself has under a name; `undefined` for nothing. */
  inStore(name: string, version?: string): Promise<string | undefined>;
  /** How many versions it has had. */
  versions(name: string): number;
  /** Somebody writes there without Keyhole. */
  writeInStore(key: string, value: string): Promise<string>;
}

export const at = (name: string, scope = SCOPE) => `/v1/scopes/${encodeURIComponent(scope)}/secrets/${name}`;

/** Makes an organization with a store of a kind that a scope can be in. */
export async function openBench(kind: Kind, vars: Parameters<typeof openWorker>[0] = {}): Promise<Bench> {
  const org = `placed-${crypto.randomUUID().slice(0, 8)}`;
  const token = await sign({ org });
  const stores = openStores();
  for (const fake of [stores.aws, stores.azure, stores.vault]) fake.now = Date.now;
  const worker = openWorker(vars);
  const driver = stores.open(kind, {}, undefined, { clock: Date.now, now: new Date() });
  const call: Bench["call"] = (request, options = {}) => worker.call(request, { token, ...options });
  const done: Bench["done"] = async (request, options) => {
    const reply = await call(request, options);
    expect([request, reply.status < 300, reply.status < 300 ? "" : reply.text]).toEqual([request, true, ""]);
    return reply;
  };
  const define = (more: object = {}) =>
    call("PUT /v1/stores/outside", { json: { ...DEFINITIONS[kind], allow: ALLOW, write: true, refresh_seconds: 60, ...more } });
  for (const [name, value] of Object.entries(CREDENTIALS)) await done(`PUT ${at(name, "namespace:ops")}`, { json: { value, hosts: HOSTS } });
  expect((await define()).status).toBe(201);
  return {
    org,
    token,
    kind,
    stores,
    worker,
    call,
    done,
    define,
    set: (name, value, { fields = {}, ...options } = {}) => call(`PUT ${at(name)}`, { json: { value, ...fields }, ...options }),
    value: async (name, scope = SCOPE) => (await call(`GET /v1/resolve/${name}?scope=${encodeURIComponent(scope)}`)).body.value,
    bind: (prefix = PREFIX, scope = SCOPE) => call(`PUT /v1/scopes/${encodeURIComponent(scope)}`, { json: { store: "outside", prefix } }),
    async inStore(name, version) {
      const found = await driver.get(PREFIX + name, version);
      return found && new TextDecoder().decode(found.value);
    },
    versions(name) {
      const key = PREFIX + name;
      if (kind === "aws") return stores.aws.secrets.get(key)?.versions.size ?? 0;
      if (kind === "vault") return stores.vault.data.get(key)?.length ?? 0;
      return [...stores.azure.secrets.values()].find(({ versions }) => versions.some(({ tags }) => tags?.["keyhole-name"] === key))?.versions.length ?? 0;
    },
    writeInStore: async (key, value) => (await driver.put(key, new Uint8Array(new TextEncoder().encode(value)), { operation: crypto.randomUUID() })).version,
  };
}

/** Has `fetch` go through something first: what it returns is the answer. */
export function interceptNetwork(between: (request: Request, send: () => Promise<Response>) => Promise<Response>): void {
  const inner = vi.mocked(globalThis.fetch).getMockImplementation();
  if (!inner) throw new Error("the network is not a stand-in");
  vi.mocked(globalThis.fetch).mockImplementation((input, init) => {
    const request = new Request(input as RequestInfo, init as RequestInit);
    return between(request, () => inner(input, init));
  });
}

/** Whether a request changes something in a store. */
export async function isChange(request: Request): Promise<boolean> {
  const target = request.headers.get("X-Amz-Target");
  if (target !== null) return /\.(?:CreateSecret|PutSecretValue|DeleteSecret|RestoreSecret|UpdateSecretVersionStage)$/.test(target);
  if (new URL(request.url).hostname.startsWith("login.")) return false;
  return request.method === "PUT" || request.method === "DELETE" || request.method === "POST";
}

/** What a scheduled run does about what was begun in stores, at a time. */
export async function settle(now: number): Promise<Readonly<Record<string, number>>> {
  return settleWrites({ ...(await loadConfig(env)), db: env.DB, kv: env.KV, now: new Date(now) });
}

/** How much is begun in stores and has not ended here. */
export async function pending(org: string): Promise<number> {
  return (await env.DB.prepare("SELECT COUNT(*) AS n FROM store_writes WHERE org = ?").bind(org).first<number>("n")) ?? -1;
}
