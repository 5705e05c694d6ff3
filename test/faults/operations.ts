import { env } from "cloudflare:workers";
import { inject } from "vitest";
import { networkOf } from "../../src/worker/access/network-of.ts";
import { loadConfig } from "../../src/worker/config.ts";
import { readRegistry } from "../../src/worker/log/read-registry.ts";
import { NO_REGISTRY } from "../../src/worker/log/registry.ts";
import { sealLog } from "../../src/worker/log/seal-log.ts";
import { writeRegistry } from "../../src/worker/log/write-registry.ts";
import { backUp, emptyDeployment } from "../backup/other-deployment.ts";
import { unsealedLink } from "../security/operations.ts";
import { at, type CallOptions, type Reply } from "../support/call.ts";
import { FORM } from "../support/exchange.ts";
import { publish, startIssuer } from "../support/issuer.ts";
import { sign } from "../support/sign.ts";
import { OIDC_TEST_KEY, UNSEALED_KEYRING } from "../support/test-secrets.ts";
import { START } from "./worker-run.ts";

/** Makes a request of a Worker without faults, in the cell's organization. */
type Ask = (request: string, options?: CallOptions) => Promise<Reply>;

/** What a cell is about: an organization of its own, and what was made in it. */
export interface Cell {
  readonly org: string;
  readonly ask: Ask;
  /** What `prepare` made: an id. */
  readonly made: string;
}

/** One operation, and what can be seen of it. */
export interface FaultedOperation {
  readonly prepare?: (cell: Omit<Cell, "made">) => Promise<string>;
  readonly request: (cell: Cell) => readonly [request: string, options?: CallOptions];
  /**
   * Of a write: each thing that it does, and whether that is there. All of them are, or none. A read has none: its reply
   * is what it is without a fault, or none.
   */
  readonly effects?: (cell: Cell) => Promise<boolean[]>;
  /** Whether the number of its calls depends on what else there is, so that a fault may not come to pass. */
  readonly varying?: true;
  /** What of a reply is the same each time, where that is not all of it. */
  readonly shown?: (text: string) => string;
  /** What a reply may be, too, in which something is left out and said to be. */
  readonly partly?: string;
  /** What the request is answered when it comes again after all of it happened, where that is no success. */
  readonly again?: number;
  /** The Worker's vars and secrets, where they are not those of the others. */
  readonly vars?: (org: string) => Readonly<Record<string, string | D1Database | KVNamespace>>;
}

/** A deployment that does not require seals takes plaintext as it is. */
const unsealed = () => ({ KEYRING: UNSEALED_KEYRING });
/** The organization of the cell is the operator's own. */
const operator = (org: string) => ({ PLATFORM_ORG: org });

/** The same of a deployment of its own, which is empty. */
const empty = (org: string) => ({ PLATFORM_ORG: org, DB: env.OTHER_DB });

let firstPage = "";
/** Makes that deployment empty, and a page that begins a restore there. */
async function emptied(): Promise<string> {
  if (firstPage === "") firstPage = JSON.stringify((await backUp(await emptyDeployment()))[0]);
  const { n } = (await env.OTHER_DB.prepare("SELECT COUNT(*) AS n FROM audit_events").first<{ n: number }>()) ?? { n: 1 };
  if (n > 0) await emptyDeployment();
  await env.OTHER_DB.prepare("DELETE FROM restores").run();
  return firstPage;
}

/** A restore there of which all pages are here. */
async function allPagesHere({ org }: { org: string }): Promise<string> {
  if (firstPage === "") await emptied();
  await env.OTHER_DB.batch([
    env.OTHER_DB.prepare("DELETE FROM restores"),
    env.OTHER_DB.prepare("INSERT INTO restores (id, backup, page, jws, begun_at, logs) VALUES (1, 'bak_1', 16, 'j', 0, ?)").bind(
      JSON.stringify({ [org]: [0, 0] }),
    ),
  ]);
  return "";
}

/** How many versions are kept. */
export const MAX_VERSIONS = 3;

const SECRET = at("global", "S");
const OLD = "old value";
const NEW = "new value";

const put = (ask: Ask, value: string, name = "S") => ask(`PUT ${at("global", name)}`, { json: { value } });
const made = async (ask: Ask) => (await put(ask, OLD)).body.id as string;

/** The value that a resolve gives, `null` when there is none. */
async function resolved(ask: Ask, name = "S"): Promise<string | null> {
  const reply = await ask("POST /v1/resolve", { json: { names: [name], allow_missing: true } });
  if (reply.status !== 200) throw new Error(`a resolve without faults was answered ${reply.text}`);
  return reply.body.secrets[name]?.value ?? null;
}

const secretOf = async (ask: Ask, name = "S") => (await ask(`GET ${at("global", name)}`)).body;
const recorded = async (ask: Ask, action: string) => {
  const { events } = (await ask(`GET /v1/audit?action=${action}&outcome=allowed`)).body;
  return events.length > 0;
};

/** Moves a secret's ciphertexts into KV for good, as scheduled runs do over some minutes. */
async function settle(id: string): Promise<void> {
  const { results } = await env.DB.prepare("SELECT kv_key, ciphertext FROM versions WHERE secret_id = ?")
    .bind(id)
    .all<{ kv_key: string; ciphertext: string }>();
  await Promise.all(results.map(({ kv_key, ciphertext }) => env.KV.put(kv_key, ciphertext)));
  await env.DB.prepare("UPDATE versions SET ciphertext = NULL, kv_put_at = created_at WHERE secret_id = ?").bind(id).run();
}

async function madeAndSettled({ ask }: { ask: Ask }): Promise<string> {
  const id = await made(ask);
  await settle(id);
  return id;
}

async function madeTwoVersions({ ask }: { ask: Ask }): Promise<string> {
  await put(ask, NEW);
  return (await put(ask, OLD)).body.id;
}

async function madeAndDeleted({ ask }: { ask: Ask }): Promise<string> {
  const id = await made(ask);
  await ask(`DELETE ${SECRET}`);
  return id;
}

