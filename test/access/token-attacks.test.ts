import { env } from "cloudflare:workers";
import { importJWK, type JWK } from "jose";
import { beforeAll, expect, inject, it } from "vitest";
import { fromBase64url } from "../../src/contract/base64url.ts";
import { call, type Reply } from "../support/call.ts";
import { publish, timesAsked } from "../support/issuer.ts";
import { part, respell, signHmac, signRaw } from "../support/raw-jwt.ts";
import { sign } from "../support/sign.ts";
import { FOREIGN_SIGNING_KEY } from "../support/test-secrets.ts";

const jwk = JSON.parse(env.SIGNING_KEY ?? "") as JWK & { x: string; kid: string };
const { d: _, ...publicJwk } = jwk;
const now = Math.floor(Date.now() / 1000);

let ownKey: CryptoKey;
let foreignKey: CryptoKey;
let expected: Record<string, unknown>;

const claims = (more: object = {}) => ({
  iss: "keyhole",
  aud: "keyhole",
  sub: "tester",
  org: "acme",
  scope: "secrets:read",
  iat: now,
  exp: now + 3600,
  jti: "tok_attack",
  ...more,
});
const header = (more: object = {}) => ({ alg: "EdDSA", typ: "at+jwt", kid: jwk.kid, ...more });
/** A token that the right key signed, whatever it says. */
const own = (head: object | string, body: object | string) => signRaw(head, body, "Ed25519", ownKey);

beforeAll(async () => {
  ownKey = (await importJWK(jwk, "EdDSA")) as CryptoKey;
  foreignKey = (await importJWK(JSON.parse(FOREIGN_SIGNING_KEY), "EdDSA")) as CryptoKey;
  const { request_id: _, ...body } = (await call("GET /v1/whoami", { token: null })).body;
  expected = body;
  expect(expected).toMatchObject({ status: 401, code: "unauthenticated" });
  expect((await call("GET /v1/whoami", { token: await own(header(), claims()) })).status).toBe(200);
});

async function refused(token: string): Promise<void> {
  expectRefusal(await call("GET /v1/whoami", { token }));
}

/** Every refusal is the same, whatever is wrong. */
function expectRefusal(reply: Reply): void {
  expect(reply.status).toBe(401);
  expect(reply.headers.get("WWW-Authenticate")).toBe('Bearer error="invalid_token"');
  const { request_id, ...body } = reply.body;
  expect(request_id).toMatch(/^req_/);
  expect(body).toEqual(expected);
}

it.each(["none", "None", "NONE", "nOnE"])("alg %s", async (alg) => {
  const unsigned = `${part(header({ alg }))}.${part(claims())}.`;
  await refused(unsigned);
  await refused(`${unsigned}AAAA`);
  await refused(unsigned + ((await own(header(), claims())).split(".")[2] ?? ""));
});

it("HS256, HS384 and HS512 with the public key as the secret", async () => {
  const spki = new Uint8Array([0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00, ...fromBase64url(jwk.x)]);
  const pem = `-----BEGIN PUBLIC KEY-----\n${spki.toBase64()}\n-----END PUBLIC KEY-----\n`;
  const secrets = [JSON.stringify(publicJwk), jwk.x, new Uint8Array(fromBase64url(jwk.x)), spki, pem, pem.trim()];
  for (const alg of ["HS256", "HS384", "HS512"]) for (const secret of secrets) await refused(await signHmac(header({ alg }), claims(), secret));
});

it.each(["RS256", "ES256", "Ed448", "eddsa", "PS256", "", "Ed25519"])("alg %j over an EdDSA signature", async (alg) => {
  await refused(await own(header({ alg }), claims()));
});

it("another key under the right kid", async () => {
  await refused(await sign({}, { key: FOREIGN_SIGNING_KEY, header: { kid: jwk.kid } }));
});

it("another key under its own kid, given along as jwk, jku, x5u or x5c", async () => {
  const { d: _, ...foreign } = JSON.parse(FOREIGN_SIGNING_KEY);
  for (const kid of [jwk.kid, foreign.kid, undefined]) {
    const address = `${inject("issuer")}/${crypto.randomUUID()}/jwks`;
    await publish(address, { body: JSON.stringify({ keys: [{ ...foreign, kid }] }) });
    for (const embedded of [{}, { jwk: { ...foreign, kid } }, { jku: address }, { x5u: address }, { x5c: ["AAAA"] }])
      await refused(await signRaw(header({ kid, ...embedded }), claims(), "Ed25519", foreignKey));
    expect(await timesAsked(address)).toBe(0);
  }
});

it.each<unknown>(["../../dev/null", "' OR 1=1 --", "__proto__", "constructor", "", "x".repeat(5000), null, 0, ["smwqxu5fw"], {}, undefined])(
  "kid %j",
  async (kid) => {
    await refused(await own(header({ kid }), claims()));
  },
);

