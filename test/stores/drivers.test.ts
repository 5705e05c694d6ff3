import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { fromAzureName, toAzureName } from "../../src/worker/stores/azure-names.ts";
import type { StoreDriver } from "../../src/worker/stores/store-driver.ts";
import { bytes, openPlace, operation, type Place, refusalOf, text } from "./place.ts";

let place: Place;
beforeEach(() => {
  place = openPlace();
});
afterEach(() => {
  vi.restoreAllMocks();
});

const KINDS = ["aws", "azure", "vault"] as const;

describe.each(KINDS)("a store: %s", (kind) => {
  let store: StoreDriver;
  beforeEach(() => {
    store = place.open(kind);
  });

  it.each([
    ["text", bytes("postgres://user:pass@db/shop")],
    ["text that is JSON", bytes('{"user":"a","password":"b"}')],
    ["text with a byte order mark, escapes and other scripts", bytes('\ufeff"\\\n\u0000 äß 漢字 🔑')],
    ["bytes that are no text", new Uint8Array([0, 255, 254, 1, 2, 0x80])],
  ])("gives back %s as it was written", async (_, value) => {
    const { version } = await store.put("apps/shop/DATABASE_URL", value, { operation: operation() });
    const found = await store.get("apps/shop/DATABASE_URL");
    expect([found?.value, found?.version]).toEqual([value, version]);
    expect(await store.get("apps/shop/DATABASE_URL", version)).toEqual(found);
  });

  it("has nothing under a name that is not there, in a version that is not, or in what could be none", async () => {
    expect(await store.get("nothing")).toBeUndefined();
    const { version } = await store.put("a", bytes("x"), { operation: operation() });
    const other = { aws: operation(), azure: "0".repeat(32), vault: "7" }[kind];
    for (const unknown of [other, "../x", "", `${version}?`]) expect(await store.get("a", unknown)).toBeUndefined();
  });

  it("keeps the versions before", async () => {
    const first = await store.put("a", bytes("1"), { operation: operation() });
    const second = await store.put("a", bytes("2"), { operation: operation() });
    expect(text((await store.get("a"))?.value)).toBe("2");
    expect(text((await store.get("a", first.version))?.value)).toBe("1");
    expect(second.version).not.toBe(first.version);
  });

  it.each([undefined, null])("writes the same operation once (if version: %s), also after another one", async (ifVersion) => {
    const write = { operation: operation(), ...(ifVersion !== undefined && { ifVersion }) };
    const first = await store.put("a", bytes("1"), write);
    expect(await store.put("a", bytes("1"), write)).toEqual(first);
    await store.put("a", bytes("2"), { operation: operation() });
    expect(await store.put("a", bytes("1"), write)).toEqual(first);
    expect(text((await store.get("a"))?.value)).toBe("2");
  });

  it("writes in the place of one version and of no other, or of none", async () => {
    const first = await store.put("a", bytes("1"), { operation: operation(), ifVersion: null });
    expect(await refusalOf(store.put("a", bytes("x"), { operation: operation(), ifVersion: null }))).toBe("conflict");
    const write = { operation: operation(), ifVersion: first.version };
    const second = await store.put("a", bytes("2"), write);
    expect(await store.put("a", bytes("2"), write)).toEqual(second);
    expect(await refusalOf(store.put("a", bytes("x"), { operation: operation(), ifVersion: first.version }))).toBe("conflict");
    expect(await refusalOf(store.put("b", bytes("x"), { operation: operation(), ifVersion: first.version }))).toBe("conflict");
    expect(await store.get("a")).toMatchObject({ value: bytes("2"), version: second.version });
    expect(await store.get("b")).toBeUndefined();
  });

  it("deletes once", async () => {
    await store.put("a", bytes("1"), { operation: operation() });
    expect(await store.delete("a")).toBe(true);
    expect(await store.get("a")).toBeUndefined();
    expect([await store.delete("a"), await store.delete("never")]).toEqual([false, false]);
  });

  it("says of a deleted name that it is taken where the store keeps it, and else writes on", async () => {
    await store.put("a", bytes("1"), { operation: operation() });
    await store.delete("a");
    const expected = kind === "vault" ? "none" : "deleted-name";
    const { version } = await store.put("b", bytes("1"), { operation: operation() });
    await store.delete("b");
    expect(await refusalOf(store.put("a", bytes("2"), { operation: operation() }))).toBe(expected);
    expect(await refusalOf(store.put("b", bytes("2"), { operation: operation(), ifVersion: null }))).toBe(expected);
    if (kind !== "azure")
      expect(await refusalOf(store.put("b", bytes("3"), { operation: operation(), ifVersion: version }))).toBe(kind === "aws" ? "deleted-name" : "conflict");
  });

  it("says with which version a deleted name comes back", async () => {
    await store.put("a", bytes("1"), { operation: operation() });
    const { version } = await store.put("a", bytes("2"), { operation: operation() });
    expect([await store.deleted("a"), await store.deleted("never")]).toEqual([undefined, undefined]);
    await store.delete("a");
    expect(await store.deleted("a")).toEqual({ version });
    expect([await store.restore("a"), await store.deleted("a")]).toEqual([true, undefined]);
    expect(await store.get("a")).toMatchObject({ value: bytes("2"), version });
  });

  it("lists the names that begin so, and no others", async () => {
    for (const name of ["apps/shop/A", "apps/shop/B", "apps/shopping/C", "apps/Shop/D", "x/apps/shop/E", "plain"]) {
      await store.put(name, bytes("1"), { operation: operation() });
    }
    expect(await listed(store, "apps/shop")).toEqual(["apps/shop/A", "apps/shop/B", "apps/shopping/C"]);
    expect(await listed(store, "apps/shop/")).toEqual(["apps/shop/A", "apps/shop/B"]);
    expect(await listed(store, "plain")).toEqual(["plain"]);
    expect(await listed(store, "nothing/")).toEqual([]);
    expect(await listed(store, "")).toHaveLength(6);
  });

  it("lists 1,000 names page by page", async () => {
    const names = Array.from({ length: 1_000 }, (_, number) => `bulk/${String(number).padStart(4, "0")}`);
    fill(names);
    expect(await listed(store, "bulk/")).toEqual(names);
  });

  it("takes no cursor of somebody's making", async () => {
    fill(["a"]);
    // What follows is asked of the store itself.
    await store.get("a");
    if (kind === "azure") place.network.next.push(async () => Response.json({ value: [], nextLink: "https://elsewhere.example.org/secrets?$skiptoken=x" }));
    expect(await refusalOf(store.list("", kind === "vault" ? '["../sys/"]' : "nonsense"))).toBe(kind === "azure" ? "reply" : "name");
  });

  it.each([
    "",
    "a\u0000b",
    kind === "vault" ? "a//b" : "ä".repeat(600),
    kind === "vault" ? "a/../../sys/mounts" : "",
    kind === "aws" ? "arn:aws:secretsmanager:x" : "",
  ])("has no such name: %j", async (name) => {
    const writing = refusalOf(store.put(name, bytes("x"), { operation: operation() }));
    const isNamed = name === "a\u0000b" && kind === "azure";
    expect(await writing).toBe(isNamed ? "none" : "name");
    if (!isNamed) expect([await refusalOf(store.get(name)), await refusalOf(store.delete(name))]).toEqual(["name", "name"]);
  });
});

