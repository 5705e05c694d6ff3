import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { CliError } from "../../../src/cli/cli-error.ts";
import { importTree, type TreeImport } from "../../../src/cli/vault/import-tree.ts";
import { jsonMembers } from "../../../src/cli/vault/json-members.ts";
import type { MovedObject } from "../../../src/cli/vault/move-object.ts";
import { openVault } from "../../../src/cli/vault/open-vault.ts";
import { placePaths } from "../../../src/cli/vault/place-paths.ts";
import { walkTree } from "../../../src/cli/vault/walk-tree.ts";
import { type Client, KeyholeError } from "../../../src/client/create-client.ts";
import type { ImportObjectReply, ObjectMember } from "../../../src/contract/import-object.ts";
import { type FakeVault, startFakeVault } from "./support/fake-vault.ts";
import { startOpenBao } from "./support/start-openbao.ts";

const TOKEN = "hvs.fake";
let vault: FakeVault;
let home: string;
/** What Keyhole holds: each scope's keys, and their values as they were sent. */
let kept: Map<string, Map<string, ObjectMember>>;
let metadata: Map<string, Record<string, string>>;
let writes: string[];
/** What the next imports are refused with. */
let refusals: (KeyholeError | undefined)[];

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), "keyhole-vault-"));
});

beforeEach(async () => {
  vault = await startFakeVault({ token: TOKEN });
  vault.mount("secret", "2");
  [kept, metadata, writes, refusals] = [new Map(), new Map(), [], []];
  vi.stubEnv("HOME", home);
  for (const name of ["TOKEN", "NAMESPACE", "CACERT"]) for (const product of ["VAULT", "BAO"]) vi.stubEnv(`${product}_${name}`, "");
  vi.stubEnv("VAULT_TOKEN", TOKEN);
  return async () => {
    vi.unstubAllEnvs();
    await vault.stop();
  };
});

afterAll(() => rmSync(home, { recursive: true }));

/** Keyhole, as far as an import sees it. */
const keyhole = {
  whoami: async () => ({ permissions: ["secrets:write"] }),
  secrets: { importObject },
} as unknown as Client;

async function importObject(
  scope: string,
  members: readonly ObjectMember[],
  { customMetadata, dryRun, overwrite }: { customMetadata?: Record<string, string>; dryRun?: boolean; overwrite?: boolean },
): Promise<ImportObjectReply> {
  const refusal = refusals.shift();
  if (refusal) throw refusal;
  const held = kept.get(scope) ?? new Map<string, ObjectMember>();
  const stateOf = (member: ObjectMember) => {
    const found = held.get(member.key);
    if (found === undefined) return "new";
    return found.value === member.value && found.encoding === member.encoding ? "same" : "different";
  };
  const keys = (state: string) => members.filter((member) => stateOf(member) === state).map(({ key }) => key);
  const before = metadata.get(scope);
  const told = before === undefined ? ("new" as const) : JSON.stringify(before) === JSON.stringify(customMetadata) ? ("same" as const) : ("different" as const);
  const reply = { new: keys("new"), same: keys("same"), different: keys("different"), custom_metadata: customMetadata === undefined ? null : told };
  const differs = reply.different.length > 0 || reply.custom_metadata === "different";
  const changes = reply.new.length > 0 || differs || reply.custom_metadata === "new";
  const written = !dryRun && changes && (overwrite === true || !differs);
  if (written) {
    writes.push(scope);
    kept.set(scope, new Map([...held, ...members.map((member) => [member.key, member] as const)]));
    if (customMetadata !== undefined) metadata.set(scope, customMetadata);
  }
  return { ...reply, written };
}

/** What became of each path, in the order of the paths. */
async function move(given: Partial<TreeImport> = {}): Promise<MovedObject[]> {
  const moved: MovedObject[] = [];
  const usual = { address: vault.url, mount: "secret", version: undefined, path: undefined, placements: [], overwrite: false, dryRun: false, insecure: false };
  await importTree(
    { ...usual, ...given },
    async () => keyhole,
    (one) => void moved.push(one),
  );
  return moved.sort((a, b) => (a.path < b.path ? -1 : 1));
}

const statesOf = (moved: readonly MovedObject[]) => Object.fromEntries(moved.map(({ path, state }) => [path, state]));
const valuesOf = (scope: string) => Object.fromEntries([...(kept.get(scope) ?? [])].map(([key, { value, encoding }]) => [key, `${encoding}:${value}`]));