it.each<unknown>(["JWT", "jwt", "id+jwt", "dpop+jwt", "", null, undefined, 1])("typ %j: an identity token or any other kind of JWT", async (typ) => {
  await refused(await own(header({ typ }), claims()));
});

it("critical header parameters", async () => {
  for (const crit of [{ crit: ["x"], x: 1 }, { crit: [] }, { crit: "x" }, { crit: ["exp"] }]) await refused(await own(header(crit), claims()));
});

it("an unencoded payload", async () => {
  await refused(await own(header({ b64: false, crit: ["b64"] }), claims()));
});

it("a member that is there twice, in the claims or the header", async () => {
  const body = JSON.stringify(claims());
  await refused(await own(header(), body.replace("{", '{"org":"globex",')));
  await refused(await own(header(), body.replace(/}$/, ',"\\u006frg":"globex"}')));
  await refused(await own(header(), body.replace(/}$/, ',"x":[{"y":1,"y":1}]}')));
  await refused(await own(JSON.stringify(header()).replace("{", '{"kid":"other",'), claims()));
});

it.each<[string, object]>([
  ["another issuer", { iss: "https://keyhole" }],
  ["a list of issuers", { iss: ["keyhole"] }],
  ["another audience", { aud: "keyhole2" }],
  ["an empty list of audiences", { aud: [] }],
  ["an audience that is a number", { aud: 1 }],
  ["an expiry that has come", { exp: now }],
  ["an expiry in milliseconds as a text", { exp: String(Date.now() * 2) }],
  ["an expiry after the last date there is", { exp: 1e300 }],
  ["a time before which it is not valid", { nbf: now + 60 }],
  ["a time of issue that is a text", { iat: "now" }],
  ["an organization that is no name", { org: "acme/x" }],
  ["an organization in a list", { org: ["acme"] }],
  ["an empty organization", { org: "" }],
  ["an empty subject", { sub: "" }],
  ["a subject that is too long", { sub: "x".repeat(257) }],
  ["a scope in a list", { scope: ["secrets:read"] }],
  ["an id that is no text", { jti: 7 }],
  ["an empty id", { jti: "" }],
  ["limits that are no list", { secret_scopes: "*" }],
  ["limits that are null", { secret_scopes: null }],
  ["limits with a * in the middle", { secret_names: ["A*B"] }],
  ["limits with more patterns than there may be", { secret_names: Array.from({ length: 65 }, (_, n) => `N${n}`) }],
  ...["iss", "aud", "sub", "org", "scope", "iat", "exp", "jti"].map((claim): [string, object] => [`no ${claim}`, { [claim]: undefined }]),
])("%s", async (_, changed) => {
  await refused(await own(header(), claims(changed)));
});

it("a signature cut short, made longer, or of another token", async () => {
  const good = await own(header(), claims());
  const [head = "", body = "", signature = ""] = good.split(".");
  const other = (await own(header(), claims({ org: "globex" }))).split(".");
  await refused(`${head}.${body}.${signature.slice(0, -2)}`);
  await refused(`${head}.${body}.${signature}AA`);
  await refused(`${head}.${body}.${other[2]}`);
  await refused(`${head}.${other[1]}.${signature}`);
  await refused(`${head}.${body}.${"A".repeat(86)}`);
});

it("another spelling of a good token", async () => {
  const good = await own(header(), claims());
  const [head = "", body = "", signature = ""] = good.split(".");
  for (const spelling of [
    `${good}=`,
    `${good}==`,
    `${good}.`,
    `${head}=.${body}.${signature}`,
    `${head}.${body}.${respell(signature)}`,
    `${good} x`,
    `${good},${good}`,
  ])
    await refused(spelling);
});

it("what is no JWT", async () => {
  for (const text of ["x", "..", "a.b.c", "e30.e30.e30", "bnVsbA.bnVsbA.bnVsbA", "W10.W10.W10", `${part(header())}.${part("[]")}.AAAA`]) await refused(text);
});

it("a byte order mark before the claims, and bytes that are no UTF-8", async () => {
  await refused(await own(header(), `\uFEFF${JSON.stringify(claims())}`));
});

it("a token that is too long", async () => {
  await refused(await own(header(), claims({ padding: "x".repeat(7000) })));
});

it.each([
  ["no header", {}],
  ["Basic", { Authorization: "Basic YTpi" }],
  ["nothing after Bearer", { Authorization: "Bearer" }],
  ["a token in the query", {}],
])("%s instead of a bearer token", async (name, headers) => {
  const query = name === "a token in the query" ? `?access_token=${await sign()}` : "";
  expectRefusal(await call(`GET /v1/whoami${query}`, { token: null, headers }));
});

it("two tokens in one header", async () => {
  const good = await sign();
  expectRefusal(await call("GET /v1/whoami", { token: null, headers: { Authorization: `Bearer ${good}, Bearer ${good}` } }));
});
