import { type JWK, type JWTPayload, SignJWT } from "jose";
import { beforeAll, expect, it } from "vitest";
import { fromBase64url } from "../../src/contract/base64url.ts";
import { callInsecure as call, exchange, githubClaims, githubTrust, REFUSED } from "../support/exchange.ts";
import { type Issuer, type IssuerKey, makeKey, publish, startIssuer, timesAsked } from "../support/issuer.ts";
import { part, respell, signHmac, signRaw } from "../support/raw-jwt.ts";

const RSA = "RSASSA-PKCS1-v1_5";

let issuer: Issuer;
let claims: JWTPayload;
let attacker: IssuerKey;

beforeAll(async () => {
  issuer = await startIssuer("RS256");
  attacker = await makeKey("RS256", issuer.key.kid);
  claims = githubClaims(issuer.url);
  await call("PUT /v1/trusts/github", { json: githubTrust(issuer.url) });
  expect((await exchange(await issuer.sign(claims))).status).toBe(200);
});

const header = (more: object = {}) => ({ alg: "RS256", typ: "JWT", kid: issuer.key.kid, ...more });

async function publicPem(): Promise<string> {
  const key = (await crypto.subtle.importKey("jwk", issuer.key.publicJwk as JsonWebKey, { name: RSA, hash: "SHA-256" }, true, ["verify"])) as CryptoKey;
  const spki = new Uint8Array((await crypto.subtle.exportKey("spki", key)) as ArrayBuffer).toBase64();
  return `-----BEGIN PUBLIC KEY-----\n${(spki.match(/.{1,64}/g) ?? []).join("\n")}\n-----END PUBLIC KEY-----\n`;
}

async function refused(token: string): Promise<void> {
  const reply = await exchange(token);
  expect(reply.status).toBe(400);
  expect(reply.body).toEqual(REFUSED);
}

/** The same of a `kid` that the issuer does not have: once it was asked for that, it is not asked again for ten seconds, and may have it by then. */
async function refusedOrDeferred(token: string): Promise<void> {
  const reply = await exchange(token);
  expect(reply.status === 400 ? reply.body : { ...reply.body, retry: reply.headers.get("Retry-After") }).toEqual(
    reply.status === 400 ? REFUSED : { error: "temporarily_unavailable", error_description: expect.any(String), retry: "10" },
  );
}

it("refuses a token signed with another key under the issuer's kid", async () => {
  await refused(await issuer.sign(claims, { key: attacker }));
});

it.each(["none", "None", "NONE", "nOnE"])("refuses alg %s, with and without a signature", async (alg) => {
  const unsigned = `${part(header({ alg }))}.${part(claims)}.`;
  await refused(unsigned);
  await refused(`${unsigned}AAAA`);
  await refused(unsigned + ((await issuer.sign(claims)).split(".")[2] ?? ""));
});

it("refuses HS256 signed with the issuer's public key, in whatever form its bytes are taken", async () => {
  const pem = await publicPem();
  const der = Uint8Array.fromBase64(pem.replace(/-----[^-]+-----|\n/g, ""));
  const { kid: _, alg: __, use: ___, ...bare } = issuer.key.publicJwk as JWK & { kid: string };
  const secrets = [pem, pem.trim(), der, JSON.stringify(issuer.key.publicJwk), JSON.stringify(bare), fromBase64url(bare.n ?? "") as Uint8Array<ArrayBuffer>];
  for (const secret of secrets) await refused(await signHmac(header({ alg: "HS256" }), claims, secret));
});

it.each(["RS384", "PS256", "ES256", "EdDSA", "RS1", "RSA-OAEP", "dir", "A256GCMKW", "", 256])("refuses alg %j over the issuer's RS256 key", async (alg) => {
  await refused(await signRaw(header({ alg }), claims, RSA, issuer.key.privateKey));
});

it("refuses a symmetric key that the issuer's JWK Set holds", async () => {
  const other = await startIssuer();
  await other.publishKeys([{ kty: "oct", kid: "shared", alg: "HS256", k: "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0" }]);
  await call("PUT /v1/trusts/shared", { json: githubTrust(other.url) });
  const token = await signHmac({ alg: "HS256", kid: "shared" }, githubClaims(other.url), "secretsecretsecretsecret");
  expect(await exchange(token, { audience: "acme/shared" })).toMatchObject({ status: 400, body: REFUSED });
});

