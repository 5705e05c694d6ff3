import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { deleteLocal } from "../../../src/cli/local/delete-local.ts";
import type { Keychain } from "../../../src/cli/local/keep-value.ts";
import type { LocalPlace } from "../../../src/cli/local/local-place.ts";
import { type LocalScope, parseLocalScope, reposAbove, showScope } from "../../../src/cli/local/local-scope.ts";
import { readLocal } from "../../../src/cli/local/read-local.ts";
import { readingStore } from "../../../src/cli/local/reading-store.ts";
import { searchOrder, winnersOf } from "../../../src/cli/local/search-local.ts";
import { setLocal } from "../../../src/cli/local/set-local.ts";
import { changeStore, type LocalSecret, readStore, type Store } from "../../../src/cli/local/store-file.ts";
import { repoOfRemote } from "../../../src/cli/local/suggest-repo.ts";
import type { SecretName } from "../../../src/contract/secret-name.ts";

const NOW = new Date("2026-11-28T12:00:00.000Z");
const GLOBAL = "global" as string as LocalScope;

let folder: string;
let path: string;
beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), "keyhole-local-")));
  path = join(folder, ".keyhole", "local.json");
  return () => rmSync(folder, { recursive: true });
});

/** A keychain in memory that may be locked: then it takes, gives and removes nothing. */
function fakeKeychain() {
  const entries = new Map<string, string>();
  const lock = { locked: false };
  const keychain: Keychain = {
    isThere: async () => !lock.locked,
    write: async (account, value) => !lock.locked && !!entries.set(account, value),
    read: async (account) => (lock.locked ? undefined : entries.get(account)),
    remove: async (account) => !lock.locked && (entries.delete(account) || true),
  };
  return { entries, lock, keychain };
}

function placeWith(keychain: Keychain, only?: LocalPlace["only"]): LocalPlace {
  return { path, keychain, only, identity: () => "this machine" };
}

const setting = (name: string, value: string, scope = GLOBAL) => ({ scope, name: name as SecretName, value, create: false, now: NOW });
const stored = () => readStore(path) as Store;
const values = (place: LocalPlace, secrets: readonly LocalSecret[] = stored().secrets) => readLocal(place, stored().salt, secrets);

describe("values in the keychain", () => {
  it("are nowhere else, are replaced whole, and go with their secret", async () => {
    const { entries, keychain } = fakeKeychain();
    const place = placeWith(keychain);
    await setLocal(place, setting("API_KEY", "sk-first"));
    await setLocal(place, setting("API_KEY", "sk-second"));
    expect([...entries.values()]).toEqual(["sk-second"]);
    expect(readFileSync(path, "utf8")).not.toContain("sk-");
    expect(await values(place)).toEqual(["sk-second"]);
    await deleteLocal(place, stored().secrets[0] as LocalSecret);
    expect([entries.size, stored().secrets]).toEqual([0, []]);
  });

  it("are not given for another name, whatever the file says", async () => {
    const { keychain } = fakeKeychain();
    const place = placeWith(keychain);
    await setLocal(place, setting("A", "sk-a"));
    await setLocal(place, setting("B", "sk-b"));
    const [a, b] = stored().secrets as [LocalSecret, LocalSecret];
    await expect(values(place, [{ ...a, kept: b.kept }])).rejects.toMatchObject({
      places: [expect.stringContaining("A in global: the keychain does not give it")],
    });
    await expect(values(place, [{ ...a, scope: "team:a" as LocalScope }])).rejects.toThrow("not every value can be had");
  });

  it("stay with their secret while it is locked, and new ones go into the file, unless that is not to be", async () => {
    const { entries, lock, keychain } = fakeKeychain();
    const place = placeWith(keychain);
    const secret = await setLocal(place, setting("API_KEY", "sk-kept"));
    lock.locked = true;
    await expect(deleteLocal(place, secret)).rejects.toThrow("locked or cannot be reached");
    await expect(values(place)).rejects.toThrow("not every value can be had");
    const before = readFileSync(path, "utf8");
    await expect(setLocal(placeWith(keychain, "keychain"), setting("OTHER", "sk-other"))).rejects.toThrow("the keychain does not take the value");
    expect(readFileSync(path, "utf8")).toBe(before);
    await expect(setLocal(place, setting("API_KEY", "sk-changed"))).rejects.toThrow("the earlier one is there");
    expect(readFileSync(path, "utf8")).toBe(before);
    expect((await setLocal(place, setting("OTHER", "sk-other"))).kept).toHaveProperty("sealed");
    lock.locked = false;
    expect(await values(place)).toEqual(["sk-kept", "sk-other"]);
    expect(entries.size).toBe(1);
    lock.locked = true;
    await deleteLocal(placeWith(keychain, "file"), secret);
    expect([entries.size, stored().secrets.map(({ name }) => name)]).toEqual([1, ["OTHER"]]);
  });

  it("are taken out again when the file cannot be changed, which is then as it was", async () => {
    const { entries, keychain } = fakeKeychain();
    await setLocal(placeWith(keychain), setting("API_KEY", "sk-first"));
    const damaging: Keychain = {
      ...keychain,
      write: async (...entry) => {
        writeFileSync(path, "damaged");
        return keychain.write(...entry);
      },
    };
    await expect(setLocal(placeWith(damaging), setting("API_KEY", "sk-second"))).rejects.toThrow("is damaged");
    expect([[...entries.values()], readFileSync(path, "utf8")]).toEqual([["sk-first"], "damaged"]);
  });
});