/** A secret whose value is still as another store had it. */
async function madeLegacy({ org }: { org: string }): Promise<string> {
  await env.DB.batch([
    env.DB.prepare(
      "INSERT INTO secrets (id, org, scope, name, version, revision, created_at, created_by, updated_at, updated_by, rotated_at) VALUES (?1, ?2, 'global', 'S', 1, 1, ?3, 'old', ?3, 'old', ?3)",
    ).bind(`sec_${org}`, org, START),
    env.DB.prepare("INSERT INTO versions (secret_id, version, encoding, created_at, created_by, legacy_plaintext) VALUES (?, 1, 'utf8', ?, 'old', ?)").bind(
      `sec_${org}`,
      START,
      OLD,
    ),
  ]);
  return `sec_${org}`;
}

const hasSeal = async (org: string) =>
  (await env.DB.prepare("SELECT seal FROM scopes WHERE org = ? AND scope = 'repo:by-hand/S'").bind(org).first("seal")) !== null;

const isNew = async ({ ask }: Cell) => [(await resolved(ask)) === NEW, (await secretOf(ask)).version === 2, await recorded(ask, "secret.update")];
const isCreated = async ({ ask }: Cell) => [(await resolved(ask)) === NEW, (await secretOf(ask)).version === 1, await recorded(ask, "secret.create")];
const isDestroyed = async ({ ask, made: id }: Cell) => [
  (await ask(`GET /v1/secrets/${id}/versions`)).body.versions.at(-1).state === "destroyed",
  await recorded(ask, "secret.destroy"),
];
const canComeBack = async ({ ask }: Cell) => (await ask("GET /v1/secrets?deleted=true")).body.secrets.length > 0;
const isDeleted = async ({ ask }: Cell, action = "secret.delete") => [
  (await resolved(ask)) === null,
  (await ask(`GET ${SECRET}`)).status === 404,
  (await ask("GET /v1/secrets")).body.secrets.length === 0,
  await recorded(ask, action),
];
const holdsOld = async ({ ask }: Cell) => [(await resolved(ask)) === OLD];
const isRolledBack = async ({ ask }: Cell) => [(await resolved(ask)) === NEW, (await secretOf(ask)).version === 3, await recorded(ask, "secret.rollback")];

const json = (value: unknown): CallOptions => ({ json: value });
const RESOLVE = json({ names: ["S"] });
const LINKED = "/v1/scopes/repo%3Aa";
const link = async ({ ask }: { ask: Ask }) => {
  await ask(`PUT ${LINKED}`, json({ parent: "team:t" }));
  return "";
};
const isLinked = async (ask: Ask) => (await ask("GET /v1/scopes")).body.scopes.some(({ parent }: { parent: string | null }) => parent === "team:t");
const TOKEN = { label: "ci", permissions: ["secrets:read"], expires_in: 60 };
const tokensOf = async (ask: Ask) => (await ask("GET /v1/tokens")).body.tokens as { id: string; revoked_at: string | null }[];
const mint = async ({ ask }: { ask: Ask }) => (await ask("POST /v1/tokens", json(TOKEN))).body.id;
const TRUST = {
  issuer: "https://token.actions.githubusercontent.com",
  audience: "keyhole",
  claims: { sub: "s" },
  permissions: ["secrets:read"],
  expires_in: 60,
};
const trust = async ({ ask }: { ask: Ask }) => {
  await ask("PUT /v1/trusts/t", json(TRUST));
  return "t";
};
const SERVICE = {
  origin: inject("upstream"),
  scopes: ["global"],
  inject: [{ in: "header", name: "X-Key", value: "${S}" }],
  allow: [{ methods: ["GET"], paths: ["/echo/**"] }],
  audit: "each",
};
/** A service may be on this machine. */
const insecure = () => ({ ALLOW_INSECURE_ORIGINS: "true" });
const service = async ({ ask }: { ask: Ask }) => {
  await ask(`PUT ${SECRET}`, json({ value: "a value that is long enough", hosts: ["127.0.0.1"] }));
  await ask("PUT /v1/services/s", json(SERVICE));
  return "s";
};
const hasService = async (ask: Ask) => (await ask("GET /v1/services/s")).status === 200;
/** As the console's own page asks. */
const OWN_PAGE = { "Keyhole-Console": "1", "Sec-Fetch-Site": "same-origin" };
let sessionToken = "";
/** Logs somebody in; made is the cookie. */
const session = async ({ org, ask }: { org: string; ask: Ask }) => {
  const reply = await ask("POST /console/api/session", { token: null, headers: OWN_PAGE, json: { token: await sign({ org }) } });
  return (reply.headers.get("Set-Cookie") ?? "").split(";")[0] ?? "";
};
const hasSession = async (org: string) => (await env.DB.prepare("SELECT COUNT(*) AS n FROM sessions WHERE org = ?").bind(org).first<number>("n")) !== 0;

const LOGIN = { issuer: "https://accounts.google.com", client_id: "keyhole", claims: { hd: "acme.example" }, permissions: ["secrets:read"] };
const login = async ({ ask }: { ask: Ask }) => {
  await ask("PUT /v1/logins/l", json(LOGIN));
  return "l";
};
const hasLogin = async (ask: Ask) => (await ask("GET /v1/logins/l")).status === 200;
/** A login by a provider that is there. */
const loginHere = async ({ ask }: { ask: Ask }) => {
  const { url, jwksUrl, discoveryUrl } = await startIssuer();
  const endpoints = { authorization_endpoint: `${url}/authorize`, token_endpoint: `${url}/token` };
  await publish(discoveryUrl, { body: JSON.stringify({ issuer: url, jwks_uri: jwksUrl, ...endpoints }) });
  await ask("PUT /v1/logins/l", json({ ...LOGIN, issuer: url }));
  return "l";
};
const asPage = (cookie: string, sent?: object) => ({ token: null, headers: { ...OWN_PAGE, Cookie: cookie }, ...(sent && { json: sent }) });
const PROGRAM = { redirect_uri: "http://127.0.0.1:49152/callback", code_challenge: "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", approved: true };
const countOfCodes = async () => (await env.DB.prepare("SELECT COUNT(*) AS n FROM login_codes").first<number>("n")) ?? 0;
/** An address of the cell's own: of one network only so many devices wait. */
const addressOf = (org: string) => `2001:db8:${(Number(org.replace(/\D/g, "")) || 0).toString(16)}::1`;
const deviceRequest = (org: string): CallOptions => ({
  token: null,
  body: "client_id=keyhole-cli",
  headers: { "Content-Type": "application/x-www-form-urlencoded", "CF-Connecting-IP": addressOf(org) },
});
/** A device that waits, and somebody who is logged in; made is the cookie and the code. */
const device = async ({ org, ask }: { org: string; ask: Ask }) => {
  const { user_code } = (await ask("POST /oauth/device_authorization", deviceRequest(org))).body;
  return `${await session({ org, ask })} ${user_code}`;
};
const decision = (made: string, approved?: boolean) => {
  const [cookie = "", user_code = "BCDF-GHJK"] = made.split(" ");
  return ["POST /console/api/devices", asPage(cookie, { user_code, ...(approved && { approved }) })] as const;
};
const devicesOf = async (org: string) =>
  (
    await env.DB.prepare("SELECT decided FROM device_requests WHERE network = ?")
      .bind(networkOf(addressOf(org)))
      .all<{ decided: 0 | 1 }>()
  ).results;