it("looks at Azure for no more than the current version, where the operation has written that one", async () => {
  const store = place.open("azure");
  const write = { operation: operation() };
  await store.put("a", bytes("1"), write);
  place.azure.asked.length = 0;
  await store.put("a", bytes("1"), write);
  expect(place.azure.asked).toEqual(["GET /secrets/a/"]);
});

it("knows its own write where AWS says no more than that the secret is there", async () => {
  const store = place.open("aws");
  const write = { operation: operation(), ifVersion: null };
  const first = await store.put("a", bytes("1"), write);
  place.network.next.push(async () => Response.json({ __type: "ResourceExistsException" }, { status: 400 }));
  expect(await store.put("a", bytes("1"), write)).toEqual(first);
});

it("takes values as large as the store does, and asks nothing for a larger one", async () => {
  for (const [kind, most, binary] of [
    ["aws", 65_536, 65_536],
    ["azure", 25_600, 19_200],
  ] as const) {
    const store = place.open(kind);
    await store.put("most", bytes("x".repeat(most)), { operation: operation() });
    await store.put("bytes", new Uint8Array(binary).fill(255), { operation: operation() });
    expect((await store.get("bytes"))?.value).toHaveLength(binary);
    const asked = place.network.asked.length;
    expect(await refusalOf(store.put("more", bytes("x".repeat(most + 1)), { operation: operation() }))).toBe("too-large");
    expect(await refusalOf(store.put("more", new Uint8Array(binary + 1).fill(255), { operation: operation() }))).toBe("too-large");
    expect(place.network.asked).toHaveLength(asked);
  }
});

describe("a name at Azure", () => {
  it("is read again as it was, and two names are never alike, whatever the case", () => {
    const seen = new Map<string, string>();
    const names = fc.oneof(
      fc.string({ unit: "grapheme", minLength: 1, maxLength: 30 }),
      fc.stringMatching(/^[a-zA-Z_/-]{1,30}$/),
      fc.stringMatching(/^kh-[a-z0-9-]{0,20}$/),
    );
    fc.assert(
      fc.property(names, (name) => {
        if (!name.isWellFormed()) return;
        const written = toAzureName(name);
        if (written === undefined) return;
        expect(written).toMatch(/^[0-9a-z-]{1,127}$/);
        expect([fromAzureName(written), fromAzureName(written.toUpperCase())]).toEqual([name, name]);
        expect(seen.get(written) ?? name).toBe(name);
        seen.set(written, name);
      }),
      { numRuns: 300 },
    );
  });

  it.each([
    ["db-password", "db-password"],
    ["DATABASE_URL", "kh---database-5furl"],
    ["apps/shop/Key", "kh-apps-2fshop-2f--k--ey"],
    ["kh-x", "kh-kh-2dx"],
  ])("of %s is %s", (name, written) => {
    expect(toAzureName(name)).toBe(written);
  });

  it.each(["kh-", "kh-plain", "kh---", "kh-a-", "kh-a-4", "kh--a", "kh-a-ff", "kh-2d-61"])("that nothing is written as stands for nothing: %s", (written) => {
    expect(fromAzureName(written)).toBeUndefined();
  });

  it("that others have given is read in lower case", async () => {
    const store = place.open("azure");
    place.azure.secrets.set("dbpassword", { name: "DbPassword", versions: [{ id: "0".repeat(32), value: "x", enabled: true, created: 0 }] });
    expect((await store.list("")).keys).toEqual(["dbpassword"]);
    expect(text((await store.get("dbpassword"))?.value)).toBe("x");
    expect(await store.get("DbPassword")).toBeUndefined();
  });
});

