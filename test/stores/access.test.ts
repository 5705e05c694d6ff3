import { exportJWK, generateKeyPair, type JWK, SignJWT } from "jose";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { DriverNeeds, StoreCredentials } from "../../src/worker/stores/store-driver.ts";
import { answering } from "../support/stores/stub-network.ts";
import { bytes, CLIENT, KEYS, openPlace, operation, type Place, ROLE, refusalOf, VAULT_TOKEN } from "./place.ts";

let place: Place;
beforeEach(() => {
  place = openPlace();
});
afterEach(() => {
  vi.restoreAllMocks();
});

const SUBJECT = "store:prod";
const ISSUER = "https://keyhole.example.org/oidc/org_0123456789";
type KindName = "aws" | "azure" | "vault";

/** RSA keys take long to make. */
const pairs = new Map<string, Promise<CryptoKeyPair>>();
function pairOf(alg: string, name = alg): Promise<CryptoKeyPair> {
  const pair = pairs.get(name) ?? (generateKeyPair(alg, { extractable: true }) as Promise<CryptoKeyPair>);
  pairs.set(name, pair);
  return pair;
}

/** A provider of tokens, and the audiences that they were asked for. */
async function provider(
  alg = "RS256",
  name = alg,
): Promise<{ identity: { issuer: string; subject: string; keys: () => JWK[] }; audiences: string[]; needs: Partial<DriverNeeds> }> {
  const { publicKey, privateKey } = await pairOf(alg, name);
  const jwk = { ...(await exportJWK(publicKey)), kid: "1", alg };
  const audiences: string[] = [];
  const identityToken = async (audience: string) => {
    audiences.push(audience);
    const now = Math.floor(place.now / 1000);
    const token = new SignJWT({ jti: crypto.randomUUID() }).setProtectedHeader({ alg, kid: "1" }).setIssuer(ISSUER).setSubject(SUBJECT);
    return token
      .setAudience(audience)
      .setIssuedAt(now)
      .setExpirationTime(now + 300)
      .sign(privateKey);
  };
  return { identity: { issuer: ISSUER, subject: SUBJECT, keys: () => [jwk] }, audiences, needs: { identityToken } };
}

async function pemOf(key: CryptoKey): Promise<string> {
  const der = new Uint8Array((await crypto.subtle.exportKey("pkcs8", key)) as ArrayBuffer).toBase64();
  return `-----BEGIN PRIVATE KEY-----\n${der.replaceAll(/(.{64})/g, "$1\n")}\n-----END PRIVATE KEY-----\n`;
}

/** Opens each kind so that what it asks with is fetched, by a token of Keyhole's. */
async function federated(kind: KindName, alg = "RS256") {
  const { identity, audiences, needs } = await provider(alg);
  place.aws.roles.set(ROLE, { identity });
  place.azure.apps.set(CLIENT, { federated: identity });
  place.vault.login = (role, jwt) => role === "reader" && jwt.split(".").length === 3;
  const credentials: StoreCredentials | null = kind === "vault" ? { role: "reader", jwt_auth: "jwt" } : null;
  const open = (others: Partial<DriverNeeds> = {}, more: object = {}) =>
    place.open(kind, { ...(kind === "aws" && { role_arn: ROLE }), ...more }, credentials, { ...needs, ...others });
  return { open, audiences };
}

const fetches = (kind: KindName) => place[kind].asked.filter((asked) => /^(?:token|login|AssumeRole.*)$/.test(asked)).length;
/** Takes back everything that was fetched. */
function takeBack(): void {
  for (const id of place.aws.keys.keys()) if (id.startsWith("ASIA")) place.aws.keys.delete(id);
  place.azure.tokens.clear();
  for (const token of place.vault.tokens.keys()) if (token !== VAULT_TOKEN) place.vault.tokens.delete(token);
}