/** A store that is asked by the deployment's own identity. */
const STORE = { kind: "vault", address: inject("upstream"), mount: "secret", credentials: { role: "keyhole", jwt_auth: "jwt" } };
const withStores = () => ({ ...insecure(), OIDC_KEY: OIDC_TEST_KEY, PUBLIC_URL: "https://keyhole.example.com" });
const store = async ({ ask }: { ask: Ask }) => {
  await ask("PUT /v1/stores/s", json(STORE));
  return "s";
};
/** One that every scope may be in. */
const storeForAll = async ({ ask }: { ask: Ask }) => {
  await ask("PUT /v1/stores/s", json({ ...STORE, allow: [{ scopes: ["*"], keys: ["*"] }], write: true }));
  return "s";
};
const placed = async ({ ask }: { ask: Ask }) => {
  await storeForAll({ ask });
  await ask("PUT /v1/scopes/team%3Aplaced", json({ store: "s", prefix: "" }));
  return "s";
};
const WEBHOOK = { url: `${inject("upstream")}/hook`, events: ["calls.refused"] };
const webhook = async ({ ask }: { ask: Ask }) => {
  await ask("PUT /v1/webhooks/w", json(WEBHOOK));
  return "w";
};
const hasWebhook = async (ask: Ask) => (await ask("GET /v1/webhooks/w")).status === 200;
/** A secret is another one each time, and so is how often it was changed. */
const withoutSecret = (text: string) => text.replace(/,"secret":"[^"]+"/, "").replace(/"revision":\d+/, "");
const hasStore = async (ask: Ask) => (await ask("GET /v1/stores/s")).status === 200;
const hasTrust = async (ask: Ask) => (await ask("GET /v1/trusts/t")).status === 200;

