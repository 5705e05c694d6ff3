import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { verifyExport } from "../../scripts/verify-export.ts";
import { newSigningKey } from "../../src/keys-file/signing-key.ts";
import { parseConfig } from "../../src/worker/config.ts";
import { renewHeads } from "../../src/worker/log/renew-heads.ts";
import { callWith } from "../support/call-with.ts";
import { sign } from "../support/sign.ts";
import { FOREIGN_SIGNING_KEY, TEST_SECRETS } from "../support/test-secrets.ts";
import { append, exported, seal, sealedLog } from "./support.ts";

const LOG = JSON.stringify(newSigningKey());
const ALONE = JSON.stringify({ keys: [JSON.parse(LOG)], alone: true });
const now = new Date();
const WHOLE = { ok: true, first_bad: null };

let made = 0;
let org: string;
beforeEach(() => {
  org = `log-keys-${made++}`;
});

const configOf = (LOG_KEY: string) => parseConfig({ ...env, LOG_KEY });
/** What the deployment says of the log, and what the verifier says of its export with the keys at an address. */
async function verdicts(vars: object, path = "audit-jwks.json") {
  const by = callWith(vars);
  const { body: jwks } = await by(`GET /.well-known/${path}`, { token: null });
  return [(await by("GET /v1/audit/verify", { token: { org } })).body, await verifyExport({ ...(await exported(org, by)), jwks })];
}
const kidsAt = async (path: string, vars: object): Promise<string[]> =>
  (await callWith(vars)(`GET /.well-known/${path}`, { token: null })).body.keys.map(({ kid }: { kid: string }) => kid);
const kidOf = (key: string): string => JSON.parse(key).kid;

describe("without LOG_KEY", () => {
  it("the key of tokens signs the log too, and either address has what verifies it", async () => {
    await sealedLog(org, [2]);
    for (const path of ["jwks.json", "audit-jwks.json"]) for (const verdict of await verdicts({}, path)) expect(verdict).toMatchObject(WHOLE);
  });
});

describe("with LOG_KEY", () => {
  it("what the keys of tokens signed of the log still verifies, and is signed anew and gone on with", async () => {
    await sealedLog(org, [2]);
    for (const verdict of await verdicts({ LOG_KEY: LOG })) expect(verdict).toMatchObject(WHOLE);
    const config = await configOf(LOG);
    expect(await renewHeads({ db: env.DB, logKeys: config.logKeys, now })).toMatchObject({ unknown: 0 });
    await append(org, 2);
    expect((await seal(config)).refused).toBe(0);
    expect(await env.DB.prepare("SELECT kid FROM audit_heads WHERE org = ?").bind(org).first("kid")).toBe(kidOf(LOG));
    for (const verdict of await verdicts({ LOG_KEY: LOG })) expect(verdict).toMatchObject({ ...WHOLE, checked: 4 });
    for (const verdict of await verdicts({ LOG_KEY: ALONE })) expect(verdict, "through the chain alone").toMatchObject({ ...WHOLE, checked: 4 });
  });

  it("that stands alone, nothing that a key of tokens says of the log counts", async () => {
    await sealedLog(org, [2]);
    for (const verdict of await verdicts({ LOG_KEY: ALONE })) expect(verdict).toMatchObject({ ok: false, first_bad: 1 });
  });

  it("no token that it signed is taken, and it is not among the keys of tokens", async () => {
    const by = callWith({ LOG_KEY: LOG });
    expect((await by("GET /v1/whoami", { token: await sign({}, { key: LOG }) })).status).toBe(401);
    expect((await by("GET /v1/whoami", { token: await sign() })).status).toBe(200);
    expect(await kidsAt("jwks.json", { LOG_KEY: LOG })).toEqual([kidOf(TEST_SECRETS.SIGNING_KEY)]);
    expect(await kidsAt("audit-jwks.json", { LOG_KEY: LOG })).toEqual([kidOf(LOG), kidOf(TEST_SECRETS.SIGNING_KEY)]);
    expect(await kidsAt("audit-jwks.json", { LOG_KEY: ALONE })).toEqual([kidOf(LOG)]);
  });

  it.each([
    ["a key of SIGNING_KEY", TEST_SECRETS.SIGNING_KEY, "LOG_KEY holds a key of SIGNING_KEY"],
    [
      "the kid of another key of SIGNING_KEY",
      JSON.stringify({ ...JSON.parse(FOREIGN_SIGNING_KEY), kid: kidOf(TEST_SECRETS.SIGNING_KEY) }),
      "two keys with one kid",
    ],
    ["something else", "{", "LOG_KEY is not a private Ed25519 JWK"],
  ])("that holds %s nothing works, /readyz names it, and the log says why", async (_, LOG_KEY, detail) => {
    const logged = vi.spyOn(console, "error").mockImplementation(() => {});
    const reply = await callWith({ LOG_KEY })("GET /readyz");
    expect(reply).toMatchObject({ status: 503, body: { status: "not-ready", unusable: [{ part: "log_key" }] } });
    const { unusable } = JSON.parse(logged.mock.calls.map(([line]) => String(line)).find((line) => line.includes('"event":"not-ready"')) ?? "{}");
    logged.mockRestore();
    expect(unusable).toEqual([{ part: "log_key", detail: expect.stringContaining(detail) }]);
    expect(reply.text).not.toContain(JSON.parse(TEST_SECRETS.SIGNING_KEY).d);
    expect((await callWith({ LOG_KEY })("GET /v1/secrets")).status).toBe(503);
  });

  it("a retired key of it that signed tokens then is no fault: they vouch for the log of before", async () => {
    await sealedLog(org, [2]);
    const { d: _, ...half } = JSON.parse(TEST_SECRETS.SIGNING_KEY);
    const LOG_KEY = JSON.stringify({ keys: [JSON.parse(LOG), { ...half, retired: true }], alone: true });
    for (const verdict of await verdicts({ LOG_KEY })) expect(verdict).toMatchObject(WHOLE);
  });
});
