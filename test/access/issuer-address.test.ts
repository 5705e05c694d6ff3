import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it, vi } from "vitest";
import { callWith } from "../support/call-with.ts";
import { callInsecure, exchange, githubClaims, githubTrust } from "../support/exchange.ts";
import { makeKey, startIssuer } from "../support/issuer.ts";
import { sealByHand } from "../support/seal-by-hand.ts";

const call = callWith({ ALLOW_INSECURE_ISSUERS: "false" });

afterEach(() => void vi.restoreAllMocks());

const NOT_PUBLIC = [
  "http://issuer.example.org",
  "http://127.0.0.1:8080",
  "https://127.0.0.1",
  "https://127.0.0.1.",
  "https://127.1",
  "https://2130706433",
  "https://0x7f000001",
  "https://0x7f.0.0.1",
  "https://0177.0.0.1",
  "https://017700000001",
  "https://0",
  "https://0.0.0.0",
  "https://①②⑦.⓪.⓪.①",
  "https://%31%32%37.0.0.1",
  "https://10.0.0.1",
  "https://172.16.0.1",
  "https://192.168.1.1",
  "https://169.254.169.254",
  "https://100.64.0.1",
  "https://8.8.8.8",
  "https://[::1]",
  "https://[::]",
  "https://[::ffff:127.0.0.1]",
  "https://[::ffff:7f00:1]",
  "https://[fd00::1]",
  "https://[fe80::1]",
  "https://[2001:4860:4860::8888]",
  "https://localhost",
  "https://LOCALHOST",
  "https://localhost.",
  "https://foo.localhost",
  "https://intranet",
  "https://printer.local",
  "https://metadata.google.internal",
  "https://vault.corp",
  "https://router.home.arpa",
  "https://user@issuer.example.org",
  "https://user:password@issuer.example.org",
  "https://issuer.example.org@127.0.0.1",
  "https://127.0.0.1#.issuer.example.org",
  "https://issuer.example.org..",
  "https://issuer..example.org",
  "ftp://issuer.example.org",
  "file:///etc/passwd",
  "data:application/json,{}",
  "javascript:alert(1)",
];
const WITH_MORE = ["https://issuer.example.org?x=1", "https://issuer.example.org/?", "https://issuer.example.org#x", "https://issuer.example.org/#"];

const put = (issuer: string) => call("PUT /v1/trusts/address", { json: { ...githubTrust(issuer), claims: { sub: "somebody" } } });

describe("an issuer", () => {
  it.each([...NOT_PUBLIC, ...WITH_MORE])("at %s is refused when it is to be trusted", async (address) => {
    const reply = await put(address);
    expect(reply.status).toBe(400);
    expect(reply.body).toMatchObject({ code: "invalid-request", errors: [{ pointer: "/issuer" }] });
  });

  it.each([
    "https://token.actions.githubusercontent.com",
    "https://gitlab.example.org",
    "https://gitlab.example.org:8443/path",
    "https://accounts.google.com",
    "https://xn--bcher-kva.example.org",
    "https://oidc.eks.eu-west-1.amazonaws.com/id/ABC",
  ])("at %s may be trusted", async (address) => {
    expect((await put(address)).status).toBeLessThan(300);
  });

  it.each([...WITH_MORE, "file:///etc/passwd", "data:application/json,{}"])("at %s is refused even where insecure issuers are allowed", async (address) => {
    expect((await callInsecure("PUT /v1/trusts/address", { json: githubTrust(address) })).status).toBe(400);
  });
});

describe("at the exchange", () => {
  const key = makeKey();
  const fetches = () => vi.spyOn(globalThis, "fetch").mockRejectedValue(new Error("a test does not leave this machine"));

  async function attempt(issuer: string) {
    await env.DB.prepare(
      `INSERT OR REPLACE INTO trusts (org, name, issuer, audience, claims, permissions, secret_scopes, secret_names, expires_in, created_at, created_by, updated_at, updated_by, seal, revision) VALUES ('acme', 'address', ?, 'keyhole', '{"repository_owner":"acme"}', '["secrets:resolve"]', NULL, NULL, 900, 0, 'x', 0, 'x', NULL, 0)`,
    )
      .bind(issuer)
      .run();
    await sealByHand("trusts", "org = 'acme' AND name = 'address'");
    const other = await startIssuer();
    return { token: await other.sign(githubClaims(issuer), { key: await key }) };
  }

  it.each(NOT_PUBLIC.filter((address) => /^https?:/.test(address)))("the issuer at %s is not asked", async (address) => {
    const { token } = await attempt(address);
    const spy = fetches();
    const reply = await exchange(token, { audience: "acme/address" }, call);
    expect(reply).toMatchObject({ status: 503, body: { error: "temporarily_unavailable" } });
    expect(spy).not.toHaveBeenCalled();
  });

  it("a private address that a public issuer names for its keys is not asked", async () => {
    for (const [n, jwks_uri] of NOT_PUBLIC.entries()) {
      const issuer = `https://issuer-${n}.example.org`;
      const { token } = await attempt(issuer);
      const spy = vi.spyOn(globalThis, "fetch").mockResolvedValue(Response.json({ issuer, jwks_uri }));
      expect(await exchange(token, { audience: "acme/address" }, call)).toMatchObject({ status: 503 });
      expect(spy).toHaveBeenCalledTimes(1);
      spy.mockRestore();
    }
  });

  it("a public issuer is asked without credentials and without following redirects", async () => {
    const issuer = "https://public.example.org/tenant/";
    const { token } = await attempt(issuer);
    const spy = fetches();
    await exchange(token, { audience: "acme/address" }, call);
    const [url, options] = spy.mock.calls[0] ?? [];
    expect(String(url)).toBe("https://public.example.org/tenant/.well-known/openid-configuration");
    expect(options).toMatchObject({ method: "GET", redirect: "manual", cache: "no-store", body: null, signal: expect.any(AbortSignal) });
    expect([...new Headers(options?.headers)]).toEqual([
      ["accept", "application/json"],
      ["keyhole-hop", "1"],
    ]);
  });
});