async function refusalOf(given: Partial<TreeImport>): Promise<[number, string]> {
  const error = await move(given).then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(error).toBeInstanceOf(CliError);
  const { exitCode, message, hint } = error as CliError;
  expect(`${message}${hint}`).not.toContain(TOKEN);
  return [exitCode, message];
}

describe("a tree of a Vault", () => {
  it.each(["1", "2"] as const)("comes over whole from KV version %s: text, numbers with all their digits, and what is nested as its JSON", async (version) => {
    vault.mount("kv", version);
    vault.put("kv", "app/config", {
      json: '{"port":5432,"big":12345678901234567890,"on":true,"none":null,"list":[1, 2],"text":"a\\"b<c>","html":{"x":"<&>"},"empty":""}',
    });
    vault.put("kv", "app", { json: '{"2fa":"x"}' });
    expect(statesOf(await move({ mount: "kv" }))).toEqual({ app: "written", "app/config": "written" });
    expect(valuesOf("repo:app/config")).toEqual({
      ...{ port: "json:5432", big: "json:12345678901234567890", on: "json:true", none: "json:null", list: "json:[1,2]" },
      ...{ text: 'utf8:a"b<c>', html: 'json:{"x":"<&>"}', empty: "utf8:" },
    });
    expect(valuesOf("repo:app")).toEqual({ "2fa": "utf8:x" });
  });

  it("is the same when it is moved again, wherever the run before was stopped", async () => {
    for (let n = 0; n < 25; n++) vault.put("secret", `app-${n}`, { json: `{"KEY":"v${n}"}` });
    refusals = [...Array.from({ length: 7 }, () => undefined), new KeyholeError("unreachable", "gone")];
    await expect(move()).rejects.toThrow("gone");
    const before = [...writes];
    expect(before.length).toBeGreaterThan(6);
    expect(before.length).toBeLessThan(25);
    const again = await move();
    expect(again.filter(({ state }) => state === "same").map(({ scope }) => scope)).toEqual(before.sort());
    expect([writes.length, new Set(writes).size]).toEqual([25, 25]);
    expect((await move()).every(({ state }) => state === "same")).toBe(true);
  });

  it("is compared by a dry run, which writes nothing, and says of each key what is to come of it", async () => {
    vault.put("secret", "app", { json: '{"A":"1","B":"2","C":"3"}' }, { owner: "ada" });
    await move();
    vault.put("secret", "app", { json: '{"A":"1","B":"changed","D":"4"}' });
    writes = [];
    const [app] = await move({ dryRun: true });
    expect(app).toEqual({
      ...{ path: "app", scope: "repo:app", state: "different" },
      keys: [
        { key: "D", state: "new" },
        { key: "A", state: "same" },
        { key: "B", state: "different" },
        { key: "(custom_metadata)", state: "same" },
      ],
    });
    expect(writes).toEqual([]);
  });

  it("replaces what differs only when it is told to, and adds to what is there without that", async () => {
    vault.put("secret", "app", { json: '{"A":"1"}' });
    await move();
    vault.put("secret", "app", { json: '{"A":"1","B":"2"}' });
    expect(statesOf(await move())).toEqual({ app: "written" });
    vault.put("secret", "app", { json: '{"A":"other","C":"3"}' });
    expect(statesOf(await move())).toEqual({ app: "different" });
    expect(valuesOf("repo:app")).toEqual({ A: "utf8:1", B: "utf8:2" });
    expect(statesOf(await move({ overwrite: true }))).toEqual({ app: "written" });
    expect(valuesOf("repo:app")).toEqual({ A: "utf8:other", B: "utf8:2", C: "utf8:3" });
  });

  it("has objects without a current version, which are named and no failure", async () => {
    vault.put("secret", "deleted", "deleted");
    vault.put("secret", "destroyed", "destroyed");
    vault.put("secret", "empty", { json: "{}" });
    vault.put("secret", "later", { json: '{"A":"1"}', deletionTime: "2099-01-01T00:00:00Z" });
    const moved = await move();
    expect(moved.map(({ path, state, reason, expires }) => [path, state, reason, expires])).toEqual([
      ["deleted", "nothing", "its current version is deleted", undefined],
      ["destroyed", "nothing", "its current version is destroyed", undefined],
      ["empty", "nothing", "it has no keys", undefined],
      ["later", "written", undefined, true],
    ]);
  });

  it("is moved as far as the token may read it, and what it may not is named", async () => {
    for (const path of ["open", "closed/x", "half"]) vault.put("secret", path, { json: '{"A":"1"}' });
    vault.denied = ["secret/metadata/closed", "secret/data/half"];
    expect((await move()).map(({ path, state, reason }) => [path, state, reason])).toEqual([
      ["closed/", "cannot", "the Vault does not let this token list it"],
      ["half", "cannot", "the Vault does not let this token read it"],
      ["open", "written", undefined],
    ]);
  });

  it("writes nothing of an object of which one value is too large, and says so of that one", async () => {
    vault.put("secret", "app", { json: `{"A":"1","BIG":"${"x".repeat(65_537)}"}` });
    const [app] = await move();
    expect(app).toMatchObject({
      state: "cannot",
      keys: [
        { key: "A", state: "new" },
        { key: "BIG", state: "cannot" },
      ],
    });
    expect(writes).toEqual([]);
  });

  it("goes on past what Keyhole refuses, and names the keys that it is about", async () => {
    vault.put("secret", "a", { json: '{"A":"1","a":"2"}' });
    vault.put("secret", "b", { json: '{"A":"1"}' });
    const errors = [{ pointer: "/members/1/key", detail: "one variable with A" }];
    refusals = [new KeyholeError("invalid-request", "no", { status: 400, members: { errors } })];
    const moved = await move();
    expect(moved[0]).toMatchObject({ state: "cannot", reason: "no", keys: [{ key: "a", state: "cannot", reason: "one variable with A" }] });
    expect(statesOf(moved).b).toBe("written");
  });

  it("may be a part only: what is at a path, and all below it", async () => {
    for (const path of ["app", "app/db", "application", "other"]) vault.put("secret", path, { json: '{"A":"1"}' });
    expect(Object.keys(statesOf(await move({ path: "app/" })))).toEqual(["app", "app/db"]);
    expect(Object.keys(statesOf(await move({ path: "app/db" })))).toEqual(["app/db"]);
  });

  it.each([true, false])("of 2,001 names in one folder is found whole (lists in pages: %s)", async (pages) => {
    await vault.stop();
    vault = await startFakeVault({ token: TOKEN, pages });
    vault.mount("secret", "2");
    for (let n = 0; n < 2_001; n++) vault.put("secret", `app-${n}`, "deleted");
    const open = openVault(vault.url, { token: TOKEN, namespace: undefined, authorities: undefined }, false);
    const { paths } = await walkTree(open, { segments: ["secret"], version: "2" }, [], () => undefined);
    expect([paths.length, vault.requests.length]).toEqual([2_001, pages ? 3 : 1]);
  });

  it("is asked for again where the Vault limits the rate or fails, and asks for as long a pause as it wants", async () => {
    vault.put("secret", "app", { json: '{"A":"1"}' });
    vault.failing = [
      { status: 429, headers: { "Retry-After": "0" } },
      { status: 503, headers: { "Retry-After": "0" } },
      { status: 412, headers: { "Retry-After": "0" } },
    ];
    expect(statesOf(await move())).toEqual({ app: "written" });
    vault.failing = [{ status: 429, headers: { "Retry-After": "3600" } }];
    expect(await refusalOf({})).toEqual([5, `${new URL(vault.url).host} asks to try later (status 429)`]);
  });
});