it.each<[string, JWK]>([
  ["too small for RS256", { kty: "RSA", kid: "k", alg: "RS256", e: "AQAB", n: "2NVp9bOaVGKxSpGZYs2wE0pAcbYKeCgYhH9QKOgPCzMdf7e5l4mnPFZ4wXQ9GqIV" }],
  ["broken", { kty: "RSA", kid: "k", alg: "RS256", e: "AQAB", n: "!" }],
  ["not complete", { kty: "RSA", kid: "k", alg: "RS256" }],
])("refuses a token whose issuer's key is %s", async (_, jwk) => {
  const other = await startIssuer("RS256");
  await other.publishKeys([jwk]);
  await call("PUT /v1/trusts/broken", { json: githubTrust(other.url) });
  const token = await other.sign(githubClaims(other.url), { header: { kid: "k" } });
  expect(await exchange(token, { audience: "acme/broken" })).toMatchObject({ status: 400, body: REFUSED });
});

it("refuses an issuer's key that is meant for encryption", async () => {
  const other = await startIssuer("RS256");
  await other.publishKeys([{ ...other.key.publicJwk, use: "enc" }]);
  await call("PUT /v1/trusts/enc", { json: githubTrust(other.url) });
  expect(await exchange(await other.sign(githubClaims(other.url)), { audience: "acme/enc" })).toMatchObject({ status: 400, body: REFUSED });
});

it("never takes a key, or an address of keys, from the token's own header", async () => {
  const stolen = `${issuer.url}/attacker-jwks`;
  await publish(stolen, { body: JSON.stringify({ keys: [attacker.publicJwk] }) });
  const x5c = [part("certificate")];
  for (const kid of [issuer.key.kid, "another", undefined])
    for (const embedded of [{ jwk: attacker.publicJwk }, { jku: stolen }, { x5u: stolen }, { x5c }, { jwk: attacker.publicJwk, jku: stolen, x5u: stolen, x5c }])
      await refusedOrDeferred(await signRaw(header({ kid, ...embedded }), claims, RSA, attacker.privateKey));
  expect(await timesAsked(stolen)).toBe(0);
});

it.each([
  "../../../../dev/null",
  "/etc/passwd",
  "file:///dev/null",
  "' OR '1'='1",
  "x' UNION SELECT 'key",
  "__proto__",
  "constructor",
  "0",
  "",
  "a".repeat(4000),
  "\u0000",
  "*",
])("refuses the kid %j", async (kid) => {
  await refusedOrDeferred(await signRaw(header({ kid }), claims, RSA, attacker.privateKey));
  await refusedOrDeferred(await signRaw(header({ kid }), claims, RSA, issuer.key.privateKey));
});

it.each([[["kid"]], [{ kid: "x" }], [7], [true], [null]])("refuses a kid that is no text: %j", async (kid) => {
  await refused(await signRaw(header({ kid }), claims, RSA, issuer.key.privateKey));
});

it("refuses claims that are there twice, though the signature is good", async () => {
  const json = JSON.stringify(claims);
  const twice = [
    json.replace("{", '{"repository_owner":"evil",'),
    json.replace(/}$/, ',"repository_owner":"acme"}'),
    json.replace(/}$/, ',"\\u0073ub":"x"}'),
    json.replace(/}$/, ',"nested":{"a":1,"a":2}}'),
    json.replace(/}$/, `,"aud":"keyhole"}`),
  ];
  for (const payload of twice) await refused(await signRaw(header(), payload, RSA, issuer.key.privateKey));
});

it("refuses header parameters that are there twice", async () => {
  const json = JSON.stringify(header());
  for (const doubled of [json.replace("{", '{"alg":"none",'), json.replace(/}$/, `,"kid":"${issuer.key.kid}"}`)])
    await refused(await signRaw(doubled, claims, RSA, issuer.key.privateKey));
});