describe("a command that reads while another one writes", () => {
  it("gets the new value, where the one that it was told of is gone", async () => {
    const { keychain } = fakeKeychain();
    const place = placeWith(keychain);
    await setLocal(place, setting("API_KEY", "sk-first"));
    let times = 0;
    const read = readingStore(path, async (store) => {
      if (times++ === 0) await setLocal(place, setting("API_KEY", "sk-second"));
      return values(place, store?.secrets);
    });
    expect([await read, times]).toEqual([["sk-second"], 2]);
  });

  it("fails with what is wrong where nobody has written", async () => {
    const { keychain, entries } = fakeKeychain();
    await setLocal(placeWith(keychain), setting("API_KEY", "sk-first"));
    entries.clear();
    await expect(readingStore(path, (store) => values(placeWith(keychain), store?.secrets))).rejects.toThrow("not every value can be had");
  });
});

describe("values in the file", () => {
  it("open only on this machine, and as what they were sealed for: scope, name and times", async () => {
    const place = placeWith(fakeKeychain().keychain, "file");
    const secret = await setLocal(place, setting("API_KEY", "sk-sealed"));
    const { sealed } = secret.kept as { sealed: string };
    expect(sealed).toMatch(/^v1:[\w-]{16}:[\w-]{22}:[\w-]{12}$/);
    expect([statSync(path).mode & 0o777, statSync(join(folder, ".keyhole")).mode & 0o777]).toEqual([0o600, 0o700]);
    const changed = [
      { scope: "namespace:prod" as LocalScope },
      { name: "OTHER" as SecretName },
      { created_at: "2026-11-27T12:00:00.000Z" },
      { updated_at: "2026-11-27T12:00:00.000Z" },
      { kept: { sealed: `${sealed.slice(0, -1)}${sealed.endsWith("A") ? "B" : "A"}` } },
    ].map((change) => ({ ...secret, ...change }));
    const refusal = await values(place, [secret, ...changed]).catch((error: unknown) => error);
    expect(refusal).toMatchObject({ places: changed.map(() => expect.stringContaining("does not open here")) });
    await expect(values({ ...place, identity: () => "another machine" })).rejects.toThrow("not every value can be had");
    expect(await values(place)).toEqual(["sk-sealed"]);
  });

  it("are not sealed under the salt of a file that is not there any more", async () => {
    const place = placeWith(fakeKeychain().keychain, "file");
    await changeStore(path, (empty) => empty);
    const racing = {
      ...place,
      identity: () => {
        rmSync(path);
        return "this machine";
      },
    };
    await expect(setLocal(racing, setting("API_KEY", "sk-lost"))).rejects.toThrow("was replaced meanwhile");
  });
});