/** Every operation that changes something. */
export const WRITES: Record<string, FaultedOperation> = {
  "PUT of a new secret": { request: () => [`PUT ${SECRET}`, json({ value: NEW })], effects: isCreated },
  "POST of a secret on Vault's wire": {
    prepare: ({ ask }) => made(ask),
    request: () => ["POST /v1/kv/data/global/S", json({ data: { value: NEW } })],
    effects: isNew,
  },
  "POST of an object on Vault's wire": {
    prepare: ({ ask }) => made(ask),
    request: () => ["POST /v1/secret/data/global", json({ data: { S: NEW } })],
    effects: isNew,
  },
  "PATCH of an object on Vault's wire": {
    prepare: ({ ask }) => made(ask),
    request: () => ["PATCH /v1/secret/data/global", json({ data: { S: NEW } })],
    effects: isNew,
  },
  "DELETE of an object on Vault's wire": {
    prepare: ({ ask }) => made(ask),
    request: () => ["DELETE /v1/secret/data/global"],
    effects: (cell) => isDeleted(cell),
  },
  "POST of a deletion of an object's version on Vault's wire": {
    prepare: ({ ask }) => made(ask),
    request: () => ["POST /v1/secret/delete/global", json({ versions: [1] })],
    effects: (cell) => isDeleted(cell),
  },
  "POST of an undelete of an object on Vault's wire": {
    prepare: madeAndDeleted,
    request: () => ["POST /v1/secret/undelete/global", json({ versions: [1] })],
    effects: async (cell) => [(await resolved(cell.ask)) === OLD, !(await canComeBack(cell)), await recorded(cell.ask, "secret.undelete")],
  },
  "POST of a destruction in an object on Vault's wire": {
    prepare: madeTwoVersions,
    request: () => ["POST /v1/secret/destroy/global", json({ versions: [1] })],
    effects: isDestroyed,
  },
  "POST of an object's metadata on Vault's wire": {
    prepare: ({ ask }) => made(ask),
    request: () => ["POST /v1/secret/metadata/global", json({ custom_metadata: { a: "b" } })],
    effects: async ({ ask }) => [(await ask("GET /v1/secret/metadata/global")).body.data.custom_metadata?.a === "b"],
  },
  "PATCH of an object's metadata on Vault's wire": {
    prepare: ({ ask }) => made(ask),
    request: () => ["PATCH /v1/secret/metadata/global", json({ custom_metadata: { a: "b" } })],
    effects: async ({ ask }) => [(await ask("GET /v1/secret/metadata/global")).body.data.custom_metadata?.a === "b"],
  },
  "DELETE of an object for good on Vault's wire": {
    prepare: ({ ask }) => made(ask),
    request: () => ["DELETE /v1/secret/metadata/global"],
    effects: (cell) => isDeleted(cell, "secret.purge"),
  },
  "DELETE of a secret on Vault's wire": {
    prepare: ({ ask }) => made(ask),
    request: () => ["DELETE /v1/kv/data/global/S"],
    effects: (cell) => isDeleted(cell),
  },
  "POST of a deletion of a secret's version on Vault's wire": {
    prepare: ({ ask }) => made(ask),
    request: () => ["POST /v1/kv/delete/global/S", json({ versions: [1] })],
    effects: (cell) => isDeleted(cell),
  },
  "POST of an undelete of a secret on Vault's wire": {
    prepare: madeAndDeleted,
    request: () => ["POST /v1/kv/undelete/global/S", json({ versions: [1] })],
    effects: async (cell) => [(await resolved(cell.ask)) === OLD, !(await canComeBack(cell)), await recorded(cell.ask, "secret.undelete")],
  },
  "POST of a destruction of two versions of a secret on Vault's wire": {
    prepare: async (cell) => {
      await madeTwoVersions(cell);
      return (await put(cell.ask, NEW)).body.id;
    },
    request: () => ["POST /v1/kv/destroy/global/S", json({ versions: [1, 2] })],
    effects: async ({ ask, made: id }) => {
      const states = (await ask(`GET /v1/secrets/${id}/versions`)).body.versions.map(({ state }: { state: string }) => state === "destroyed");
      return [...states.slice(1), await recorded(ask, "secret.destroy")];
    },
  },
  "POST of a secret's metadata on Vault's wire": {
    prepare: ({ ask }) => made(ask),
    request: () => ["POST /v1/kv/metadata/global/S", json({ custom_metadata: { a: "b" } })],
    effects: async ({ ask }) => [(await secretOf(ask)).labels.a === "b", await recorded(ask, "secret.update")],
  },
  "DELETE of a secret for good on Vault's wire": {
    prepare: ({ ask }) => made(ask),
    request: () => ["DELETE /v1/kv/metadata/global/S"],
    effects: (cell) => isDeleted(cell, "secret.purge"),
  },
  "POST of a token on Vault's wire": {
    request: () => ["POST /v1/auth/token/create", json({ ttl: "5m" })],
    effects: async ({ ask }) => [(await tokensOf(ask)).length > 0, await recorded(ask, "token.create")],
  },
  "PUT of a new value": { prepare: ({ ask }) => made(ask), request: () => [`PUT ${SECRET}`, json({ value: NEW })], effects: isNew },
  "PUT of a new value, the old one in KV": { prepare: madeAndSettled, request: () => [`PUT ${SECRET}`, json({ value: NEW })], effects: isNew },
  "PUT of the same value": { prepare: ({ ask }) => made(ask), request: () => [`PUT ${SECRET}`, json({ value: OLD })], effects: holdsOld },
  "PUT of the same value, that one in KV": { prepare: madeAndSettled, request: () => [`PUT ${SECRET}`, json({ value: OLD })], effects: holdsOld },
  "PUT of a new value over plaintext": { vars: unsealed, prepare: madeLegacy, request: () => [`PUT ${SECRET}`, json({ value: NEW })], effects: isNew },
  "PUT of a new value that ends an old version": {
    prepare: async ({ ask }) => {
      for (let n = 1; n <= MAX_VERSIONS; n++) await put(ask, `${OLD} ${n}`);
      return (await secretOf(ask)).id;
    },
    request: () => [`PUT ${SECRET}`, json({ value: NEW })],
    effects: async ({ ask, made: id }) => [
      (await resolved(ask)) === NEW,
      (await ask(`GET /v1/secrets/${id}/versions`)).body.versions.at(-1).state === "destroyed",
      (await secretOf(ask)).version === MAX_VERSIONS + 1,
    ],
  },
  "POST of a new secret": { request: () => ["POST /v1/secrets", json({ scope: "global", name: "S", value: NEW })], effects: isCreated, again: 409 },
  "PATCH of the value": { prepare: ({ ask }) => made(ask), request: ({ made: id }) => [`PATCH /v1/secrets/${id}`, json({ value: NEW })], effects: isNew },
  "PATCH of the description": {
    prepare: ({ ask }) => made(ask),
    request: ({ made: id }) => [`PATCH /v1/secrets/${id}`, json({ description: "d", labels: { a: "b" } })],
    effects: async ({ ask }) => [
      (await secretOf(ask)).description === "d",
      (await ask("GET /v1/secrets?label=a:b")).body.secrets.length === 1,
      await recorded(ask, "secret.update"),
    ],
  },
  "DELETE by name": { prepare: ({ ask }) => made(ask), request: () => [`DELETE ${SECRET}`], effects: (cell) => isDeleted(cell), again: 404 },
  "DELETE by id, the value in KV": {
    prepare: madeAndSettled,
    request: ({ made: id }) => [`DELETE /v1/secrets/${id}`],
    effects: (cell) => isDeleted(cell),
    again: 404,
  },
  "DELETE by name, with purge": {
    prepare: ({ ask }) => made(ask),
    request: () => [`DELETE ${SECRET}?purge=true`],
    effects: (cell) => isDeleted(cell, "secret.purge"),
    again: 404,
  },
  "POST of an undelete": {
    prepare: madeAndDeleted,
    request: ({ made: id }) => [`POST /v1/secrets/${id}/undelete`],
    effects: async (cell) => [(await resolved(cell.ask)) === OLD, !(await canComeBack(cell)), await recorded(cell.ask, "secret.undelete")],
  },
  "PUT of a secret that was deleted": {
    prepare: madeAndDeleted,
    request: () => [`PUT ${SECRET}`, json({ value: NEW })],
    effects: async ({ ask, made: id }) => [
      (await resolved(ask)) === NEW,
      (await ask(`GET /v1/secrets/${id}/versions`)).body.versions?.map(({ state }: { state: string }) => state).join() === "current,destroyed",
    ],
  },
  "POST of a rollback": {
    prepare: madeTwoVersions,
    request: ({ made: id }) => [`POST /v1/secrets/${id}/rollback`, json({ version: 1 })],
    effects: isRolledBack,
  },
  "POST of a rollback, the values in KV": {
    prepare: async (cell) => {
      const id = await madeTwoVersions(cell);
      await settle(id);
      return id;
    },
    request: ({ made: id }) => [`POST /v1/secrets/${id}/rollback`, json({ version: 1 })],
    effects: isRolledBack,
  },
  "DELETE of a version": {
    prepare: madeTwoVersions,
    request: ({ made: id }) => [`DELETE /v1/secrets/${id}/versions/1`],
    effects: async ({ ask, made: id }) => [
      (await ask(`GET /v1/secrets/${id}/versions`)).body.versions.at(-1).state === "destroyed",
      (await ask(`POST /v1/secrets/${id}/rollback`, json({ version: 1 }))).status === 404,
      await recorded(ask, "secret.destroy"),
    ],
  },
  "POST of an import": {
    prepare: ({ ask }) => made(ask),
    request: () => ["POST /v1/import", json({ scope: "global", secrets: { S: NEW, T: NEW, U: NEW } })],
    effects: async ({ ask }) => [
      ...(await Promise.all(["S", "T", "U"].map(async (name) => (await resolved(ask, name)) === NEW))),
      await recorded(ask, "secret.import"),
    ],
  },
  "POST of a document": {
    prepare: ({ ask }) => made(ask),
    request: () => ["POST /v1/import/object?overwrite=true", json({ scope: "global", members: ["S", "T", "U"].map((key) => ({ key, value: NEW })) })],
    effects: async ({ ask }) => [
      ...(await Promise.all(["S", "T", "U"].map(async (name) => (await resolved(ask, name)) === NEW))),
      await recorded(ask, "secret.import"),
    ],
  },
  "PUT of a scope": {
    request: () => [`PUT ${LINKED}`, json({ parent: "team:t" })],
    effects: async ({ ask }) => [await isLinked(ask), await recorded(ask, "scope.put")],
  },
  "DELETE of a scope": {
    prepare: link,
    request: () => [`DELETE ${LINKED}`],
    effects: async ({ ask }) => [!(await isLinked(ask)), await recorded(ask, "scope.delete")],
    again: 404,
  },
  "DELETE of a scope's secrets": {
    prepare: async ({ ask }) => {
      await put(ask, OLD, "T");
      return made(ask);
    },
    request: () => ["DELETE /v1/scopes/global?secrets=true"],
    effects: (cell) => isDeleted(cell),
    again: 404,
  },
  "POST of a token": {
    request: () => ["POST /v1/tokens", json(TOKEN)],
    effects: async ({ ask }) => [(await tokensOf(ask)).length > 0, await recorded(ask, "token.create")],
  },
  "DELETE of a token": {
    prepare: mint,
    request: ({ made: id }) => [`DELETE /v1/tokens/${id}`],
    effects: async ({ ask }) => [(await tokensOf(ask)).every(({ revoked_at }) => revoked_at !== null), await recorded(ask, "token.revoke")],
  },
  "POST of a revocation": {
    prepare: mint,
    request: ({ made: token_id }) => ["POST /v1/revocations", json({ token_id })],
    // Its number is another one when it is made twice.
    shown: (text) => text.replace(/"number":\d+/, ""),
    effects: async ({ ask }) => [(await tokensOf(ask)).every(({ revoked_at }) => revoked_at !== null), await recorded(ask, "token.revoke")],
  },
  "PUT of a trust": {
    request: () => ["PUT /v1/trusts/t", json(TRUST)],
    effects: async ({ ask }) => [await hasTrust(ask), await recorded(ask, "trust.put")],
  },
  "DELETE of a trust": {
    prepare: trust,
    request: () => ["DELETE /v1/trusts/t"],
    effects: async ({ ask }) => [!(await hasTrust(ask)), await recorded(ask, "trust.delete")],
    again: 404,
  },
  "PUT of a service": {
    vars: insecure,
    request: () => ["PUT /v1/services/s", json(SERVICE)],
    effects: async ({ ask }) => [await hasService(ask), await recorded(ask, "service.put")],
  },
  "DELETE of a service": {
    vars: insecure,
    prepare: service,
    request: () => ["DELETE /v1/services/s"],
    effects: async ({ ask }) => [!(await hasService(ask)), await recorded(ask, "service.delete")],
    again: 404,
  },
  "POST of a check of a store": {
    vars: withStores,
    prepare: store,
    request: () => ["POST /v1/stores/s/check"],
    effects: async ({ ask }) => [await recorded(ask, "store.check")],
  },
  "PUT of a store": {
    vars: withStores,
    request: () => ["PUT /v1/stores/s", json(STORE)],
    effects: async ({ ask }) => [await hasStore(ask), await recorded(ask, "store.put")],
  },
  "DELETE of a store": {
    vars: withStores,
    prepare: store,
    request: () => ["DELETE /v1/stores/s"],
    effects: async ({ ask }) => [!(await hasStore(ask)), await recorded(ask, "store.delete")],
    again: 404,
  },
  "PUT of a webhook": {
    vars: withStores,
    request: () => ["PUT /v1/webhooks/w", json(WEBHOOK)],
    effects: async ({ ask }) => [await hasWebhook(ask), await recorded(ask, "webhook.put")],
    shown: withoutSecret,
  },
  "POST of another secret of a webhook": {
    vars: withStores,
    prepare: webhook,
    request: () => ["POST /v1/webhooks/w/rotate"],
    effects: async ({ ask }) => [(await ask("GET /v1/webhooks/w")).body.previous_secret_until !== null],
    shown: withoutSecret,
  },
  "POST of a webhook's test": {
    vars: withStores,
    prepare: webhook,
    request: () => ["POST /v1/webhooks/w/test"],
    effects: async ({ ask }) => [await recorded(ask, "webhook.test")],
  },
  "DELETE of a webhook": {
    vars: withStores,
    prepare: webhook,
    request: () => ["DELETE /v1/webhooks/w"],
    effects: async ({ ask }) => [!(await hasWebhook(ask)), await recorded(ask, "webhook.delete")],
    again: 404,
  },
  "POST of a session": {
    request: () => ["POST /console/api/session", { token: null, headers: OWN_PAGE, json: { token: sessionToken } }],
    prepare: async ({ org }) => {
      sessionToken = await sign({ org });
      return "";
    },
    effects: async ({ org, ask }) => [await hasSession(org), await recorded(ask, "session.create")],
  },
  "DELETE of a session": {
    prepare: session,
    request: ({ made }) => ["DELETE /console/api/session", { token: null, headers: { ...OWN_PAGE, Cookie: made } }],
    effects: async ({ org, ask }) => [!(await hasSession(org)), await recorded(ask, "session.delete")],
  },
  "PUT of a login": {
    request: () => ["PUT /v1/logins/l", json(LOGIN)],
    effects: async ({ ask }) => [await hasLogin(ask), await recorded(ask, "trust.put")],
  },
  "DELETE of a login": {
    prepare: login,
    request: () => ["DELETE /v1/logins/l"],
    effects: async ({ ask }) => [!(await hasLogin(ask)), await recorded(ask, "trust.delete")],
    again: 404,
  },
  "POST of a code for a program": {
    prepare: async (cell) => `${await session(cell)} ${await countOfCodes()}`,
    request: ({ made }) => ["POST /console/api/authorizations", asPage(made.split(" ")[0] ?? "", PROGRAM)],
    effects: async ({ made }) => [(await countOfCodes()) > Number(made.split(" ")[1])],
  },
  "POST of a device that waits": {
    request: ({ org }) => ["POST /oauth/device_authorization", deviceRequest(org)],
    effects: async ({ org }) => [(await devicesOf(org)).length > 0],
  },
  "POST of a decision about a device": {
    prepare: device,
    request: ({ made }) => decision(made, true),
    effects: async ({ org }) => [(await devicesOf(org)).every(({ decided }) => decided === 1)],
    again: 404,
  },
  "PUT of a scope into a store": {
    vars: withStores,
    prepare: storeForAll,
    request: () => ["PUT /v1/scopes/team%3Aplaced", json({ store: "s", prefix: "" })],
    effects: async ({ ask }) => [
      (await ask("GET /v1/scopes")).body.scopes.some(({ store }: { store: string | null }) => store === "s"),
      await recorded(ask, "scope.put"),
    ],
  },
  "PUT of a scope out of its store": {
    vars: withStores,
    prepare: placed,
    request: () => ["PUT /v1/scopes/team%3Aplaced", json({ store: null })],
    effects: async ({ ask }) => [
      !(await ask("GET /v1/scopes")).body.scopes.some(({ store }: { store: string | null }) => store === "s"),
      await recorded(ask, "scope.delete"),
    ],
    again: 404,
  },
  "POST of a sync": {
    vars: withStores,
    prepare: placed,
    request: () => ["POST /v1/scopes/team%3Aplaced/sync"],
    effects: async ({ ask }) => [(await ask("GET /v1/scopes/team%3Aplaced/secrets/FOUND")).status === 200, await recorded(ask, "secret.import")],
  },
  "POST of an exchange": {
    prepare: async ({ org, ask }) => {
      const issuer = await startIssuer();
      await ask("PUT /v1/trusts/t", json({ ...TRUST, issuer: issuer.url }));
      const token = await issuer.sign({ iss: issuer.url, aud: "keyhole", sub: "s", iat: START / 1000, exp: START / 1000 + 300 });
      return new URLSearchParams({ ...FORM, audience: `${org}/t`, subject_token: token }).toString();
    },
    request: ({ made: form }) => ["POST /oauth/token", { token: null, body: form, headers: { "Content-Type": "application/x-www-form-urlencoded" } }],
    effects: async ({ ask }) => [(await tokensOf(ask)).length > 0, await recorded(ask, "token.exchange")],
  },
  "POST of an exchange of one's own token": {
    prepare: async ({ ask }) => {
      const own = await ask("POST /v1/tokens", json({ label: "own", permissions: ["secrets:read"], expires_in: 3600 }));
      const type = "urn:ietf:params:oauth:token-type:access_token";
      return new URLSearchParams({ ...FORM, audience: "", subject_token_type: type, subject_token: own.body.token }).toString();
    },
    request: ({ made: form }) => ["POST /oauth/token", { token: null, body: form, headers: { "Content-Type": "application/x-www-form-urlencoded" } }],
    effects: async ({ ask }) => {
      const { events } = (await ask("GET /v1/audit?action=token.create")).body;
      return [(await tokensOf(ask)).length > 1, events.length > 1];
    },
  },
  "POST of an exchange whose reply was lost": {
    prepare: async ({ org, ask }) => {
      const issuer = await startIssuer();
      await ask("PUT /v1/trusts/t", json({ ...TRUST, issuer: issuer.url, reuse: "once" }));
      const token = await issuer.sign({ iss: issuer.url, aud: "keyhole", sub: "s", iat: START / 1000, exp: START / 1000 + 300 });
      const form = new URLSearchParams({ ...FORM, audience: `${org}/t`, subject_token: token }).toString();
      await ask("POST /oauth/token", { token: null, body: form, headers: { "Content-Type": "application/x-www-form-urlencoded" } });
      return form;
    },
    request: ({ made: form }) => ["POST /oauth/token", { token: null, body: form, headers: { "Content-Type": "application/x-www-form-urlencoded" } }],
    effects: async ({ ask }) => {
      const tokens = await tokensOf(ask);
      return [tokens.length > 1, tokens.some(({ revoked_at }) => revoked_at !== null), await recorded(ask, "token.revoke")];
    },
  },
  "POST of seals": {
    vars: operator,
    prepare: async ({ org }) => unsealedLink({ org, name: "S" }),
    request: ({ made: digest }) => ["POST /v1/seals", json({ digest })],
    effects: async ({ org, ask }) => [await hasSeal(org), await recorded(ask, "keys.seal")],
    again: 412,
  },
  "POST of a restore": {
    prepare: setBack,
    request: ({ made: digest }) => ["POST /v1/audit/restorations", { ...OPERATOR, ...json({ digest }) }],
    effects: async ({ org, ask }) => {
      const { restorations } = (await ask("GET /v1/audit/restorations", OPERATOR)).body;
      return [!restorations.some((log: { org: string }) => log.org === org), await recorded(ask, "log.restored"), (await ask("GET /v1/audit/verify")).body.ok];
    },
    again: 412,
  },
  "PUT of quotas": {
    request: ({ org }) => [`PUT /v1/quotas/${org}`, { ...OPERATOR, ...json({ secrets: 77 }) }],
    effects: async ({ org, ask }) => [(await ask(`GET /v1/quotas/${org}`, OPERATOR)).body.own.secrets === 77, await recorded(ask, "quota.put")],
  },
  "POST of a backup": {
    vars: operator,
    request: () => ["POST /v1/backup", json({})],
    effects: async ({ ask }) => [await recorded(ask, "backup.read")],
  },
  "POST of a reconciliation": {
    vars: (org) => ({ ...empty(org), KV: env.OTHER_KV }),
    prepare: async ({ org }) => {
      await allPagesHere({ org });
      await env.OTHER_DB.prepare("UPDATE restores SET page = 0").run();
      const key = `c_${org.replace(/\D/g, "").padStart(32, "0")}`;
      await env.OTHER_KV.put(key, "of nothing");
      return key;
    },
    request: () => ["POST /v1/backup/reconcile", json({ cursor: OBJECTS, remove_orphans: true })],
    effects: async ({ org, made: key }) => [
      (await env.OTHER_DB.prepare("SELECT COUNT(*) AS n FROM kv_removals WHERE kv_key = ?").bind(key).first("n")) === 1,
      (await env.OTHER_DB.prepare("SELECT COUNT(*) AS n FROM audit_events WHERE org = ? AND target LIKE 'deleted:0:removed:%'").bind(org).first("n")) === 1,
    ],
  },
  "POST of the beginning of a reconciliation": {
    vars: empty,
    prepare: emptied,
    request: () => ["POST /v1/backup/reconcile", json({})],
    // The lock, and the event that says so.
    effects: async () => [
      (await env.OTHER_DB.prepare("SELECT COUNT(*) AS n FROM restores r JOIN audit_events e ON e.target = r.backup WHERE r.page = 0").first("n")) === 1,
    ],
  },
  "POST of a page of a backup": {
    vars: empty,
    prepare: emptied,
    request: ({ made: page }) => ["POST /v1/backup/restore", json(page.startsWith("{") ? JSON.parse(page) : {})],
    effects: async () => [(await env.OTHER_DB.prepare("SELECT page FROM restores").first("page")) === 1],
  },
  "POST of the end of a restore": {
    vars: empty,
    prepare: allPagesHere,
    request: () => ["POST /v1/backup/finish", json({})],
    effects: async ({ org }) => [
      (await env.OTHER_DB.prepare("SELECT COUNT(*) AS n FROM restores WHERE logs LIKE ?").bind(`%"${org}"%`).first("n")) === 0,
      (await env.OTHER_DB.prepare("SELECT COUNT(*) AS n FROM audit_events WHERE org = ? AND action = 'backup.restore'").bind(org).first("n")) === 1,
    ],
    // The token ends with it.
    again: 401,
  },
  "POST of a rewrap": { request: () => ["POST /v1/keys/rewrap"], effects: async ({ ask }) => [await recorded(ask, "keys.rewrap")] },
};