describe.each(["aws", "azure", "vault"] as const)("without stored credentials: %s", (kind) => {
  it("a token of Keyhole's for this audience alone gives access, which is kept", async () => {
    const { open, audiences } = await federated(kind);
    await open().put("a", bytes("1"), { operation: operation() });
    expect((await open().get("a"))?.value).toEqual(bytes("1"));
    expect(audiences).toEqual([{ aws: "sts.amazonaws.com", azure: "api://AzureADTokenExchange", vault: "https://vault.example.org:8200" }[kind]]);
    expect(fetches(kind)).toBe(1);
  });

  it("one of many at once fetches it", async () => {
    const { open } = await federated(kind);
    await Promise.all(Array.from({ length: 5 }, () => open().get("a")));
    expect(fetches(kind)).toBe(1);
  });

  it("another organization's is another", async () => {
    const { open } = await federated(kind);
    await open().get("a");
    await open({ externalId: "org_other" }).get("a");
    expect(fetches(kind)).toBe(2);
  });

  it("is fetched anew before it ends", async () => {
    const { open } = await federated(kind);
    await open().get("a");
    place.now += 3_541_000;
    await open().get("a");
    expect(fetches(kind)).toBe(2);
  });

  it("is fetched anew, and once, when the store knows it no more, also for a write", async () => {
    const { open } = await federated(kind);
    await open().get("a");
    takeBack();
    await open().put("a", bytes("1"), { operation: operation() });
    expect(fetches(kind)).toBe(2);
    expect((await open().get("a"))?.value).toEqual(bytes("1"));
    expect(fetches(kind)).toBe(2);
  });

  it("is given up when the store does not know the new one either", async () => {
    const { open } = await federated(kind);
    await open().get("a");
    const { handle } = place[kind];
    vi.spyOn(globalThis, "fetch").mockImplementation(async (input, init) => {
      takeBack();
      return handle(new Request(input as RequestInfo, init as RequestInit));
    });
    expect(await refusalOf(open().get("a"))).toBe("credential");
    expect(fetches(kind)).toBe(2);
  });

  it("is not fetched twice when the store does not know what was just fetched", async () => {
    const { open } = await federated(kind);
    const { handle } = place[kind];
    vi.spyOn(globalThis, "fetch").mockImplementation(async (input, init) => {
      takeBack();
      return handle(new Request(input as RequestInfo, init as RequestInit));
    });
    expect(await refusalOf(open().get("a"))).toBe("credential");
    expect(fetches(kind)).toBe(1);
  });

  it("is no reason to fetch it anew that a permission is missing", async () => {
    const { open } = await federated(kind);
    await open().get("a");
    place.aws.denied.add("GetSecretValue");
    place.azure.denied.add("GET");
    place.vault.denied.add("secret/data/a");
    expect(await refusalOf(open().get("a"))).toBe("permission");
    expect(fetches(kind)).toBe(1);
  });

  it("goes nowhere but to who gives access", async () => {
    const { open } = await federated(kind);
    const sent: string[] = [];
    const { handle } = place[kind];
    vi.spyOn(globalThis, "fetch").mockImplementation(async (input, init) => {
      const request = new Request(input as RequestInfo, init as RequestInit);
      const copy = request.clone();
      const said = `${JSON.stringify([...request.headers])} ${new TextDecoder().decode(await copy.arrayBuffer())}`;
      if (/ey[\w-]+\.ey[\w-]+\.[\w-]{300}/.test(said)) sent.push(new URL(request.url).host);
      return handle(request);
    });
    // Where the store itself is asked is the definition's to say; where access is fetched is not.
    await open({}, kind === "aws" ? { endpoint: "https://secrets.example.org" } : {}).get("a");
    expect(sent).toEqual([{ aws: "sts.eu-central-1.amazonaws.com", azure: "login.microsoftonline.com", vault: "vault.example.org:8200" }[kind]]);
  });

  it("a stand-in for who gives access is refused where insecure origins are, and away from this machine", async () => {
    if (kind === "vault") return;
    const { open } = await federated(kind);
    const rules = { ...place.needs.rules, insecureOrigins: true };
    const at = (address: string) => ({ standIns: { sts: address, authority: address } });
    expect(await refusalOf(async () => open(at("http://127.0.0.1:1")).get("a"))).toBe("address");
    expect(await refusalOf(async () => open({ ...at("https://sts.evil.example.org"), rules }).get("a"))).toBe("address");
    expect(place.network.asked).toEqual([]);
  });

  it("a lie about access is no access", async () => {
    const { open } = await federated(kind);
    for (const lie of [answering(200, {}), answering(200, "x"), answering(200, "<html>", { "Content-Type": "text/html" }), answering(302, "")]) {
      place.network.next.push(lie);
      expect(await refusalOf(open().get("a"))).toBe("reply");
    }
  });
});

