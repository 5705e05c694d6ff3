import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { putStoreSchema, storeAllows } from "../../src/contract/store.ts";
import { isStoreKey, STORE_KINDS } from "../../src/contract/store-key.ts";
import { toAzureName } from "../../src/worker/stores/azure-names.ts";

const allowing = (kind: (typeof STORE_KINDS)[number], keys: string[], scopes = ["namespace:prod"]) =>
  ({ kind, allow: [{ scopes, keys }] }) as Parameters<typeof storeAllows>[0];

describe("what a store lets have", () => {
  it("is nothing where it does not say so", () => {
    const made = putStoreSchema.parse({ kind: "vault", address: "https://v.example.com", mount: "kv", credentials: { role: "r", jwt_auth: "jwt" } });
    expect([made.allow, storeAllows(made, "global", "a")]).toEqual([[], false]);
  });

  it.each([
    [["prod/*"], "prod/db", true],
    [["prod/*"], "prod/a/b", true],
    [["prod/*"], "production", false],
    [["prod/*"], "prod", false],
    [["prod/db"], "prod/db", true],
    [["prod/db"], "prod/db2", false],
    [["prod/db"], "PROD/DB", false],
    [["*"], "anything", true],
    [["prod/*"], "prod/../dev/db", false],
    [["prod/*"], "prod/./db", false],
    [["prod/*"], "prod//db", false],
    [["prod/*"], "/prod/db", false],
    [["prod/*"], "prod/db/", false],
    [["prod/*"], "prod/%2e%2e/dev", false],
    [["prod/*"], "prod/\\..\\dev", false],
    [["prod/*"], "prod/db?version=1", false],
    [["prod/*"], "prod/dé", false],
    [["prod/*"], "prod/d\nb", false],
    [["prod/*"], "prod/..db", false],
  ])("of a Vault with %o, %s: %s", (keys, key, allowed) => {
    expect(storeAllows(allowing("vault", keys), "namespace:prod", key)).toBe(allowed);
  });

  it.each([
    ["prod/db", true],
    ["prod/a@b.c=d+e", true],
    ["arn:aws:secretsmanager:eu-central-1:123456789012:secret:prod/db-AbCdEf", false],
    ["prod/db:x", false],
    ["dev/db", false],
  ])("of Secrets Manager, %s: %s", (key, allowed) => {
    expect(storeAllows(allowing("aws-secrets-manager", ["prod/*", "arn:*"]), "namespace:prod", key)).toBe(allowed);
  });

  it.each([
    [["prod-*"], "prod-db", true],
    [["prod-*"], "PROD-DB", false],
    [["prod/*"], "prod/DB_URL", true],
    [["prod-*"], "kh-prod-2ddb", false],
    [["*"], "a%2fb", false],
    [["*"], "a/../b", false],
  ])("of Azure with %o, %s, which is written there in one way: %s", (keys, key, allowed) => {
    expect(storeAllows(allowing("azure-key-vault", keys), "namespace:prod", key)).toBe(allowed);
  });

  it("is compared as it is asked for: no two keys are one name at Azure", () => {
    const key = fc.stringMatching(/^[A-Za-z0-9_.-]{1,12}$/);
    fc.assert(
      fc.property(key, key, (a, b) => {
        fc.pre(a !== b);
        expect(toAzureName(a)).not.toBe(toAzureName(b));
      }),
      { numRuns: 300, seed: Number(process.env.TEST_SEED) },
    );
  });

  it.each([
    [["namespace:prod"], "namespace:prod", true],
    [["namespace:prod"], "namespace:prod2", false],
    [["repo:acme/*"], "repo:acme/api", true],
    [["repo:acme/*"], "repo:acme2/api", false],
    [["*"], "global", true],
  ])("is for scopes as %o says: %s: %s", (scopes, scope, allowed) => {
    expect(storeAllows(allowing("vault", ["*"], scopes), scope, "a")).toBe(allowed);
  });

  it("has no key with a part that a path could be read by in another way", () => {
    const part = fc.constantFrom("a", ".", "..", "", "%2e", "\\", "a.b", "?", "#", "…", " ", "\0", ".a", "~");
    fc.assert(
      fc.property(fc.constantFrom(...STORE_KINDS), fc.array(part, { minLength: 1, maxLength: 4 }), (kind, parts) => {
        const key = parts.join("/");
        if (!isStoreKey(kind, key)) return;
        // What a URL's parser makes of it is what it was.
        expect(kind === "aws-secrets-manager" || new URL(`https://v.example.com/v1/${key}`).pathname === `/v1/${key}`).toBe(true);
      }),
      { numRuns: 300, seed: Number(process.env.TEST_SEED) },
    );
  });
});
