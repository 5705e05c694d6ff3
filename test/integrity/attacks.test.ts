import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { checkRows } from "../../src/worker/keys/check-rows.ts";
import { SEALED_TABLES } from "../../src/worker/store/sealed-tables.ts";
import { keyring } from "../envelope/keyrings.ts";
import { at, type CallOptions, call, put, type Reply, resolve } from "../support/call.ts";
import { callInsecure, exchange, githubClaims, githubTrust } from "../support/exchange.ts";
import { type Issuer, startIssuer } from "../support/issuer.ts";

/** What somebody who can write to D1 finds: an organization with one row of everything, and who may call it. */
interface Prey {
  readonly org: string;
  readonly id: string;
  /** A minted token that is in force, and its id. */
  readonly token: string;
  readonly tokenId: string;
  /** A minted token that has been revoked. */
  readonly revoked: string;
  readonly as: CallOptions;
}

type Verb = (prey: Prey) => Promise<Reply>;

let issuer: Issuer;
let count = 0;

beforeAll(async () => {
  issuer = await startIssuer();
  // Whoever can write to D1 can drop triggers, too.
  for (const trigger of ["revocations_unchangeable", "versions_destroyed", "versions_deleted"]) await env.DB.prepare(`DROP TRIGGER IF EXISTS ${trigger}`).run();
});

async function makePrey(): Promise<Prey> {
  const org = `prey-${++count}`;
  const token = { org };
  const { body } = await put("namespace:prod", "KEY", "the-near-value", { token });
  await put("namespace:prod", "KEY", "the-nearer-value", { token });
  await put("global", "KEY", "the-wide-value", { token });
  await put("global", "OLD", "the-old-value", { token });
  await env.DB.prepare("UPDATE secrets SET expires_at = 1 WHERE org = ? AND name = 'OLD'").bind(org).run();
  const { sealByHand } = await import("../support/seal-by-hand.ts");
  await sealByHand("secrets", `s.org = '${org}' AND s.name = 'OLD'`);
  expect((await call("PUT /v1/scopes/repo%3Aacme%2Fapi", { token, json: { parent: "namespace:prod" } })).status).toBe(200);
  expect((await callInsecure("PUT /v1/trusts/github", { token, json: githubTrust(issuer.url) })).status).toBe(201);
  const all = ["secrets:read", "secrets:write", "secrets:resolve", "tokens:write", "trusts:write", "audit:read"];
  const mint = async () => (await call("POST /v1/tokens", { token, json: { label: "x", permissions: all, expires_in: 600 } })).body;
  const [alive, dead] = [await mint(), await mint()];
  expect((await call(`DELETE /v1/tokens/${dead.id}`, { token })).status).toBe(204);
  return { org, id: body.id, token: alive.token, tokenId: alive.id, revoked: dead.token, as: { token } };
}

