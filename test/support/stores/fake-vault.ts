/** A fake of the key/value engine, version 2, at `secret`, and of a login at `auth/jwt`, as Vault's and OpenBao's references tell. */
export interface FakeVault {
  /** Tokens by the end of each, in milliseconds since 1970. */
  readonly tokens: Map<string, number>;
  /** The versions of each path, the newest last; `null`: deleted. */
  readonly data: Map<string, (Readonly<Record<string, unknown>> | null)[]>;
  /** What was deleted and can come back, by path and version. */
  readonly deleted: Map<string, Readonly<Record<string, unknown>>>;
  /** Which token of an OpenID provider is taken for a role. */
  login: (role: string, jwt: string) => Promise<boolean> | boolean;
  /** Paths below `/v1/` that nobody has the permission for. */
  readonly denied: Set<string>;
  readonly namespaces: (string | null)[];
  readonly asked: string[];
  /** Milliseconds since 1970. */
  now: () => number;
  readonly handle: (request: Request) => Promise<Response>;
}

/** Makes one with a token, and nothing in it. */
export function fakeVault(token: string): FakeVault {
  const vault: FakeVault = {
    tokens: new Map([[token, Number.POSITIVE_INFINITY]]),
    data: new Map(),
    deleted: new Map(),
    login: () => false,
    denied: new Set(),
    namespaces: [],
    asked: [],
    now: Date.now,
    handle: (request) => answer(vault, request),
  };
  return vault;
}

async function answer(vault: FakeVault, request: Request): Promise<Response> {
  const { pathname, searchParams } = new URL(request.url);
  const path = decodeURIComponent(pathname.slice("/v1/".length));
  vault.namespaces.push(request.headers.get("X-Vault-Namespace"));
  if (path === "auth/jwt/login") return login(vault, (await request.json()) as { role: string; jwt: string });
  vault.asked.push(`${request.method} ${path}`);
  const isKnown = (vault.tokens.get(request.headers.get("X-Vault-Token") ?? "") ?? 0) > vault.now();
  if (!isKnown || vault.denied.has(path)) return errors(403, "permission denied");
  if (path === "auth/token/lookup-self") return Response.json({ data: { type: "service" } });
  const [, area, name = ""] = /^secret\/(data|metadata|undelete)(?:\/(.*))?$/.exec(path) ?? [];
  if (area === "metadata" && searchParams.get("list") === "true") return list(vault, name);
  const versions = vault.data.get(name) ?? [];
  if (area === "undelete" && request.method === "POST") {
    for (const version of ((await request.json()) as { versions: number[] }).versions)
      versions[version - 1] ??= vault.deleted.get(`${name} ${version}`) ?? null;
    return new Response(null, { status: 204 });
  }
  if (area !== "data") return errors(404);
  if (request.method === "POST") return write(vault, name, (await request.json()) as WriteBody);
  if (request.method === "DELETE") {
    const last = versions.at(-1);
    if (last) vault.deleted.set(`${name} ${versions.length}`, last);
    if (versions.length > 0) versions[versions.length - 1] = null;
    return new Response(null, { status: 204 });
  }
  const version = Number(searchParams.get("version") ?? versions.length);
  const data = versions[version - 1];
  if (data === undefined) return errors(404);
  const metadata = { version, created_time: "2026-11-28T00:00:00Z", deletion_time: data ? "" : "2026-11-28T00:00:01Z", destroyed: false };
  return Response.json({ data: { data, metadata } }, { status: data ? 200 : 404 });
}

interface WriteBody {
  readonly data: Readonly<Record<string, unknown>>;
  readonly options?: { readonly cas?: number };
}

function write({ data: all }: FakeVault, name: string, { data, options }: WriteBody): Response {
  const versions = all.get(name) ?? [];
  const cas = options?.cas;
  if (cas !== undefined && cas !== versions.length) return errors(400, "check-and-set parameter did not match the current version");
  versions.push(data);
  all.set(name, versions);
  return Response.json({ data: { version: versions.length, created_time: "2026-11-28T00:00:00Z", deletion_time: "", destroyed: false } });
}

function list({ data }: FakeVault, folder: string): Response {
  const within = folder === "" ? "" : `${folder.replace(/\/$/, "")}/`;
  const below = [...data.keys()].filter((name) => name.startsWith(within)).map((name) => name.slice(within.length));
  const keys = [...new Set(below.map((name) => name.replace(/\/.*$/s, "/")))].sort();
  return keys.length > 0 ? Response.json({ data: { keys } }) : errors(404);
}

async function login(vault: FakeVault, { role, jwt }: { role: string; jwt: string }): Promise<Response> {
  if (!(await vault.login(role, jwt))) return errors(400, "error validating token");
  const token = `s.${crypto.randomUUID()}`;
  vault.tokens.set(token, vault.now() + 3_600_000);
  vault.asked.push("login");
  return Response.json({ auth: { client_token: token, lease_duration: 3600, renewable: false } });
}

function errors(status: number, ...texts: string[]): Response {
  return Response.json({ errors: texts }, { status });
}
