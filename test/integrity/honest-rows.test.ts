import { env } from "cloudflare:workers";
import fc from "fast-check";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { addKey } from "../../src/keys-file/add-key.ts";
import { promoteKey } from "../../src/keys-file/promote-key.ts";
import { MINUTE, sql } from "../audit/support.ts";
import { makeWorld, NOON } from "../audit/world.ts";
import { exchange, githubClaims, githubTrust } from "../support/exchange.ts";
import { startIssuer } from "../support/issuer.ts";
import { sealByHand } from "../support/seal-by-hand.ts";

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ["Date"], now: NOON });
  for (const method of ["log", "error"] as const) vi.spyOn(console, method).mockReturnValue();
  await makeWorld().reset();
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

const DRAWN = fc.record({
  op: fc.constantFrom(
    ...(["set", "set", "set", "patch", "delete", "rollback", "destroy", "import", "try-import", "empty"] as const),
    ...(["link", "unlink", "trust", "trust", "untrust", "mint", "mint", "revoke", "exchange", "exchange"] as const),
    ...(["run", "run", "run", "run-beside", "run-beside", "crash", "lag", "wait", "promote", "add"] as const),
  ),
  org: fc.constantFrom("acme", "other"),
  n: fc.nat(3),
});
type Drawn = typeof DRAWN extends fc.Arbitrary<infer T> ? T : never;

const SCOPES = ["repo%3Aa%2Fb", "team%3At", "namespace%3Aone", "namespace%3Atwo"];
const plain = (scope = "") => decodeURIComponent(scope);

/** A deployment, and what is done to it by who may. */
async function makeDeployment() {
  const issuer = await startIssuer();
  let [minute, last, KEYRING] = [0, "", env.KEYRING ?? ""];
  let world = makeWorld({ KEYRING, ALLOW_INSECURE_ISSUERS: "true" });
  const history = new Map<string, string>();
  /** KV that shows the pages of a while ago, or fails at a write. */
  const kv = (how: "lag" | "crash", n: number): KVNamespace => {
    let writes = 0;
    return new Proxy(env.KV, {
      get: (target, name) => {
        if (how === "lag" && name === "get")
          return async (key: string | string[], options: KVNamespaceGetOptions<"text">) =>
            typeof key === "string" && history.has(key) ? history.get(key) : target.get(key as string, options);
        if (how === "crash" && name === "put")
          return async (key: string, ...rest: [string]) => {
            if (key.startsWith("i/") && writes++ >= n) throw new Error("KV is away");
            return target.put(key, ...rest);
          };
        const value = Reflect.get(target, name);
        return typeof value === "function" ? value.bind(target) : value;
      },
    });
  };
  const remember = async () => {
    for (const { name } of (await env.KV.list({ prefix: "i/" })).keys) history.set(name, (await env.KV.get(name)) ?? "");
  };
  const call = async (request: string, org: string, json?: object) => {
    const reply = await world.call(request, { token: { org }, ...(json && { json }) });
    if (reply.status >= 500) throw new Error(`${request}: ${reply.text}`);
    return reply.body;
  };
  const isAdded = () => Object.keys(JSON.parse(KEYRING).keys).at(-1) !== JSON.parse(KEYRING).current;
  const idOf = async (org: string, n: number) => {
    const { results } = await env.DB.prepare("SELECT id FROM secrets WHERE org = ? ORDER BY id").bind(org).all<{ id: string }>();
    return results[n % (results.length || 1)]?.id ?? "sec_none";
  };
  const run = (bindings = {}) => world.run(++minute, bindings);
  const ops: Record<Drawn["op"], (org: string, n: number) => Promise<unknown>> = {
    set: (org, n) => call(`PUT /v1/scopes/${SCOPES[n]}/secrets/KEY`, org, { value: crypto.randomUUID() }),
    patch: async (org, n) => call(`PATCH /v1/secrets/${await idOf(org, n)}`, org, { expires_at: `2027-01-0${n + 1}T00:00:00Z` }),
    delete: async (org, n) => call(`DELETE /v1/secrets/${await idOf(org, n)}`, org),
    rollback: async (org, n) => call(`POST /v1/secrets/${await idOf(org, n)}/rollback`, org, { version: 1 }),
    destroy: async (org, n) => call(`DELETE /v1/secrets/${await idOf(org, n)}/versions/1`, org),
    import: (org, n) => call("POST /v1/import", org, { scope: plain(SCOPES[n]), secrets: { KEY: crypto.randomUUID(), OTHER: "same" } }),
    "try-import": (org, n) => call("POST /v1/import?dry_run=true", org, { scope: plain(SCOPES[n]), secrets: { KEY: "x", OTHER: "y" } }),
    empty: (org, n) => call(`DELETE /v1/scopes/${SCOPES[n]}?secrets=delete`, org),
    link: (org, n) => call(`PUT /v1/scopes/${SCOPES[0]}`, org, { parent: plain(SCOPES[Math.max(1, n)]) }),
    unlink: (org) => call(`DELETE /v1/scopes/${SCOPES[0]}`, org),
    trust: (org, n) => call("PUT /v1/trusts/github", org, { ...githubTrust(issuer.url), expires_in: 60 + n }),
    untrust: (org) => call("DELETE /v1/trusts/github", org),
    mint: async (org, n) => {
      last = (await call("POST /v1/tokens", org, { label: "x", permissions: ["secrets:read"], expires_in: 60 * 10 ** n })).id ?? last;
    },
    revoke: (org) => call(`DELETE /v1/tokens/${last}`, org),
    exchange: async (org) => exchange(await issuer.sign(githubClaims(issuer.url)), { audience: `${org}/github` }, world.call),
    run: () => run(),
    "run-beside": async (org, n) => {
      await Promise.all([run(), ops.set(org, n), ops.trust(org, n), ops.mint(org, n), ops.link(org, n), run()]);
    },
    crash: (_, n) => run({ KV: kv("crash", n) }),
    lag: async () => {
      await run({ KV: kv("lag", 0) });
      await remember();
    },
    wait: async () => {
      // Tokens expire, and are forgotten.
      for (let n = 0; n < 2; n++) {
        minute += 1_400;
        await run();
      }
    },
    add: async () => {
      if (isAdded()) return;
      KEYRING = (await addKey({ ROOT_KEY: env.ROOT_KEY ?? "", KEYRING })).secrets.KEYRING ?? "";
      world = makeWorld({ KEYRING, ALLOW_INSECURE_ISSUERS: "true" });
    },
    promote: async () => {
      if (!isAdded()) return;
      KEYRING = (await promoteKey({ ROOT_KEY: env.ROOT_KEY ?? "", KEYRING })).secrets.KEYRING ?? "";
      world = makeWorld({ KEYRING, ALLOW_INSECURE_ISSUERS: "true" });
    },
  };
  return {
    do: async ({ op, org, n }: Drawn) => {
      vi.setSystemTime(NOON + minute * MINUTE + 1_000);
      await ops[op](org, n);
    },
    found: async () => ({
      rows: (await world.integrity()).rows,
      findings: (await sql("SELECT org, target FROM audit_events WHERE action = 'integrity.failed'")).results,
    }),
    run,
  };
}