/** The cursor of a comparison of what is in KV. */
const OBJECTS = btoa('{"objects":null}').replace(/=+$/, "");

const inline = ({ ask }: { ask: Ask }) => made(ask);

/** What an anchor says, but for when it was made. */
function withoutTime(text: string): string {
  const { at, ...rest } = JSON.parse(atob(JSON.parse(text).anchor.split(".")[1].replaceAll("-", "+").replaceAll("_", "/")));
  return JSON.stringify(rest);
}

const OPERATOR = { token: { org: "platform" } };

/** A log that was set back after it had been put on record, as by a restore of the database; and what stands for accepting that. */
async function setBack({ org, ask }: { org: string; ask: Ask }): Promise<string> {
  const { logKeys, keyring } = await loadConfig(env);
  const needs = { db: env.DB, kv: env.KV, keyring, logKeys, now: new Date() };
  await made(ask);
  // Of each run's share, those of the cells before have theirs first.
  while ((await sealLog({ ...needs, registry: NO_REGISTRY })).events > 0);
  await writeRegistry({ ...needs, registry: await readRegistry(needs), accused: new Set() });
  for (const trigger of ["audit_events_kept", "audit_checkpoints_kept"]) await env.DB.prepare(`DROP TRIGGER IF EXISTS ${trigger}`).run();
  for (const table of ["audit_events", "audit_checkpoints", "audit_heads", "audit_marks"])
    await env.DB.prepare(`DELETE FROM ${table} WHERE org = ?`).bind(org).run();
  return (await ask("GET /v1/audit/restorations", OPERATOR)).body.digest;
}