describe("the file", () => {
  it("loses nothing when many write at once, also one name", async () => {
    const { entries, keychain } = fakeKeychain();
    const place = placeWith(keychain);
    const names = Array.from({ length: 12 }, (_, n) => `KEY_${n}`);
    await Promise.all([...names, "ONE", "ONE", "ONE"].map((name, n) => setLocal(place, setting(name, `sk-${n}`))));
    expect(
      stored()
        .secrets.map(({ name }) => name as string)
        .sort(),
    ).toEqual([...names, "ONE"].sort());
    expect([...entries.values()].sort()).toEqual((await values(place)).sort());
    expect(readdirSync(join(folder, ".keyhole"))).toEqual(["local.json"]);
  });

  it("is rid of what a command that was killed has left beside it, and of nothing else", async () => {
    await changeStore(path, (empty) => empty);
    for (const name of ["local.json.0123456789ab", "local.json.copy", "salt", "0123456789ab.fallback"]) writeFileSync(join(folder, ".keyhole", name), "");
    await setLocal(placeWith(fakeKeychain().keychain), setting("API_KEY", "sk-first"));
    expect(readdirSync(join(folder, ".keyhole")).sort()).toEqual(["0123456789ab.fallback", "local.json", "local.json.copy", "salt"]);
  });

  it("keeps the secret that somebody else has set since it was found", async () => {
    const place = placeWith(fakeKeychain().keychain);
    const found = await setLocal(place, setting("API_KEY", "sk-first"));
    await setLocal(place, setting("API_KEY", "sk-second"));
    await expect(deleteLocal(place, found)).rejects.toThrow("somebody else");
    expect(await values(place)).toEqual(["sk-second"]);
  });

  it.each([
    ["a name twice", (store: Store) => ({ ...store, secrets: [...store.secrets, ...store.secrets] })],
    ["a repository that is no absolute path", ({ secrets: [one], ...store }: Store) => ({ ...store, secrets: [{ ...one, scope: "repo:acme/api" }] })],
    ["a name that is none", ({ secrets: [one], ...store }: Store) => ({ ...store, secrets: [{ ...one, name: "a b" }] })],
    ["a value as it is", ({ secrets: [one], ...store }: Store) => ({ ...store, secrets: [{ ...one, kept: { value: "sk-plain" } }] })],
    ["a parent that is no scope", (store: Store) => ({ ...store, parents: { "repo:/a": "prod" } })],
    ["a child that is no scope", (store: Store) => ({ ...store, parents: { prod: "global" } })],
    ["a short salt", (store: Store) => ({ ...store, salt: "AAAA" })],
    ["more than there is", (store: Store) => ({ ...store, note: "" })],
  ])("is refused and left as it is with %s", async (_, damage) => {
    const place = placeWith(fakeKeychain().keychain);
    await setLocal(place, setting("API_KEY", "sk-first"));
    const text = JSON.stringify(damage(stored()));
    writeFileSync(path, text);
    expect(() => readStore(path)).toThrow("is damaged");
    await expect(setLocal(place, setting("B", "sk-b"))).rejects.toThrow("is damaged");
    expect(readFileSync(path, "utf8")).toBe(text);
  });

  it("is refused as a link, as no file and as one of another version", async () => {
    await changeStore(path, (empty) => empty);
    writeFileSync(path, readFileSync(path, "utf8").replace('"format": 1', '"format": 2'));
    expect(() => readStore(path)).toThrow("of another version of keyhole");
    renameSync(path, join(folder, "copy"));
    symlinkSync(join(folder, "copy"), path);
    expect(() => readStore(path)).toThrow("is a link");
    rmSync(path);
    mkdirSync(path);
    expect(() => readStore(path)).toThrow("is not a file");
  });

  it.skipIf(process.platform === "win32")("is not begun in a folder that others may write", async () => {
    mkdirSync(join(folder, ".keyhole"));
    chmodSync(join(folder, ".keyhole"), 0o770);
    await expect(setLocal(placeWith(fakeKeychain().keychain), setting("API_KEY", "sk-first"))).rejects.toThrow("others than you may write");
    expect(readdirSync(join(folder, ".keyhole"))).toEqual([]);
  });

  it.runIf(process.getuid?.() === 0)("is refused where it or its folder is another user's", async () => {
    await changeStore(path, (empty) => empty);
    chownSync(path, 12, 34);
    expect(() => readStore(path)).toThrow("open to user 12, whose it is");
    chownSync(path, 0, 0);
    chmodSync(join(folder, ".keyhole"), 0o770);
    expect(() => readStore(path)).toThrow("others than you may write");
    chmodSync(join(folder, ".keyhole"), 0o700);
    chownSync(join(folder, ".keyhole"), 12, 34);
    expect(() => readStore(path)).toThrow("others than you may write");
  });
});