describe("where it goes", () => {
  it("is decided before anything is written: two paths of one scope, and what is neither a scope nor a repository, are refused by name", async () => {
    const paths = ["app", "app/db", "global", "team/pay", "repo/acme/api", "acme/api", "team/pay/db", "Team/x", "builtin", "namespace", "with space"];
    for (const path of paths) vault.put("secret", path, { json: '{"A":"1"}' });
    const moved = await move();
    expect(Object.fromEntries(moved.map(({ path, scope }) => [path, scope]))).toEqual({
      ...{ app: "repo:app", "app/db": "repo:app/db", global: "global", "team/pay": "team:pay" },
      ...{ "repo/acme/api": null, "acme/api": null, "team/pay/db": null, "Team/x": null, builtin: null, namespace: null, "with space": null },
    });
    expect(moved.find(({ path }) => path === "acme/api")?.reason).toBe("repo:acme/api is also where repo/acme/api goes: place one of them with --map");
  });

  it("is said by --map for a path or for all below one, and the longest counts", () => {
    const paths = ["team/pay/db", "team/pay/x", "team/ops/y", "a=b"];
    const { placed, refused } = placePaths(paths, ["team/=repo:teams/", "team/pay/db=global", "a=b=namespace:prod"]);
    expect(placed.map(({ path, scope }) => [path, scope])).toEqual([
      ["team/pay/db", "global"],
      ["team/pay/x", "repo:teams/pay/x"],
      ["team/ops/y", "repo:teams/ops/y"],
      ["a=b", "namespace:prod"],
    ]);
    expect(refused).toEqual([]);
    expect(placePaths(["a b/c"], ["a b/=repo:x y/"]).refused).toEqual([{ path: "a b/c", reason: "repo:x y/c is no scope" }]);
  });

  it.each(["app", "=global", "app=", "app=team:", "app/=repo:x", "app/=global", "app=repo:x/", "app=namespace:a/b"])("refuses --map %s", (text) => {
    expect(() => placePaths(["app", "app/x"], [text])).toThrow("--map is not FROM=SCOPE");
  });

  it("refuses --map of what is not there, before anything is read or written", async () => {
    vault.put("secret", "app", { json: '{"A":"1"}' });
    expect(await refusalOf({ placements: ["ap=global"] })).toEqual([2, "--map: there is no ap in the tree"]);
    expect(vault.requests.filter((request) => request.includes("/data/"))).toEqual([]);
  });
});