/** What reads a secret's row. */
const OF_SECRET: Readonly<Record<string, Verb>> = {
  "a resolve": ({ as }) => resolve({ scopes: ["repo:acme/api"], names: ["KEY"] }, as),
  "a resolve that may miss": ({ as }) => resolve({ scopes: ["namespace:prod"], names: ["KEY"], allow_missing: true }, as),
  "a resolve of all": ({ as }) => resolve({ scopes: ["namespace:prod"] }, as),
  "a resolve of one": ({ as }) => call("GET /v1/resolve/KEY?scope=namespace%3Aprod", as),
  "an explanation": ({ as }) => call("GET /v1/explain/KEY?scope=namespace%3Aprod", as),
  "a read": ({ as }) => call(`GET ${at("namespace:prod", "KEY")}`, as),
  "a read by id": ({ as, id }) => call(`GET /v1/secrets/${id}`, as),
  "a list": ({ as }) => call("GET /v1/secrets", as),
  "a list of versions": ({ as, id }) => call(`GET /v1/secrets/${id}/versions`, as),
  "a set": ({ as }) => put("namespace:prod", "KEY", "set-anew", as),
  "a change of what is shown": ({ as, id }) => call(`PATCH /v1/secrets/${id}`, { ...as, json: { description: "mine" } }),
  "a rollback": ({ as, id }) => call(`POST /v1/secrets/${id}/rollback`, { ...as, json: { version: 1 } }),
  "an import": ({ as }) => call("POST /v1/import", { ...as, json: { scope: "namespace:prod", secrets: { KEY: "set-anew" } } }),
  "a destruction": ({ as, id }) => call(`DELETE /v1/secrets/${id}/versions/1`, as),
  "a deletion": ({ as, id }) => call(`DELETE /v1/secrets/${id}`, as),
  "a deletion of its scope's secrets": ({ as }) => call("DELETE /v1/scopes/namespace%3Aprod?secrets=true", as),
};
const OF_LINK: Readonly<Record<string, Verb>> = {
  "a resolve": ({ as }) => resolve({ scopes: ["repo:acme/api"], names: ["KEY"] }, as),
  "a resolve within limits": ({ org }) => resolve({ scopes: ["repo:acme/api"] }, { token: { org, secret_scopes: ["repo:*", "global"] } }),
  "an explanation": ({ as }) => call("GET /v1/explain/KEY?scope=repo%3Aacme%2Fapi", as),
  "a list": ({ as }) => call("GET /v1/scopes", as),
  "a link": ({ as }) => call("PUT /v1/scopes/repo%3Aacme%2Fapi", { ...as, json: { parent: "team:a" } }),
  "an unlink": ({ as }) => call("DELETE /v1/scopes/repo%3Aacme%2Fapi", as),
  "a deletion of its secrets": ({ as }) => call("DELETE /v1/scopes/repo%3Aacme%2Fapi?secrets=true", as),
};
const OF_TRUST: Readonly<Record<string, Verb>> = {
  "an exchange": async ({ org }) => exchange(await issuer.sign(githubClaims(issuer.url)), { audience: `${org}/github` }),
  "a read": ({ as }) => call("GET /v1/trusts/github", as),
  "a list": ({ as }) => call("GET /v1/trusts", as),
  "a replacement": ({ as }) => callInsecure("PUT /v1/trusts/github", { ...as, json: { ...githubTrust(issuer.url), expires_in: 60 } }),
  "a deletion": ({ as }) => call("DELETE /v1/trusts/github", as),
};
const OF_TOKEN: Readonly<Record<string, Verb>> = {
  whoami: ({ token }) => call("GET /v1/whoami", { token }),
  "a resolve": ({ token }) => resolve({ scopes: ["namespace:prod"], names: ["KEY"] }, { token }),
  "a read": ({ token }) => call(`GET ${at("namespace:prod", "KEY")}`, { token }),
  "a set": ({ token }) => put("namespace:prod", "KEY", "set-anew", { token }),
  "a mint": ({ token }) => call("POST /v1/tokens", { token, json: { label: "y", permissions: ["secrets:read"], expires_in: 60 } }),
  "a link": ({ token }) => call("PUT /v1/scopes/repo%3Aacme%2Fweb", { token, json: { parent: "team:a" } }),
  "its revocation": ({ as, tokenId }) => call(`DELETE /v1/tokens/${tokenId}`, as),
  "a list of tokens": ({ as }) => call("GET /v1/tokens", as),
};
const OF_REVOKED: Readonly<Record<string, Verb>> = Object.fromEntries(
  Object.entries(OF_TOKEN)
    .slice(0, 6)
    .map(([name, verb]) => [name, (prey: Prey) => verb({ ...prey, token: prey.revoked })]),
);

/** A seal with another first character of its MAC. */
const FLIPPED = "substr(seal, 1, length(seal) - 43) || CASE substr(seal, -43, 1) WHEN 'A' THEN 'B' ELSE 'A' END || substr(seal, -42)";

/** An attack: its SQL, of the prey. What is bent is the row with the seal of what it was. */
type Attack = readonly [what: string, sql: (prey: Prey) => string];
const secret = (what: string, set: string): Attack => [what, ({ id }) => `UPDATE secrets SET ${set} WHERE id = '${id}'`];
const version = (what: string, set: string): Attack => [what, ({ id }) => `UPDATE versions SET ${set} WHERE secret_id = '${id}' AND version = 2`];
const trust = (column: string, value: string): Attack => [column, ({ org }) => `UPDATE trusts SET ${column} = ${value} WHERE org = '${org}'`];
const token = (column: string, value: string): Attack => [column, ({ tokenId }) => `UPDATE tokens SET ${column} = ${value} WHERE id = '${tokenId}'`];