describe("AWS", () => {
  it("gives a role to keys that say the organization's id, and to no others", async () => {
    place.aws.roles.set(ROLE, { externalId: place.needs.externalId });
    const open = (externalId = place.needs.externalId) => place.open("aws", { role_arn: ROLE }, KEYS, { externalId });
    await open().put("a", bytes("1"), { operation: operation() });
    expect((await open().get("a"))?.value).toEqual(bytes("1"));
    expect(place.aws.asked.filter((asked) => asked === "AssumeRole")).toHaveLength(1);
    expect(await refusalOf(open("org_other").get("a"))).toBe("permission");
  });

  it("gives a role to nobody whose token it cannot verify, or that is of another subject", async () => {
    const { identity, needs } = await provider();
    const { identity: other } = await provider("RS256", "other");
    for (const [trusted, expected] of [
      [other, "credential"],
      [{ ...identity, subject: "store:other" }, "permission"],
      [undefined, "permission"],
    ] as const) {
      place.aws.roles.set(ROLE, { ...(trusted && { identity: trusted }) });
      expect(await refusalOf(place.open("aws", { role_arn: ROLE }, null, needs).get("a"))).toBe(expected);
    }
  });

  it("knows no keys that are wrong, rotated, or of another kind, and none without a role", async () => {
    const get = (credentials: StoreCredentials | null) => refusalOf(async () => place.open("aws", {}, credentials).get("a"));
    expect(await get(KEYS)).toBe("none");
    expect(await get({ ...KEYS, secret_access_key: `${KEYS.secret_access_key}\n` })).toBe("none");
    expect(await get({ ...KEYS, secret_access_key: "x" })).toBe("credential");
    expect(await get({ ...KEYS, access_key_id: "AKIA\r\nX-Other: y" })).toBe("credential");
    expect(await get({ token: "x" })).toBe("credential");
    expect(await get(null)).toBe("credential");
    place.aws.keys.set(KEYS.access_key_id, { id: KEYS.access_key_id, secret: "rotated" });
    expect(await get(KEYS)).toBe("credential");
    expect(await get({ ...KEYS, secret_access_key: "rotated" })).toBe("none");
  });

  it("gives rotated keys a session of their own", async () => {
    place.aws.roles.set(ROLE, { externalId: place.needs.externalId });
    await place.open("aws", { role_arn: ROLE }).get("a");
    place.aws.keys.set(KEYS.access_key_id, { id: KEYS.access_key_id, secret: "rotated" });
    await place.open("aws", { role_arn: ROLE }, { ...KEYS, secret_access_key: "rotated" }).get("a");
    expect(place.aws.asked.filter((asked) => asked === "AssumeRole")).toHaveLength(2);
  });

  it("that has no time for a role is asked again", async () => {
    place.aws.roles.set(ROLE, { externalId: place.needs.externalId });
    place.network.next.push(
      answering(400, "<ErrorResponse><Error><Type>Sender</Type><Code>Throttling</Code></Error></ErrorResponse>", { "Content-Type": "text/xml" }),
    );
    expect(await refusalOf(place.open("aws", { role_arn: ROLE }).get("a"))).toBe("none");
    expect(place.pauses).toHaveLength(1);
  });
});