describe("the Vault that is asked", () => {
  it("is given the token of its own command line, and the namespace", async () => {
    await vault.stop();
    vault = await startFakeVault({ token: "hvs.kept", namespace: "team-a" });
    vault.mount("secret", "2");
    vault.put("secret", "app", { json: '{"A":"1"}' });
    vi.stubEnv("VAULT_TOKEN", "");
    vi.stubEnv("BAO_NAMESPACE", "team-a");
    writeFileSync(join(home, ".vault-token"), "hvs.kept");
    expect(statesOf(await move())).toEqual({ app: "written" });
    rmSync(join(home, ".vault-token"));
    expect(await refusalOf({})).toEqual([2, "there is no token for the Vault"]);
  });

  it("is sent nothing where two tokens are set, or the address is in the clear, or is none", async () => {
    vi.stubEnv("BAO_TOKEN", "another");
    expect(await refusalOf({})).toEqual([2, "VAULT_TOKEN and BAO_TOKEN are both set, and differ"]);
    vi.stubEnv("BAO_TOKEN", TOKEN);
    for (const address of ["http://vault.example:8200", "vault.example", "https://u:p@vault.example", "https://vault.example/?x=1"])
      expect((await refusalOf({ address }))[0], address).toBe(2);
    expect(vault.requests).toEqual([]);
  });

  it("is not followed to another address, and what is no Vault is not taken for an empty one", async () => {
    vault.failing = [{ status: 307, headers: { Location: "https://active.example:8200/v1/x?y" } }];
    expect(await refusalOf({})).toEqual([1, `${new URL(vault.url).host} sends elsewhere, to active.example:8200`]);
    for (const status of [200, 403, 404]) {
      vault.failing = [{ status, body: "<html>" }];
      expect(await refusalOf({})).toEqual([1, `what ${new URL(vault.url).host} answers is not what a Vault or OpenBao answers`]);
    }
  });

  it("says what is missing: a mount, a good token, anything at all", async () => {
    const host = new URL(vault.url).host;
    expect(await refusalOf({})).toEqual([3, "there is nothing in secret"]);
    expect(await refusalOf({ mount: "kv" })).toEqual([4, `${host} has no mount kv for this token, or does not accept the token`]);
    expect(await refusalOf({ mount: "secret/app/db" })).toEqual([2, "secret/app/db is no mount: secret is"]);
    expect(await refusalOf({ mount: ".." })).toEqual([2, "that is not the path of a mount"]);
    vi.stubEnv("VAULT_TOKEN", "bad");
    expect(await refusalOf({ version: "2" })).toEqual([4, `${host} does not let this token list or read secret, or does not accept it`]);
  });

  it("is asked for no path that its own list would lead astray", async () => {
    vault.put("secret", "app", { json: '{"A":"1"}' });
    vault.failing = [
      { status: 200, body: '{"data":{"path":"secret/","type":"kv","options":{"version":"2"}}}' },
      { status: 200, body: '{"data":{"keys":["..","../","/",".","a/b","app"]}}' },
    ];
    expect(statesOf(await move())).toEqual({ "..": "cannot", "../": "cannot", "/": "cannot", ".": "cannot", "a/b": "cannot", app: "written" });
    expect(vault.requests.at(-1)).toBe("GET /v1/secret/data/app");
  });
});

