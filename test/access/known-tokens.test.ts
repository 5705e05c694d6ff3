import { env } from "cloudflare:workers";
import { beforeEach, expect, it, vi } from "vitest";
import { importSigningKeys } from "../../src/worker/access/signing-keys.ts";
import { type TokenRules, verifyToken } from "../../src/worker/access/verify-token.ts";
import { parseConfig } from "../../src/worker/config.ts";
import { sign } from "../support/sign.ts";

const START = Date.parse("2026-11-28T12:00:00.000Z");
let rules: TokenRules;
beforeEach(async () => {
  vi.useFakeTimers({ toFake: ["Date"], now: START });
  rules = { ...(await parseConfig({ ...env })), now: new Date(START) };
  vi.useRealTimers();
});

const at = (seconds: number, others: Partial<TokenRules> = {}): TokenRules => ({ ...rules, ...others, now: new Date(START + seconds * 1000) });
const token = (seconds = 600) => sign({ org: "known", iat: START / 1000, exp: START / 1000 + seconds });
/** How often a signature is verified meanwhile. */
async function verifications(work: () => Promise<unknown>): Promise<number> {
  const spy = vi.spyOn(crypto.subtle, "verify");
  try {
    await work();
    return spy.mock.calls.length;
  } finally {
    spy.mockRestore();
  }
}

it("the signature of a token is verified once a minute, and what it says stays the same", async () => {
  const given = await token();
  const first = await verifyToken(at(0), given);
  expect(first.org).toBe("known");
  expect(await verifications(async () => expect(await verifyToken(at(59), given)).toEqual(first))).toBe(0);
  expect(await verifications(async () => expect(await verifyToken(at(60), given)).toEqual(first))).toBe(1);
});

it("a token that is known ends when it expires, and is verified anew where the clock was set back", async () => {
  const given = await token(10);
  await verifyToken(at(5), given);
  await expect(verifyToken(at(10), given)).rejects.toMatchObject({ refusal: "expired" });
  const other = await token();
  await verifyToken(at(5), other);
  expect(await verifications(() => verifyToken(at(4), other))).toBe(1);
});

it("another token, however alike, is no token that is known", async () => {
  const given = await token();
  await verifyToken(at(0), given);
  const [header = "", payload = "", signature = ""] = given.split(".");
  const claims = JSON.parse(new TextDecoder().decode(Uint8Array.fromBase64(payload, { alphabet: "base64url" })));
  const raised = new TextEncoder().encode(JSON.stringify({ ...claims, org: "other" })).toBase64({ alphabet: "base64url", omitPadding: true });
  const turned = `${signature.startsWith("A") ? "B" : "A"}${signature.slice(1)}`;
  for (const forged of [`${header}.${raised}.${signature}`, `${header}.${payload}.${turned}`])
    for (let n = 0; n < 2; n++) await expect(verifyToken(at(0), forged)).rejects.toMatchObject({ name: "TokenError" });
});

it("a token is known under the keys and the rules that it was verified by, and no others", async () => {
  const given = await token();
  await verifyToken(at(0), given);
  const { privateKey } = (await crypto.subtle.generateKey("Ed25519", true, ["sign", "verify"])) as CryptoKeyPair;
  const signingKeys = await importSigningKeys(JSON.stringify(await crypto.subtle.exportKey("jwk", privateKey)));
  await expect(verifyToken(at(0, { signingKeys }), given)).rejects.toMatchObject({ refusal: "unknown-key" });
  await expect(verifyToken(at(0, { audience: "another" }), given)).rejects.toMatchObject({ refusal: "wrong-audience" });
  await expect(verifyToken(at(0, { issuer: "another" }), given)).rejects.toMatchObject({ name: "TokenError" });
});

it("no more than so many tokens are known", async () => {
  const given = await token();
  await verifyToken(at(0), given);
  for (let n = 0; n < 1_000; n++) await verifyToken(at(0), await token());
  expect(await verifications(() => verifyToken(at(0), given))).toBe(1);
});
