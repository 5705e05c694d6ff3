import { env } from "cloudflare:workers";
import { calculateJwkThumbprint, decodeProtectedHeader, exportJWK, generateKeyPair, type JWK } from "jose";
import { beforeAll, describe, expect, it } from "vitest";
import { importSigningKeys, SigningKeyError } from "../../src/worker/access/signing-keys.ts";
import { callWith } from "../support/call-with.ts";
import { sign } from "../support/sign.ts";

type PrivateJwk = JWK & { x: string; d: string; kid: string };

let first: PrivateJwk;
let second: PrivateJwk;

async function makePrivateJwk(kid: string): Promise<PrivateJwk> {
  const { privateKey } = await generateKeyPair("EdDSA", { crv: "Ed25519", extractable: true });
  return { ...(await exportJWK(privateKey)), kid } as PrivateJwk;
}

beforeAll(async () => {
  [first, second] = await Promise.all([makePrivateJwk("2026-10"), makePrivateJwk("2026-11")]);
});

const withoutD = ({ d: _, ...publicHalf }: PrivateJwk): JWK => publicHalf;
const setOf = (...keys: JWK[]) => JSON.stringify({ keys });
const withKey = (SIGNING_KEY: string) => callWith({ SIGNING_KEY });
const tokenOf = (key: JWK) => sign({}, { key: JSON.stringify(key) });

async function mintedWith(signingKey: string): Promise<string> {
  const reply = await withKey(signingKey)("POST /v1/tokens", {
    token: await tokenOf(JSON.parse(signingKey).keys?.[0] ?? JSON.parse(signingKey)),
    json: { label: "ci", permissions: ["secrets:read"], expires_in: 3600 },
  });
  expect(reply.status).toBe(201);
  return reply.body.token;
}

const statusOf = async (signingKey: string, token: string) => (await withKey(signingKey)("GET /v1/whoami", { token })).status;

describe("rotation", () => {
  it("signs with the first key of a set and takes tokens of all of them", async () => {
    const both = setOf(second, first);
    expect(decodeProtectedHeader(await mintedWith(both))).toEqual({ alg: "EdDSA", typ: "at+jwt", kid: "2026-11" });
    for (const key of [first, second]) expect(await statusOf(both, await tokenOf(key))).toBe(200);
  });

  it("leaves tokens valid that were minted before, until their key is removed", async () => {
    const minted = await mintedWith(JSON.stringify(first));
    expect(await statusOf(setOf(second, first), minted)).toBe(200);
    expect(await statusOf(setOf(second), minted)).toBe(401);
    expect(await statusOf(JSON.stringify(second), minted)).toBe(401);
  });

  it("takes a set of one for one key", async () => {
    expect(await statusOf(setOf(first), await mintedWith(JSON.stringify(first)))).toBe(200);
  });
});

describe("the JWK Set at /.well-known/jwks.json", () => {
  it("shows the public halves with their kids, the signer first, and nothing private", async () => {
    const reply = await withKey(setOf(second, first))("GET /.well-known/jwks.json", { token: null });
    const shown = ({ x, kid }: PrivateJwk) => ({ kty: "OKP", crv: "Ed25519", x, kid, alg: "EdDSA", use: "sig" });
    expect(reply.body).toEqual({ keys: [shown(second), shown(first)] });
    expect(reply.text).not.toContain('"d"');
    for (const { d } of [first, second]) expect(reply.text).not.toContain(d);
  });

  it("shows no member that the secret holds besides", async () => {
    const reply = await withKey(JSON.stringify({ ...first, note: "private note", use: "enc", key_ops: ["sign"] }))("GET /.well-known/jwks.json", {
      token: null,
    });
    expect(Object.keys(reply.body.keys[0]).sort()).toEqual(["alg", "crv", "kid", "kty", "use", "x"]);
  });
});

describe("a key", () => {
  it("without a kid is known by its thumbprint (RFC 7638)", async () => {
    const { kid: _, ...bare } = first;
    const { signer, verifiers } = await importSigningKeys(JSON.stringify(bare));
    const thumbprint = await calculateJwkThumbprint({ kty: "OKP", crv: "Ed25519", x: first.x });
    expect(signer.kid).toBe(thumbprint);
    expect([...verifiers.keys()]).toEqual([thumbprint]);
  });

  it("cannot be taken out again", async () => {
    const { signer } = await importSigningKeys(JSON.stringify(first));
    expect(signer.key.extractable).toBe(false);
    expect(signer.key.usages).toEqual(["sign"]);
  });
});

describe("is refused with SigningKeyError:", () => {
  it.each<[string, () => string | undefined]>([
    ["nothing", () => undefined],
    ["an empty text", () => ""],
    ["no JSON", () => "{"],
    ["a text", () => '"key"'],
    ["an empty set", () => setOf()],
    ["a set with something else in it", () => JSON.stringify({ keys: [first, "x"] })],
    ["halves that do not match", () => JSON.stringify({ ...first, x: second.x })],
    ["halves that do not match, further down a set", () => setOf(first, { ...second, d: first.d })],
    ["two keys with one kid", () => setOf(first, { ...second, kid: first.kid })],
    ["one key twice", () => setOf(first, first)],
    ["a public half alone", () => JSON.stringify(withoutD(first))],
    ["a public half alone, further down a set", () => setOf(first, withoutD(second))],
    ["an RSA key", () => JSON.stringify({ ...first, kty: "RSA" })],
    ["a symmetric key", () => JSON.stringify({ kty: "oct", k: first.d, kid: "x" })],
    ["an EC key", () => JSON.stringify({ ...first, kty: "EC", crv: "P-256" })],
    ["another curve", () => JSON.stringify({ ...first, crv: "X25519" })],
    ["a half that is too short", () => JSON.stringify({ ...first, d: first.d.slice(1) })],
    ["a half that is no base64url", () => JSON.stringify({ ...first, d: `${first.d.slice(1)}+` })],
    ["a kid that is no text", () => JSON.stringify({ ...first, kid: 7 })],
    ["an empty kid", () => JSON.stringify({ ...first, kid: "" })],
  ])("%s", async (_, secret) => {
    const text = secret();
    const error = await importSigningKeys(text).catch((failure) => failure);
    expect(error).toBeInstanceOf(SigningKeyError);
    for (const { d } of [first, second]) expect(error.message).not.toContain(d);
  });

  it("and the Worker then serves nothing, and /readyz names signing_key", async () => {
    const broken = withKey(JSON.stringify({ ...first, x: second.x }));
    expect((await broken("GET /v1/whoami")).status).toBe(503);
    expect((await broken("GET /.well-known/jwks.json", { token: null })).status).not.toBe(200);
    const reply = await broken("GET /readyz", { token: null });
    expect(reply).toMatchObject({ status: 503, body: { unusable: [{ part: "signing_key" }] } });
    expect(reply.text).not.toContain(first.d);
    expect(env.SIGNING_KEY).toBeDefined();
  });
});