it("refuses critical header parameters that it does not know (RFC 7515, section 4.1.11)", async () => {
  const crits = [{ crit: ["exp"], exp: 1 }, { crit: ["x"], x: 1 }, { crit: [] }, { crit: ["kid"] }, { crit: "x" }, { crit: ["b64"] }, { crit: [1] }];
  for (const crit of crits) await refused(await signRaw(header(crit), claims, RSA, issuer.key.privateKey));
});

it("refuses an unencoded payload (RFC 7797)", async () => {
  await refused(await signRaw(header({ b64: false, crit: ["b64"] }), claims, RSA, issuer.key.privateKey));
  const signed = `${part(header({ b64: false, crit: ["b64"] }))}.${JSON.stringify(claims)}`;
  await refused(`${signed}.${part("x")}`);
});

it("refuses every other spelling of a good token", async () => {
  const good = await issuer.sign(claims);
  const [head = "", body = "", signature = ""] = good.split(".");
  const spellings = [
    `${head}=.${body}.${signature}`,
    `${head}.${body}=.${signature}`,
    `${good}=`,
    `${good}==`,
    ` ${good}`,
    `${good} `,
    `${good}\n`,
    `${head}.${body}\n.${signature}`,
    `${head}. ${body}.${signature}`,
    `${good}.`,
    `.${good}`,
    `${good}.${signature}`,
    `${head}.${body}`,
    `${head}..${signature}`,
    `${head}.${body}.${signature.replaceAll("-", "+").replaceAll("_", "/")}+`,
    // 256 bytes leave four bits of the last character unused.
    `${head}.${body}.${respell(signature)}`,
  ];
  for (const spelling of spellings) await refused(spelling);
  expect((await exchange(good)).status).toBe(200);
});

it.each(["", "x", "..", "...", "a.b.c", "e30.e30.e30", "bnVsbA.bnVsbA.bnVsbA", "W10.W10.W10", "IiI.IiI.IiI", "{}", "null"])("refuses %j", async (text) => {
  const reply = await exchange(text);
  expect(reply.status).toBe(400);
  if (text !== "") expect(reply.body).toEqual(REFUSED);
});

it("refuses an encrypted token and one in JSON form", async () => {
  await refused(`${part({ alg: "dir", enc: "A256GCM" })}..AAAA.AAAA.AAAA`);
  const [protectedHeader, payload, signature] = (await issuer.sign(claims)).split(".");
  await refused(JSON.stringify({ protected: protectedHeader, payload, signature }));
});

it("refuses a token that is too long before anything looks at it", async () => {
  const padded = (length: number) => issuer.sign({ ...claims, padding: "x".repeat(length) });
  await refused(await padded(12_288));
  expect((await exchange(await padded(10_500))).status).toBe(200);
});

it("refuses bytes that are no UTF-8 in a claim", async () => {
  const bytes = new Uint8Array([...new TextEncoder().encode(JSON.stringify(claims).replace(/}$/, ',"x":"')), 0xff, 0x22, 0x7d]);
  const signed = `${part(header())}.${bytes.toBase64({ alphabet: "base64url", omitPadding: true })}`;
  const signature = new Uint8Array(await crypto.subtle.sign(RSA, issuer.key.privateKey, new TextEncoder().encode(signed)));
  await refused(`${signed}.${signature.toBase64({ alphabet: "base64url", omitPadding: true })}`);
});

it("refuses a Keyhole token as an identity token", async () => {
  const own = (await exchange(await issuer.sign(claims))).body.access_token;
  await refused(own);
});

it("refuses an issuer's token under the trust in another issuer that has the same key", async () => {
  const twin = await startIssuer("RS256");
  await twin.publishKeys([issuer.key.publicJwk]);
  await call("PUT /v1/trusts/twin", { json: githubTrust(twin.url) });
  expect(await exchange(await issuer.sign(claims), { audience: "acme/twin" })).toMatchObject({ status: 400, body: REFUSED });
  const relabelled = await new SignJWT(githubClaims(twin.url)).setProtectedHeader({ alg: "RS256", kid: issuer.key.kid }).sign(issuer.key.privateKey);
  expect(await exchange(relabelled)).toMatchObject({ status: 400, body: REFUSED });
});