describe("an object in Vault", () => {
  it.each<[string, Record<string, unknown>, string]>([
    ["of several fields is its JSON", { user: "a", password: "b" }, '{"user":"a","password":"b"}'],
    ["with the field of a value and others is its JSON", { value: "a", other: 1 }, '{"value":"a","other":1}'],
    ["whose value is no text is its JSON", { value: 7 }, '{"value":7}'],
    ["with nothing but a value is that", { value: "a" }, "a"],
    ["is asked for its fields", { user: "a" }, '{"user":"a"}'],
  ])("%s", async (_, data, expected) => {
    place.vault.data.set("a", [data]);
    const found = await place.open("vault").get("a");
    expect([text(found?.value), found?.fields]).toEqual([expected, data]);
  });

  it("that says it is base64 and is not is no answer", async () => {
    place.vault.data.set("a", [{ value: "%", encoding: "base64" }]);
    expect(await refusalOf(place.open("vault").get("a"))).toBe("reply");
  });

  it("is looked for in no other folders than may have it", async () => {
    for (const name of ["apps/shop/a", "apps/other/b", "x/c", "d"]) place.vault.data.set(name, [{ value: "x" }]);
    expect(await listed(place.open("vault"), "apps/sh")).toEqual(["apps/shop/a"]);
    expect(place.vault.asked).toEqual(["GET secret/metadata/apps", "GET secret/metadata/apps/shop"]);
  });

  it("is not written in the place of what somebody has written in the meantime", async () => {
    const store = place.open("vault");
    const { version } = await store.put("a", bytes("1"), { operation: operation() });
    place.network.next.push(async (request) => {
      const reply = await place.vault.handle(request);
      place.vault.data.get("a")?.push({ value: "theirs" });
      return reply;
    });
    expect(await refusalOf(store.put("a", bytes("2"), { operation: operation(), ifVersion: version }))).toBe("conflict");
    expect(place.vault.data.get("a")).toHaveLength(2);
  });

  it("knows which version a write has made, also after somebody has changed another field and kept the rest", async () => {
    const store = place.open("vault");
    const [first, second] = [operation(), operation()];
    await store.put("a", bytes("1"), { operation: first });
    const versions = place.vault.data.get("a") ?? [];
    versions.push({ ...versions.at(-1), note: "theirs" });
    expect(await store.put("a", bytes("1"), { operation: first })).toEqual({ version: "1" });
    expect(await store.put("a", bytes("3"), { operation: second })).toEqual({ version: "3" });
    for (const [each, version] of [
      [first, "1"],
      [second, "3"],
    ] as const)
      expect(await store.put("a", bytes("1"), { operation: each })).toEqual({ version });
    expect((await store.get("a"))?.value).toEqual(bytes("3"));
  });

  it("is written in the place of what was read, and anew if somebody else's came between", async () => {
    const store = place.open("vault");
    const handle = place.vault.handle;
    place.network.next.push(handle, async () => Response.json({ errors: ["check-and-set parameter did not match the current version"] }, { status: 400 }));
    expect(await store.put("a", bytes("1"), { operation: operation() })).toEqual({ version: "1" });
    expect(place.vault.asked.filter((asked) => asked.startsWith("GET"))).toHaveLength(2);
  });
});

/** Puts names into all stores at once. */
function fill(names: readonly string[]): void {
  for (const name of names) {
    place.aws.secrets.set(name, { arn: name, versions: new Map([["v".repeat(32), { SecretString: "x", stages: new Set(["AWSCURRENT"]) }]]) });
    const azureName = toAzureName(name) ?? "";
    place.azure.secrets.set(azureName, { name: azureName, versions: [{ id: "0".repeat(32), value: "x", enabled: true, created: 0 }] });
    place.vault.data.set(name, [{ value: "x" }]);
  }
}

async function listed(store: StoreDriver, prefix: string): Promise<string[]> {
  const keys: string[] = [];
  let cursor: string | undefined;
  do {
    const page = await store.list(prefix, cursor);
    keys.push(...page.keys);
    cursor = page.next;
  } while (cursor !== undefined);
  return keys.sort();
}
