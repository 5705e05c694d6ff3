import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";

/** A version of an object: its JSON as it was given, or what became of it. */
type Version = { readonly json: string; readonly deletionTime?: string } | "deleted" | "destroyed";

/** What a fake Vault is told to be. */
interface FakeVaultOptions {
  readonly token: string;
  readonly namespace?: string;
  /** Whether its lists come in pages, as OpenBao's do. */
  readonly pages?: boolean;
}

/** Vault's key-value engines, as far as they are read from: paths, statuses and bodies are those of OpenBao, which `npm run test:peers` has beside it. */
export interface FakeVault {
  readonly url: string;
  /** Every request: method, path and query. */
  readonly requests: string[];
  /** Mounts an engine. */
  mount(name: string, version: "1" | "2"): void;
  /** Puts a version of an object there. */
  put(mount: string, path: string, version: Version, customMetadata?: Record<string, string>): void;
  /** What a policy denies, by the beginning of its path below `/v1/`. */
  denied: string[];
  /** What the next requests are answered with, in place of what they ask for. */
  failing: { status: number; headers?: Record<string, string>; body?: string }[];
  stop(): Promise<void>;
}

interface Engine {
  readonly version: "1" | "2";
  readonly objects: Map<string, { version: number; current: Version; customMetadata: Record<string, string> | null }>;
}

type Reply = readonly [status: number, body: string];

const NOTHING: Reply = [404, '{"errors":[]}'];
const DENIED = '{"errors":["1 error occurred:\\n\\t* permission denied\\n\\n"]}';

/** Starts a fake Vault. */
export async function startFakeVault({ token, namespace, pages = false }: FakeVaultOptions): Promise<FakeVault> {
  const mounts = new Map<string, Engine>();
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? "", "http://vault");
    vault.requests.push(`${request.method} ${request.url}`);
    const failure = vault.failing.shift();
    if (failure) return void response.writeHead(failure.status, failure.headers).end(failure.body ?? '{"errors":["failing"]}');
    // The path is decoded before anything is looked for, as Go's server does.
    const path = decodeURIComponent(url.pathname).replace(/^\/v1\//, "");
    const denied = !mayCall(request) || vault.denied.some((beginning) => path.startsWith(beginning));
    const [status, body] = denied ? [403, DENIED] : replyFor(path, url.searchParams);
    response.writeHead(status, { "Content-Type": "application/json" }).end(`${body}\n`);
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  const vault: FakeVault = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests: [],
    denied: [],
    failing: [],
    mount: (name, version) => void mounts.set(name, { version, objects: new Map() }),
    put(mount, path, current, customMetadata) {
      const { objects } = mounts.get(mount) ?? { objects: new Map() };
      const before = objects.get(path);
      objects.set(path, { version: (before?.version ?? 0) + 1, current, customMetadata: customMetadata ?? before?.customMetadata ?? null });
    },
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return vault;

  function mayCall({ headers }: IncomingMessage): boolean {
    return headers["x-vault-token"] === token && headers["x-vault-namespace"] === namespace;
  }

  function replyFor(path: string, query: URLSearchParams): Reply {
    const asked = path.replace(/^sys\/internal\/ui\/mounts\//, "");
    const [name = "", engine] = [...mounts].find(([mount]) => `${asked}/`.startsWith(`${mount}/`)) ?? [];
    if (engine === undefined) return [404, '{"errors":["no handler for route"]}'];
    if (asked !== path) return [200, JSON.stringify({ data: { path: `${name}/`, type: "kv", options: { version: engine.version } } })];
    const rest = path.slice(name.length + 1);
    if (query.get("list") === "true") return list(engine, engine.version === "2" ? rest.replace(/^metadata\/?/, "") : rest, query);
    return engine.version === "1" ? readFirst(engine, rest) : readSecond(engine, rest.replace(/^data\//, ""));
  }

  function list({ objects }: Engine, folder: string, query: URLSearchParams): Reply {
    const prefix = folder === "" || folder.endsWith("/") ? folder : `${folder}/`;
    const below = [...objects.keys()].filter((path) => path.startsWith(prefix)).map((path) => path.slice(prefix.length).replace(/\/.*/, "/"));
    const [after, limit] = pages ? [query.get("after") ?? "", Number(query.get("limit") ?? 0) || undefined] : ["", undefined];
    const keys = [...new Set(below)].sort().filter((key) => key > after);
    return keys.length === 0 ? NOTHING : [200, JSON.stringify({ data: { keys: keys.slice(0, limit) } })];
  }
}

/** A fake Vault with a tree as people have it, for the token `hvs.example`. */
export async function startExampleVault(): Promise<FakeVault> {
  const vault = await startFakeVault({ token: "hvs.example" });
  vault.mount("secret", "2");
  vault.put("secret", "aws", { json: '{".dockerconfigjson":"{}","AWS_SECRET_ACCESS_KEY":"sk-vault-1","port":5432}' }, { owner: "ada" });
  vault.put("secret", "myapp/config", { json: '{"DB_PASSWORD":"sk-vault-2","db-user":"app"}' });
  vault.put("secret", "old", "deleted");
  vault.put("secret", "shop", { json: '{"API_KEY":"sk-vault-3"}' });
  vault.put("secret", "team/pay", { json: '{"STRIPE_KEY":"sk-vault-4"}' });
  return vault;
}

function readFirst({ objects }: Engine, path: string): Reply {
  const current = objects.get(path)?.current;
  if (current === undefined || typeof current === "string") return NOTHING;
  return [200, `{"request_id":"r","lease_id":"","renewable":false,"lease_duration":2764800,"data":${asGo(current.json)},"auth":null}`];
}

function readSecond({ objects }: Engine, path: string): Reply {
  const found = objects.get(path);
  if (found === undefined) return NOTHING;
  const { current, customMetadata, version } = found;
  const known = { created_time: "2025-12-01T00:00:00Z", custom_metadata: customMetadata, version };
  const [status, data, metadata]: [number, string, object] =
    typeof current === "string"
      ? [404, "null", { ...known, deletion_time: current === "deleted" ? "2026-01-01T00:00:00Z" : "", destroyed: current === "destroyed" }]
      : [200, asGo(current.json), { ...known, deletion_time: current.deletionTime ?? "", destroyed: false }];
  const body = `"data":{"data":${data},"metadata":${JSON.stringify(metadata)}},"wrap_info":null,"warnings":null,"auth":null`;
  return [status, `{"request_id":"r","lease_id":"","renewable":false,"lease_duration":0,${body}}`];
}

/** Go's encoder escapes what HTML might take for markup; numbers stay as they were written. */
function asGo(json: string): string {
  return json.replace(/[<>&]/g, (character) => `\\u00${character.charCodeAt(0).toString(16)}`);
}