describe("Entra", () => {
  const open = (credentials: StoreCredentials | null, needs: Partial<DriverNeeds> = {}) =>
    refusalOf(async () => place.open("azure", {}, credentials, needs).get("a"));

  it.each([
    ["SHA-256 in hexadecimal, as PS256", 32, "hex"],
    ["SHA-256 in base64url, as PS256", 32, "base64url"],
    ["SHA-1 with colons, as RS256", 20, "colons"],
  ] as const)("knows an app by the key of its certificate: %s", async (_, size, form) => {
    const { publicKey, privateKey } = await pairOf(size === 32 ? "PS256" : "RS256");
    const private_key = await pemOf(privateKey);
    const thumb = crypto.getRandomValues(new Uint8Array(size));
    const named = thumb.toBase64({ alphabet: "base64url", omitPadding: true });
    const hex = thumb.toHex().toUpperCase();
    const thumbprint = { hex, base64url: named, colons: hex.replaceAll(/(..)(?!$)/g, "$1:") }[form];
    place.azure.apps.set(CLIENT, { certificates: { [named]: publicKey } });
    expect(await open({ private_key, thumbprint })).toBe("none");
    expect(await open({ private_key: `-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n${private_key}`, thumbprint })).toBe("none");
    expect(await open({ private_key, thumbprint: "00".repeat(size) })).toBe("credential");
    expect(await open({ private_key, thumbprint: "no thumbprint" })).toBe("credential");
    expect(await open({ private_key: private_key.replace("MII", "XII"), thumbprint })).toBe("credential");
  });

  it("has no assertion signed with a key that is too short, of another kind, or none", async () => {
    const short = { name: "RSA-PSS", modulusLength: 1024, publicExponent: new Uint8Array([1, 0, 1]), hash: "SHA-256" };
    const { privateKey } = (await crypto.subtle.generateKey(short, true, ["sign", "verify"])) as CryptoKeyPair;
    const { privateKey: curve } = await pairOf("ES256");
    for (const private_key of [await pemOf(privateKey), await pemOf(curve), "", "-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----"]) {
      expect(await open({ private_key, thumbprint: "00".repeat(32) })).toBe("credential");
    }
    expect(place.network.asked).toEqual([]);
  });

  it("refuses a token that is signed with ES256, or of another subject", async () => {
    const { identity, needs } = await provider("ES256");
    place.azure.apps.set(CLIENT, { federated: identity });
    expect(await open(null, needs)).toBe("credential");
    const right = await provider();
    place.azure.apps.set(CLIENT, { federated: { ...right.identity, subject: "store:other" } });
    expect(await open(null, right.needs)).toBe("credential");
  });

  it("knows no secret that is wrong, rotated, or of another kind", async () => {
    place.azure.apps.set(CLIENT, { secrets: ["first"] });
    expect(await open({ client_secret: "first\n" })).toBe("none");
    expect(await open({ client_secret: "second" })).toBe("credential");
    place.azure.apps.set(CLIENT, { secrets: ["second"] });
    place.azure.tokens.clear();
    expect(await open({ client_secret: "first" })).toBe("credential");
    expect(await open({ client_secret: "second" })).toBe("none");
    expect(await open({ token: "x" })).toBe("credential");
    place.azure.apps.clear();
    expect(await open({ client_secret: "third" })).toBe("credential");
  });

  it("that has no time is asked again", async () => {
    place.network.next.push(answering(429, { error: "temporarily_unavailable" }, { "Retry-After": "2" }), answering(503, {}));
    expect(await open({ client_secret: "client-secret-of-the-test" })).toBe("none");
    expect(place.pauses).toHaveLength(2);
  });
});

describe("Vault", () => {
  it("tells a token that it does not know from one that may not", async () => {
    const get = (credentials: StoreCredentials | null) => refusalOf(async () => place.open("vault", {}, credentials).get("a"));
    expect(await get({ token: `${VAULT_TOKEN}\n` })).toBe("none");
    expect(await get({ token: "s.other" })).toBe("credential");
    expect(await get({ token: "s.x\r\nX-Other: y" })).toBe("credential");
    expect(await get({ client_secret: "x" })).toBe("credential");
    expect(await get(null)).toBe("credential");
    place.vault.denied.add("secret/data/a");
    expect(await get({ token: VAULT_TOKEN })).toBe("permission");
  });

  it("is asked in its namespace, also for the login", async () => {
    const { open } = await federated("vault");
    await open({}, { namespace: "admin/team/" }).get("a");
    expect(place.vault.namespaces).toEqual(["admin/team", "admin/team"]);
  });

  it("gives each role, and each namespace, a token of its own", async () => {
    const { needs } = await provider();
    place.vault.login = () => true;
    const get = (role: string, namespace: string) => place.open("vault", { namespace }, { role, jwt_auth: "jwt" }, needs).get("a");
    for (const [role, namespace] of [
      ["a", "x"],
      ["b", "x"],
      ["a", "y"],
      ["a", "x"],
    ] as const)
      await get(role, namespace);
    expect(fetches("vault")).toBe(3);
  });

  it("gives no token to a role that it does not know", async () => {
    const { needs } = await provider();
    expect(await refusalOf(place.open("vault", {}, { role: "other", jwt_auth: "jwt" }, needs).get("a"))).toBe("credential");
    expect(await refusalOf(async () => place.open("vault", {}, { role: "reader", jwt_auth: "../sys" }, needs).get("a"))).toBe("address");
  });
});