const UNIT = fc.constantFrom(...'"\\{}[]:, a1é\n\u2028\ud800😀');
const TEXT = fc.string({ unit: UNIT });

it("reads the members of every JSON object as JSON.parse does, and keeps numbers as they are written", () => {
  fc.assert(
    fc.property(fc.dictionary(TEXT, fc.jsonValue({ maxDepth: 3, stringUnit: UNIT }), { maxKeys: 6 }), fc.constantFrom(undefined, 2), (object, space) => {
      // Names that are numbers are not in their own order in JavaScript's objects.
      const expected = Object.entries(JSON.parse(JSON.stringify(object))).map(([name, value]) => JSON.stringify([name, JSON.stringify(value)]));
      const found = jsonMembers(JSON.stringify(object, null, space)).map(({ name, json }) => JSON.stringify([name, json]));
      return found.sort().join() === expected.sort().join();
    }),
    { numRuns: 40, seed: Number(process.env.TEST_SEED) },
  );
  expect(jsonMembers('{"a":1.0, "b" : 1E400,"c":{"d":[-0, "\\u0041"]},"a":2}')).toEqual([
    { name: "a", json: "1.0" },
    { name: "b", json: "1E400" },
    { name: "c", json: '{"d":[-0,"A"]}' },
    { name: "a", json: "2" },
  ]);
});

const { BAO } = process.env;

describe.runIf(BAO !== undefined)("a real OpenBao (BAO=/path/of/bao)", () => {
  const JSON_OF_ALL = '{".dockerconfigjson":"{}","2fa":"x","html":{"x":"<&>"},"list":[1,2],"none":null,"on":true,"port":5432,"text":"a<b"}';

  it("is moved as the fake one is", { timeout: 300_000 }, async () => {
    const bao = await startOpenBao(BAO ?? "");
    try {
      vault.mount("old", "1");
      for (const path of ["app", "app/config", "with space/ä%2F?x#"]) {
        const segments = path.split("/").map(encodeURIComponent).join("/");
        for (const mount of ["secret", "old"]) vault.put(mount, path, { json: JSON_OF_ALL });
        await bao.call("POST", `secret/data/${segments}`, `{"data":${JSON_OF_ALL}}`);
        await bao.call("POST", `old/${segments}`, JSON_OF_ALL);
      }
      for (const [path, state] of [
        ["deleted", "data"],
        ["destroyed", "destroy"],
      ] as const) {
        vault.put("secret", path, path);
        await bao.call("POST", `secret/data/${path}`, '{"data":{"a":"b"}}');
        await bao.call(state === "data" ? "DELETE" : "POST", `secret/${state}/${path}`, state === "data" ? undefined : '{"versions":[1]}');
      }
      vault.put("secret", "app", { json: JSON_OF_ALL }, { owner: "ada" });
      await bao.call("POST", "secret/metadata/app", '{"custom_metadata":{"owner":"ada"}}');
      for (let n = 0; n < 1_001; n++) {
        vault.put("secret", `many/app-${n}`, { json: '{"A":"1"}' });
        await bao.call("POST", `secret/data/many/app-${n}`, '{"data":{"A":"1"}}');
      }
      for (const mount of ["secret", "old"]) {
        const from = async (address: string, token: string) => {
          vi.stubEnv("VAULT_TOKEN", token);
          [kept, metadata] = [new Map(), new Map()];
          const moved = await move({ address, mount });
          return { moved, values: [...kept.keys()].sort().map((scope) => [scope, valuesOf(scope)]), metadata: [...metadata] };
        };
        expect(await from(bao.url, bao.token)).toEqual(await from(vault.url, TOKEN));
        expect(kept.size).toBe(mount === "old" ? 2 : 1_003);
      }
    } finally {
      await bao.stop();
    }
  });
});