it("raises no alarm whatever is done by who may do it, beside runs that meet, crash, and see an older KV", { timeout: 120_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(DRAWN, { minLength: 200, maxLength: 200 }), async (drawn) => {
      await makeWorld().reset();
      for (const table of ["trusts", "tokens", "secrets", "scopes"]) await sql(`DELETE FROM ${table}`);
      const deployment = await makeDeployment();
      await deployment.run();
      for (const one of drawn) await deployment.do(one);
      await deployment.run();
      expect(await deployment.found()).toMatchObject({ rows: { verdict: "ok", faults: 0 }, findings: [] });
    }),
    { seed: env.TEST_SEED, numRuns: 1, endOnFailure: true },
  );
});

it("compares thousands of rows in turn, and says since when all of them have been", async () => {
  const world = makeWorld();
  await sql(
    `WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n LIMIT 5500)
     INSERT INTO scopes (org, scope, parent) SELECT 'many', 'repo:many/' || substr('0000' || n, -4), 'team:t' FROM n`,
  );
  await sealByHand("scopes", "org = 'many'");
  const rows = async () => (await world.integrity()).rows;
  const at = (minute: number) => new Date(NOON + minute * MINUTE).toISOString();
  for (const minute of [0, 1]) await world.run(minute);
  expect(await rows()).toMatchObject({ verdict: "ok", compared_since: null });
  await world.run(2);
  expect(await rows()).toMatchObject({ verdict: "ok", compared_since: at(0) });
  await sql("DELETE FROM scopes WHERE scope IN ('repo:many/0007', 'repo:many/5432')");
  for (const [minute, verdict, faults, since] of [
    [3, "failed", 1, 0],
    [4, "failed", 1, 0],
    [5, "failed", 2, 3],
    [6, "failed", 2, 3],
  ] as const) {
    await world.run(minute);
    expect(await rows()).toMatchObject({ verdict, faults, compared_since: at(since) });
  }
});