/** What a resolve of everything comes to where KV does not answer. */
const WITHOUT_VALUE = JSON.stringify({
  ...{ secrets: {}, missing: [], unavailable: [{ name: "S", reason: "storage-unavailable" }] },
  searched: ["global", "builtin"],
});

/** Every operation that changes nothing. A resolve leaves an audit event and nothing else. */
const withoutRequestId = (text: string) => text.replace(/"request_id":"\w+"/, "");

export const READS: Record<string, FaultedOperation> = {
  "GET of an object on Vault's wire": { prepare: madeAndSettled, request: () => ["GET /v1/secret/data/global"], shown: withoutRequestId },
  "GET of a secret on Vault's wire": { prepare: madeAndSettled, request: () => ["GET /v1/kv/data/global/S"], shown: withoutRequestId },
  "GET of what a scope resolves to on Vault's wire": { prepare: madeAndSettled, request: () => ["GET /v1/env/data/global"], shown: withoutRequestId },
  "GET of an object's keys on Vault's wire": { prepare: inline, request: () => ["GET /v1/secret/subkeys/global"], shown: withoutRequestId },
  "GET of a secret's keys on Vault's wire": { prepare: inline, request: () => ["GET /v1/kv/subkeys/global/S"], shown: withoutRequestId },
  "GET of metadata on Vault's wire": { prepare: inline, request: () => ["GET /v1/secret/metadata/global"], shown: withoutRequestId },
  "GET of a list on Vault's wire": { prepare: inline, request: () => ["GET /v1/kv/metadata/global?list=true"], shown: withoutRequestId },
  "GET of the usage": { request: () => ["GET /v1/usage"], shown: (text) => text.replace(/"events_per_minute":\{"used":\d+/, "") },
  "GET of the metrics": {
    request: () => ["GET /metrics"],
    // When each call's own token expires, and how full the database of all cells is.
    shown: (text) => text.replace(/^(keyhole_token_expiry_timestamp_seconds|keyhole_deployment_database_bytes) \d+$/gm, "$1"),
  },
  "GET of quotas": { request: ({ org }) => [`GET /v1/quotas/${org}`, OPERATOR] },
  "POST /v1/resolve": { prepare: inline, request: () => ["POST /v1/resolve", RESOLVE] },
  "POST /v1/resolve, the value in KV": { prepare: madeAndSettled, request: () => ["POST /v1/resolve", RESOLVE] },
  "POST /v1/resolve of everything": { prepare: madeAndSettled, request: () => ["POST /v1/resolve", json({})], partly: WITHOUT_VALUE },
  "POST /v1/resolve of plaintext": { vars: unsealed, prepare: madeLegacy, request: () => ["POST /v1/resolve", RESOLVE] },
  "POST /v1/resolve as env": { prepare: madeAndSettled, request: () => ["POST /v1/resolve?format=env", RESOLVE] },
  "POST /v1/resolve as dotenv": { prepare: madeAndSettled, request: () => ["POST /v1/resolve?format=dotenv", RESOLVE] },
  "GET /v1/resolve/{name}": { prepare: madeAndSettled, request: () => ["GET /v1/resolve/S"] },
  "GET /v1/resolve/{name}, raw": { prepare: madeAndSettled, request: () => ["GET /v1/resolve/S?format=raw"] },
  "POST /v1/import, dry": { prepare: inline, request: () => ["POST /v1/import?dry_run=true", json({ scope: "global", secrets: { S: NEW, T: NEW } })] },
  "GET a secret by name": { prepare: inline, request: () => [`GET ${SECRET}`] },
  "GET a secret by id": { prepare: inline, request: ({ made: id }) => [`GET /v1/secrets/${id}`] },
  "GET /v1/secrets": { prepare: inline, request: () => ["GET /v1/secrets"] },
  "GET the versions": { prepare: inline, request: ({ made: id }) => [`GET /v1/secrets/${id}/versions`] },
  "GET /v1/explain/{name}": { prepare: inline, request: () => ["GET /v1/explain/S"] },
  "GET /v1/scopes": { prepare: link, request: () => ["GET /v1/scopes"] },
  "GET /v1/tokens": { prepare: mint, request: () => ["GET /v1/tokens"] },
  "GET /v1/whoami": { request: () => ["GET /v1/whoami", { token: { jti: "tok_whoami", exp: START / 1000 + 86_400 } }] },
  "GET /v1/revocations": {
    prepare: async ({ ask }) => String((await ask("POST /v1/revocations", json({ subject: "nobody" }))).status),
    request: () => ["GET /v1/revocations"],
  },
  "GET a trust": { prepare: trust, request: () => ["GET /v1/trusts/t"] },
  "POST a test of a trust": { prepare: trust, request: () => ["POST /v1/trusts/t/test", json({ subject_token: "a.b.c" })] },
  "GET the refusals of a trust": { prepare: trust, request: () => ["GET /v1/trusts/t/refusals"] },
  "GET a service": { vars: insecure, prepare: service, request: () => ["GET /v1/services/s"] },
  "GET /v1/services": { vars: insecure, prepare: service, request: () => ["GET /v1/services"] },
  "GET a store": { vars: withStores, prepare: store, request: () => ["GET /v1/stores/s"] },
  "GET /v1/stores": { vars: withStores, prepare: store, request: () => ["GET /v1/stores"] },
  "GET a webhook": { vars: withStores, prepare: webhook, request: () => ["GET /v1/webhooks/w"] },
  "GET of a webhook's messages": { vars: withStores, prepare: webhook, request: () => ["GET /v1/webhooks/w/deliveries"] },
  "GET /v1/webhooks": { vars: withStores, prepare: webhook, request: () => ["GET /v1/webhooks"] },
  "GET a session": { prepare: session, request: ({ made }) => ["GET /console/api/session", { token: null, headers: { ...OWN_PAGE, Cookie: made } }] },
  "GET by a session": {
    prepare: session,
    request: ({ made }) => ["GET /console/api/v1/secrets", { token: null, headers: { ...OWN_PAGE, Cookie: made } }],
  },
  "GET a login": { prepare: login, request: () => ["GET /v1/logins/l"] },
  "GET /v1/logins": { prepare: login, request: () => ["GET /v1/logins"] },
  "GET the logins that are offered": {
    prepare: login,
    request: ({ org }) => [`GET /console/api/logins?organization=${org || "acme"}`, { token: null, headers: OWN_PAGE }],
  },
  "POST of a login that begins": {
    prepare: loginHere,
    request: ({ org }) => ["POST /console/api/logins", { token: null, headers: OWN_PAGE, json: { organization: org, login: "l" } }],
    // State, nonce and challenge are others each time.
    shown: (text) => text.replaceAll(/(state|nonce|code_challenge)=[\w-]+/g, ""),
  },
  "POST of a look at a device": { prepare: device, request: ({ made }) => decision(made) },
  "POST /mcp": {
    prepare: inline,
    request: () => ["POST /mcp", { json: { jsonrpc: "2.0", id: 1, method: "tools/call", params: { name: "list_secrets" } } }],
  },
  "GET by a service": { vars: insecure, prepare: service, request: () => ["GET /use/s/echo/x"] },
  "GET /v1/trusts": { prepare: trust, request: () => ["GET /v1/trusts"] },
  "GET /v1/audit": { prepare: inline, request: () => ["GET /v1/audit"] },
  "GET /v1/audit as NDJSON": { prepare: inline, request: () => ["GET /v1/audit?format=ndjson&action=secret.create"] },
  "GET /v1/audit/checkpoints": { prepare: inline, request: () => ["GET /v1/audit/checkpoints"] },
  "GET /v1/audit/verify": { prepare: inline, request: () => ["GET /v1/audit/verify"] },
  "GET /v1/seals": { vars: operator, prepare: inline, request: () => ["GET /v1/seals"] },
  "GET /v1/audit/anchor": { prepare: inline, request: () => ["GET /v1/audit/anchor"], shown: withoutTime },
  "GET /v1/audit/restorations": { varying: true, prepare: inline, request: () => ["GET /v1/audit/restorations", OPERATOR] },
  "GET a comparison of rows": { request: () => ["GET /v1/backup/reconcile", OPERATOR] },
  "GET a comparison of objects": { request: () => [`GET /v1/backup/reconcile?cursor=${OBJECTS}`, OPERATOR] },
  "GET /v1/keys": { prepare: inline, request: () => ["GET /v1/keys"] },
};