describe("a scope of this machine", () => {
  beforeEach(() => void vi.stubEnv("HOME", folder));
  afterEach(() => void vi.unstubAllEnvs());

  it("is a folder by whatever path it is named, and is shown from the home folder", () => {
    mkdirSync(join(folder, "code/api/src"), { recursive: true });
    symlinkSync(join(folder, "code"), join(folder, "jobs"));
    const api = `repo:${folder}/code/api`;
    for (const text of ["repo:~/code/api", "repo:~/jobs/api", "repo:~/code/api/", `repo:${folder}/code/../jobs/api`, "repo:~/code/api/src/.."])
      expect(parseLocalScope(text), text).toBe(api);
    expect(showScope(api as LocalScope)).toBe("repo:~/code/api");
    expect(showScope(`repo:${folder}` as LocalScope)).toBe("repo:~");
    expect(showScope(`repo:${folder}-other` as LocalScope)).toBe(`repo:${folder}-other`);
    expect(reposAbove(join(folder, "jobs/api/src")).slice(0, 2)).toEqual([`${api}/src`, api]);
  });

  it("that is a folder of before is still found by its name, and a new one has to be there", () => {
    symlinkSync(folder, join(folder, "link"));
    expect(parseLocalScope("repo:~/link/gone/deep")).toBe(`repo:${folder}/gone/deep`);
    expect(() => parseLocalScope("repo:~/gone", true)).toThrow("there is no folder");
  });

  it.each(["repo:", "repo:api", "repo:acme/api", "repo:~ada/api", "repo:a\0b", "repo:~/a\0b", "", "Global", "namespace:", "namespace:a b", "user:ada"])(
    "is not %j",
    (text) => {
      expect(() => parseLocalScope(text)).toThrow(/not a scope|not the path/);
    },
  );

  it("is read again as it is shown", () => {
    const part = fc.string({ minLength: 1, maxLength: 12, unit: "grapheme" }).filter((text) => !/[/\\\0]/.test(text) && text !== "." && text !== "..");
    fc.assert(
      fc.property(fc.array(part, { maxLength: 4 }), fc.boolean(), (parts, inHome) => {
        const scope = parseLocalScope(`repo:${join(inHome ? folder : "/nowhere", ...parts)}`);
        expect(parseLocalScope(showScope(scope))).toBe(scope);
      }),
      { numRuns: 50 },
    );
  });
});

describe("what applies in a folder", () => {
  const secret = (name: string, scope: string) => ({ name, scope }) as unknown as LocalSecret;
  const order = (secrets: LocalSecret[], named: string[], at: string, parents = {}) => searchOrder({ secrets, parents }, named as LocalScope[], at);

  it("is of the nearest repository first, then of what is named and what that is under, then global", () => {
    const secrets = ["repo:/w", "repo:/w/api", "repo:/w/web", "namespace:prod"].map((scope) => secret("A", scope));
    expect(order(secrets, [], "/w/api/src")).toEqual(["repo:/w/api", "repo:/w", "global"]);
    expect(order(secrets, ["namespace:prod"], "/w/web")).toEqual(["repo:/w/web", "repo:/w", "namespace:prod", "global"]);
    expect(order(secrets, ["repo:/w/web"], "/w/api")).toEqual(["repo:/w/web", "global"]);
    const parents = { "repo:/w/api": "namespace:dev", "namespace:dev": "team:pay", "team:pay": "repo:/w/api" };
    expect(order(secrets, ["agent:ci"], "/w/api", parents)).toEqual(["repo:/w/api", "repo:/w", "agent:ci", "namespace:dev", "team:pay", "global"]);
    expect(() => order(secrets, ["namespace:a", "team:b", "namespace:c"], "/w")).toThrow("two scopes of the kind namespace");
    expect(order([], [], "/w/api", { "repo:/w": "namespace:dev" })).toEqual(["repo:/w", "namespace:dev", "global"]);
  });

  it("is of each variable the secret in the most specific scope", () => {
    const all = [secret("API_KEY", "global"), secret("api-key", "namespace:prod"), secret("OTHER", "global"), secret("API_KEY", "team:elsewhere")];
    const scopes = ["namespace:prod", "global"] as LocalScope[];
    const found = (names?: string[]) => [...winnersOf(all, scopes, names)].map(([variable, { name, scope }]) => `${variable}=${name}@${scope}`).sort();
    expect(found()).toEqual(["API_KEY=api-key@namespace:prod", "OTHER=OTHER@global"]);
    expect(found(["API_KEY"])).toEqual(["API_KEY=API_KEY@global"]);
  });
});

describe("a repository's name in a deployment", () => {
  it.each([
    ["git@github.com:acme/api.git", "repo:acme/api"],
    ["https://github.com/acme/api", "repo:acme/api"],
    ["https://ada:password@git.example:8443/group/sub/api.git/", "repo:group/sub/api"],
    ["ssh://git@git.example:22/acme/api.git", "repo:acme/api"],
    ["/srv/git/api.git", undefined],
    ["../api", undefined],
    ["https://git.example/", undefined],
    ["https://git.example/acme/../api", undefined],
    ["https://git.example/acme/api?token=a", undefined],
    ["git@github.com:acme/a b.git", undefined],
  ])("is suggested from %s as %s", (address, scope) => {
    expect(repoOfRemote(address)).toBe(scope);
  });
});