const ATTACKS: readonly (readonly [table: string, attacks: readonly Attack[], verbs: Readonly<Record<string, Verb>>])[] = [
  [
    "secrets",
    [
      secret("its current version", "version = 1"),
      secret("its expiry, later", "expires_at = 9999999999999"),
      secret("its expiry, earlier", "expires_at = 1"),
      secret("no seal at all", "seal = NULL"),
      secret("a seal that is none", `seal = ${FLIPPED}`),
      secret("that it is locked", "locked = 1"),
      secret("its longest lease", "max_lease_seconds = 300"),
      secret("that it may become a variable", "variable = 0"),
      secret("where it may go", `hosts = '["evil.example.com"]'`),
      secret("a seal of a later format", `seal = 's${SEALED_TABLES.secrets.format + 1}' || substr(seal, 3)`),
      secret("a seal of an earlier format", "seal = 's1' || substr(seal, 3)"),
      [
        "the seal of another secret",
        ({ org, id }) => `UPDATE secrets SET seal = (SELECT seal FROM secrets WHERE org = '${org}' AND scope = 'global' AND name = 'KEY') WHERE id = '${id}'`,
      ],
      version("its encoding", "encoding = 'base64'"),
      version("its kind", "key_id = NULL, wrapped_key = NULL, kv_key = NULL, ciphertext = NULL, kv_put_at = NULL, legacy_plaintext = 'planted'"),
      version("its value, taken away", "key_id = NULL, wrapped_key = NULL, kv_key = NULL, ciphertext = NULL, kv_put_at = NULL"),
      ["its current version's row, taken away", ({ id }) => `DELETE FROM versions WHERE secret_id = '${id}' AND version = 2`],
    ],
    OF_SECRET,
  ],
  [
    "scopes",
    [
      ["another parent", ({ org }) => `UPDATE scopes SET parent = 'team:planted' WHERE org = '${org}' AND scope = 'repo:acme/api'`],
      ["no seal", ({ org }) => `UPDATE scopes SET seal = NULL WHERE org = '${org}' AND scope = 'repo:acme/api'`],
      ["no parent under the seal", ({ org }) => `UPDATE scopes SET parent = 'namespace:dev' WHERE org = '${org}' AND scope = 'repo:acme/api'`],
    ],
    OF_LINK,
  ],
  [
    "trusts",
    [
      trust("issuer", "'https://planted.example'"),
      trust("audience", "'planted'"),
      trust("claims", "'{}'"),
      trust("permissions", `'["secrets:resolve","tokens:write"]'`),
      trust("secret_scopes", "NULL"),
      trust("secret_names", `'["A"]'`),
      trust("expires_in", "31536000"),
      trust("revision", "7"),
      trust("created_by", "'planted'"),
      trust("updated_by", "'planted'"),
      trust("updated_at", "1"),
      trust("created_at", "1"),
      trust("seal", "NULL"),
    ],
    OF_TRUST,
  ],
  [
    "tokens",
    [
      token("label", "'planted'"),
      token("permissions", `'["secrets:resolve"]'`),
      token("secret_scopes", `'["global"]'`),
      token("secret_names", `'["A"]'`),
      token("expires_at", "9999999999999"),
      token("created_by", "'planted'"),
      token("created_at", "1"),
      token("parent_id", "NULL"),
      token("says_ancestors", "0"),
      token("seal", "NULL"),
    ],
    OF_TOKEN,
  ],
  [
    "revocations",
    [
      ["its time", ({ org }) => `UPDATE revocations SET at = 1 WHERE org = '${org}'`],
      ["its seal", ({ org }) => `UPDATE revocations SET seal = ${FLIPPED} WHERE org = '${org}'`],
      ["one that somebody made", ({ org }) => `UPDATE revocations SET n = 5 WHERE org = '${org}'`],
    ],
    OF_REVOKED,
  ],
];

const BENT = { name: "KEY", reason: "integrity-failed" };

const CELLS = ATTACKS.flatMap(([table, attacks, verbs]) => attacks.map(([what, sql]) => ({ table, what, sql, verbs })));

/** Every sealed row, to see that nobody sealed what was bent. */
async function seals(table: string, org: string): Promise<unknown> {
  return (await env.DB.prepare(`SELECT seal FROM ${table} WHERE org = ? ORDER BY seal`).bind(org).all()).results;
}

/** Only a call that needs the row is refused by it: one that lists tokens does not ask for a secret. */
const VALUES = /the-(near|nearer|wide|old)-value|planted"/;

describe.each(CELLS)("somebody who can write to D1 bends a row of $table: $what", ({ table, sql, verbs }) => {
  it("no verb goes by it, seals it or puts another in its place, and the scheduled run says so", async () => {
    const prey = await makePrey();
    await env.DB.prepare(sql(prey)).run();
    const before = await seals(table, prey.org);
    for (const [name, verb] of Object.entries(verbs)) {
      const reply = await verb(prey);
      // A resolve that names nothing gives the rest, and says what it left out.
      if (table === "secrets" && name === "a resolve of all") expect(reply.body, reply.text).toMatchObject({ secrets: {}, unavailable: [BENT] });
      else expect([500, 401], `${name}: ${reply.text}`).toContain(reply.status);
      if (reply.status === 500) expect(reply.body.code, name).toBe("integrity-failed");
      expect(reply.text, name).not.toMatch(VALUES);
      expect(await seals(table, prey.org), name).toEqual(before);
    }
    const { results } = await env.DB.prepare("SELECT finer_outcome AS outcome FROM audit_events WHERE org = ? AND action = 'integrity.failed'")
      .bind(prey.org)
      .all();
    expect(results.length).toBeGreaterThan(0);
    expect(results.every(({ outcome }) => outcome === "failed")).toBe(true);
    await env.DB.prepare("DELETE FROM integrity_failures").run();
    for (let n = 0; n < 2; n++) await checkRows({ db: env.DB, keyring, now: new Date() });
    expect(
      await env.DB.prepare("SELECT COUNT(*) AS n FROM integrity_failures WHERE org = ? AND table_name = ?").bind(prey.org, table).first("n"),
    ).toBeGreaterThan(0);
    expect((await call("GET /readyz")).body).toMatchObject({ backlog: { integrity_failures: expect.any(Number) } });
    expect(await seals(table, prey.org), "after the scheduled run").toEqual(before);
  });
});
