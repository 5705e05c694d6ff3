import { env } from "cloudflare:workers";
import { SignJWT } from "jose";
import { PERMISSIONS } from "../../src/contract/permission.ts";
import { sign } from "../support/sign.ts";
import { FOREIGN_SIGNING_KEY } from "../support/test-secrets.ts";

const now = () => Math.floor(Date.now() / 1000);
const kid = JSON.parse(env.SIGNING_KEY ?? "").kid as string;
const publicKey = JSON.parse(env.SIGNING_KEY ?? "").x as string;
const claims = () => ({ iss: "keyhole", aud: "keyhole", sub: "t", org: "acme", scope: PERMISSIONS.join(" "), iat: now(), exp: now() + 600, jti: "tok_x" });
const encode = (part: object) => btoa(JSON.stringify(part)).replace(/=+$/, "").replaceAll("+", "-").replaceAll("/", "_");

async function withOtherClaims(): Promise<string> {
  const [header, payload, signature] = (await sign({ scope: "secrets:read" })).split(".");
  const changed = { ...JSON.parse(atob((payload ?? "").replaceAll("-", "+").replaceAll("_", "/"))), scope: PERMISSIONS.join(" ") };
  return [header, encode(changed), signature].join(".");
}

/** Tokens that are refused, each for one reason. */
export const BAD_TOKENS: Record<string, () => Promise<string | null> | string | null> = {
  "no token": () => null,
  "what is no JWT": () => "abc",
  "an empty signature": async () => `${(await sign()).split(".").slice(0, 2).join(".")}.`,
  "claims changed after signing": withOtherClaims,
  "an expired token": () => sign({ exp: now() - 1 }),
  "a token that is not valid yet": () => sign({ nbf: now() + 60 }),
  "another audience": () => sign({ aud: "other" }),
  "another issuer": () => sign({ iss: "https://other.example" }),
  "the type JWT": () => sign({}, { header: { typ: "JWT" } }),
  "the alg none": () => `${encode({ alg: "none", typ: "at+jwt", kid })}.${encode(claims())}.`,
  "the alg HS256 with the public key as the secret": () =>
    new SignJWT(claims()).setProtectedHeader({ alg: "HS256", typ: "at+jwt", kid }).sign(new TextEncoder().encode(publicKey)),
  "a foreign key under a known kid": () => sign({}, { key: FOREIGN_SIGNING_KEY, header: { kid } }),
  "an unknown kid": () => sign({}, { key: FOREIGN_SIGNING_KEY }),
  "a known key under an unknown kid": () => sign({}, { header: { kid: "other" } }),
  ...Object.fromEntries(["exp", "iat", "iss", "aud", "sub", "org", "scope", "jti"].map((claim) => [`no ${claim}`, () => sign({ [claim]: undefined })])),
  "an org that is no name": () => sign({ org: "a/b" }),
  "an org that is a part of the API's own addresses": () => sign({ org: "secrets" }),
  "a limit that is no list": () => sign({ secret_scopes: "global" as unknown as string[] }),
  "a limit with a * in the middle": () => sign({ secret_scopes: ["team:*x"] }),
};
