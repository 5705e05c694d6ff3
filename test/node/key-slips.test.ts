import { mkdirSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { applyMigrations } from "../../scripts/local/apply-migrations.ts";
import { openDevVars } from "../../scripts/local/dev-vars.ts";
import { withDatabase } from "../../scripts/local/storage.ts";
import { ROOT } from "../../scripts/wrangler-config.ts";
import { addKey } from "../../src/keys-file/add-key.ts";
import { changeKeysFile } from "../../src/keys-file/change-keys-file.ts";
import { rotateSigning } from "../../src/keys-file/rotate-signing.ts";
import { importRootKey, newWrappedKey } from "../../src/keys-file/wrapped-key.ts";
import { copyOf, type Scene, secretsIn, startScene, tokenFor } from "./support/keys-scene.ts";

/** What an operator does that keys could be lost by. */
interface Slip {
  /** Does it, and returns all that was said: by commands, by `/readyz`, by replies. */
  readonly act: (scene: Scene) => Promise<string>;
  /** What has to be among it. `act` writes `KEY` for the id that it is about. */
  readonly says: readonly (string | RegExp)[];
}

/** Everything that a deployment says of its state to somebody who looks, at `/readyz` and in its log. */
async function stateOf(scene: Scene): Promise<string> {
  const logged = vi.spyOn(console, "error").mockImplementation(() => {});
  const { status, body } = await scene.ask("GET /readyz");
  const lines = logged.mock.calls.flat();
  logged.mockRestore();
  return [status, JSON.stringify(body), ...lines].join(" ");
}

const onePut = (scene: Scene, names: readonly string[], file = scene.file) =>
  scene.put(Object.fromEntries(Object.entries(secretsIn(file)).filter(([name]) => names.includes(name))));

const currentIn = (file: string): string => JSON.parse(secretsIn(file).KEYRING ?? "").current;
const idsIn = (file: string): string[] => Object.keys(JSON.parse(secretsIn(file).KEYRING ?? "").keys);

/** A new current key as the drill has it: added, on the Worker, promoted, on the Worker. */
async function rotate(scene: Scene, file = scene.file): Promise<void> {
  for (const verb of ["add", "promote"]) {
    expect((await scene.keys(verb, "--file", file)).code).toBe(0);
    scene.put(secretsIn(file));
  }
}

async function dropped(scene: Scene, id: string, org = "platform"): Promise<string> {
  vi.stubEnv("KEYHOLE_URL", "https://keyhole.test");
  vi.stubEnv("KEYHOLE_TOKEN", await tokenFor(scene.file, org));
  const before = readFileSync(scene.file, "utf8");
  const { code, err } = await scene.keys("drop", id, "--file", scene.file);
  expect(code).not.toBe(0);
  expect(readFileSync(scene.file, "utf8")).toBe(before);
  return err;
}

/** Three keys, and keyrings of the time when ids said nothing of their keys, beside the key that the deployment has. */
async function oldKind(scene: Scene) {
  const { ROOT_KEY = "", KEYRING = "" } = secretsIn(scene.file);
  const root = await importRootKey(ROOT_KEY);
  const [first, second, wrong] = await Promise.all([newWrappedKey(root), newWrappedKey(root), newWrappedKey(root)]);
  const secrets = (current: string, keys: object) => ({ ROOT_KEY, KEYRING: JSON.stringify({ current, keys: { ...JSON.parse(KEYRING).keys, ...keys } }) });
  return { first, second, wrong, secrets };
}

/** A command that has to refuse, and leave the file as it is. */
async function refused(scene: Scene, ...args: string[]): Promise<string> {
  const before = readFileSync(scene.file, "utf8");
  const { code, out, err } = await scene.keys(...args, "--file", scene.file);
  expect(code).not.toBe(0);
  expect(out).toBe("");
  expect(err).toMatch(/^error: [^\n]+\nhint: [^\n]+\n$/);
  expect(readFileSync(scene.file, "utf8")).toBe(before);
  return err;
}

const SLIPS: Readonly<Record<string, Slip>> = {
  "rotates, and then rewraps the root of a copy that was read before": {
    async act(scene) {
      const copy = copyOf(scene.file, "copy");
      await rotate(scene);
      await scene.set("SECOND");
      await scene.keys("rewrap-root", "--file", copy);
      scene.put(secretsIn(copy));
      expect((await scene.ask("GET /v1/resolve/FIRST")).body.value).toBe("value of FIRST");
      const lost = await scene.ask("GET /v1/resolve/SECOND");
      expect(await scene.schedule()).toMatchObject({ rewrapped: 0 });
      expect(await scene.keyOf("SECOND")).toBe(currentIn(scene.file));
      return `${await stateOf(scene)} ${lost.status} ${lost.body.detail}`.replaceAll(currentIn(scene.file), "KEY");
    },
    says: [
      /^200 .*"status":"degraded"/,
      "KEYRING lacks the key KEY, and versions are under it",
      "503 A row of secrets is sealed under the key KEY, which is not in the keyring here",
    ],
  },
  "rotates, and then rewraps the root, in one file": {
    async act(scene) {
      await rotate(scene);
      await scene.set("SECOND");
      const ids = idsIn(scene.file);
      const { err } = await scene.keys("rewrap-root", "--file", scene.file);
      expect(idsIn(scene.file)).toEqual(ids);
      scene.put(secretsIn(scene.file));
      return `${err} ${await stateOf(scene)}`;
    },
    says: ["Put both on the Worker in one go", /200 .*"status":"ready"/],
  },
  "adds a key to each of two copies of one file, and puts one and then the other": {
    async act(scene) {
      const other = copyOf(scene.file, "other");
      await rotate(scene);
      await scene.set("SECOND");
      const mine = currentIn(scene.file);
      for (const verb of ["add", "promote"]) await scene.keys(verb, "--file", other);
      expect(currentIn(other)).not.toBe(mine);
      scene.put(secretsIn(other));
      const state = await stateOf(scene);
      await scene.schedule();
      expect(await scene.keyOf("SECOND"), "nothing under the key that is missing is touched").toBe(mine);
      // The way back: the copy's key is in use by now, so both have to be in one keyring, which have one root key.
      const keyring = JSON.parse(secretsIn(scene.file).KEYRING ?? "");
      const keys = { ...JSON.parse(secretsIn(other).KEYRING ?? "").keys, ...keyring.keys };
      writeFileSync(scene.file, readFileSync(scene.file, "utf8").replace(/^KEYRING=.*$/m, `KEYRING='${JSON.stringify({ ...keyring, keys })}'`));
      return state.replaceAll(mine, "KEY");
    },
    says: ["KEYRING lacks the key KEY, and versions are under it", '"status":"degraded"'],
  },
  "has two keys of the old kind under one id": {
    async act(scene) {
      const { first, second, wrong, secrets } = await oldKind(scene);
      const right = secrets("k2", { k1: first.wrapped, k2: second.wrapped });
      scene.put(secrets("k1", { k1: first.wrapped }));
      await scene.set("OLD");
      scene.put(right);
      await scene.set("SECOND");
      scene.put(secrets("k2", { k1: first.wrapped, k2: wrong.wrapped }));
      const state = await stateOf(scene);
      const { status, body } = await scene.set("THIRD");
      expect([status, body.detail]).toEqual([503, expect.stringContaining("the key k2 is another one")]);
      expect(await scene.schedule()).toMatchObject({ rewrapped: 0 });
      expect(await scene.keyOf("OLD"), "nothing is re-wrapped under the wrong key").toBe("k1");
      const { keys } = (await scene.ask("GET /v1/keys")).body;
      await changeKeysFile(scene.file, () => ({ secrets: right }));
      return `${state} ${JSON.stringify(keys.find(({ id }: { id: string }) => id === "k2"))}`;
    },
    says: [/^503 /, "KEYRING: the key k2 is another one than what is under this id was wrapped with", /"id":"k2","current":true,.*"available":false/],
  },
  "has an old key of the old kind that is another one": {
    async act(scene) {
      const { first, second, wrong, secrets } = await oldKind(scene);
      const right = secrets("k2", { k1: first.wrapped, k2: second.wrapped });
      scene.put(secrets("k1", { k1: first.wrapped }));
      await scene.set("OLD");
      scene.put(secrets("k2", { k1: wrong.wrapped, k2: second.wrapped }));
      await scene.set("SECOND");
      expect((await scene.ask("GET /v1/resolve/SECOND")).body.value).toBe("value of SECOND");
      const state = await stateOf(scene);
      expect(await scene.schedule()).toMatchObject({ rewrapped: 1, backlog: { set_aside: 0 } });
      await changeKeysFile(scene.file, () => ({ secrets: right }));
      return state;
    },
    says: [/^200 .*"status":"degraded"/, "KEYRING: the key k1 is another one"],
  },
  "puts ROOT_KEY without KEYRING": {
    async act(scene) {
      await scene.keys("rewrap-root", "--file", scene.file);
      onePut(scene, ["ROOT_KEY"]);
      expect((await scene.set("LATER")).status).toBe(503);
      return stateOf(scene);
    },
    says: [/^503 /, "does not unwrap under ROOT_KEY"],
  },
  "puts KEYRING without ROOT_KEY": {
    async act(scene) {
      await scene.keys("rewrap-root", "--file", scene.file);
      onePut(scene, ["KEYRING"]);
      expect((await scene.set("LATER")).status).toBe(503);
      return stateOf(scene);
    },
    says: [/^503 /, "does not unwrap under ROOT_KEY"],
  },
  "drops a key under which something is": {
    async act(scene) {
      const [old = ""] = idsIn(scene.file);
      await rotate(scene);
      return (await dropped(scene, old)).replaceAll(old, "KEY");
    },
    says: ["error: the key is in use: 1 versions and 1 seals are under KEY"],
  },
  "drops a key with a token that does not see what others have under it": {
    async act(scene) {
      const [old = ""] = idsIn(scene.file);
      await rotate(scene);
      return dropped(scene, old, "acme");
    },
    says: ["error: this token sees what is under a key in its own organization only\nhint: use a token of PLATFORM_ORG"],
  },
  "drops a key, and asks another deployment": {
    async act(scene) {
      const [old = ""] = idsIn(scene.file);
      for (const verb of ["add", "promote"]) await scene.keys(verb, "--file", scene.file);
      const elsewhere = join(scene.folder, "elsewhere");
      await scene.keys("init", "--file", elsewhere);
      onePut(scene, ["ROOT_KEY", "KEYRING"], elsewhere);
      return dropped(scene, old);
    },
    says: ["error: https://keyhole.test has other keys than this file\nhint: "],
  },
  "drops a key that the Worker still has as its current one": {
    async act(scene) {
      const [old = ""] = idsIn(scene.file);
      for (const verb of ["add", "promote"]) await scene.keys(verb, "--file", scene.file);
      return dropped(scene, old);
    },
    says: ["is still the current key of https://keyhole.test\nhint: "],
  },
  "drops the current key": {
    act: (scene) => refused(scene, "drop", currentIn(scene.file), "--assume-unused"),
    says: ["is the current key\nhint: add makes another one"],
  },
  "adds a key while another one waits to be promoted": {
    async act(scene) {
      await scene.keys("add", "--file", scene.file);
      return refused(scene, "add");
    },
    says: ["error: KEYRING has a new key already", "hint: promote makes it the current one"],
  },
  "promotes where there is nothing to promote": { act: (scene) => refused(scene, "promote"), says: ["hint: add makes one"] },
  "promotes before the key is everywhere": {
    async act(scene) {
      const isolate = secretsIn(scene.file);
      await rotate(scene);
      await scene.set("SECOND");
      const everywhere = secretsIn(scene.file);
      scene.put(isolate);
      const { status, body } = await scene.ask("GET /v1/resolve/SECOND");
      const state = await stateOf(scene);
      scene.put(everywhere);
      return `${status} ${body.code} ${body.detail} ${state}`.replaceAll(currentIn(scene.file), "KEY");
    },
    says: ["503 storage-unavailable", "is sealed under the key KEY", "KEYRING lacks the key KEY"],
  },
  "says rotate, as it was": { act: (scene) => refused(scene, "rotate"), says: ["hint: add, and ten minutes after the Worker got it, promote"] },
  "retires the key that signs": {
    act: (scene) => refused(scene, "retire", JSON.parse(secretsIn(scene.file).SIGNING_KEY ?? "").kid),
    says: ["is the key that signs\nhint: rotate-signing puts another one before it"],
  },
  "retires the log's key that signs": {
    act: (scene) => refused(scene, "retire", JSON.parse(secretsIn(scene.file).LOG_KEY ?? "").keys[0].kid, "--log"),
    says: ["is the key that signs\nhint: rotate-signing"],
  },
  "signs tokens and the log with one key": {
    async act(scene) {
      const right = secretsIn(scene.file);
      scene.put({ LOG_KEY: right.SIGNING_KEY });
      const state = await stateOf(scene);
      scene.put(right);
      return state;
    },
    says: [/^503 .*"part":"log_key"/, "LOG_KEY holds a key of SIGNING_KEY"],
  },
  "makes keys in a file that has keys": {
    act: (scene) => refused(scene, "init"),
    says: ["error: there are keys in the file: ROOT_KEY, KEYRING, SIGNING_KEY, LOG_KEY, OIDC_KEY\nhint: name another file"],
  },
  "names no file": { act: async (scene) => (await scene.keys("add")).err, says: ["error: the file of Worker secrets is not named\nhint: --file FILE"] },
  "names a file that is not there": {
    async act(scene) {
      const { err } = await scene.keys("add", "--file", join(scene.folder, "nowhere"));
      expect(readdirSync(scene.folder)).toEqual(["keyhole.secrets"]);
      return err;
    },
    says: ["error: KEYRING is not set\nhint: "],
  },
  "names a folder": {
    async act(scene) {
      mkdirSync(join(scene.folder, "folder"));
      return (await scene.keys("add", "--file", join(scene.folder, "folder"))).err;
    },
    says: ["is not a file\nhint: "],
  },
  "names an empty file": {
    async act(scene) {
      writeFileSync(join(scene.folder, "empty"), "");
      return (await scene.keys("rewrap-root", "--file", join(scene.folder, "empty"))).err;
    },
    says: ["error: KEYRING is not set\nhint: "],
  },
  "names a file that is something else": {
    async act(scene) {
      const garbage = join(scene.folder, "garbage");
      writeFileSync(garbage, Buffer.from([0x89, 0x50, 0x4e, 0x47, 0, 0xff, 0xfe]));
      const said = (await scene.keys("init", "--file", garbage)).err;
      expect(readFileSync(garbage)).toHaveLength(7);
      return said;
    },
    says: ["is no text\nhint: "],
  },
  "has a secret twice in the file": {
    async act(scene) {
      const twice = copyOf(scene.file, "twice");
      writeFileSync(twice, `${readFileSync(twice, "utf8")}ROOT_KEY='x'\n`);
      return (await scene.keys("add", "--file", twice)).err;
    },
    says: ["has ROOT_KEY twice\nhint: "],
  },
  "has a keyring that was cut off": {
    async act(scene) {
      const cut = copyOf(scene.file, "cut");
      writeFileSync(cut, readFileSync(cut, "utf8").replace(/^KEYRING='(.*).{60}'$/m, "KEYRING='$1'"));
      return (await scene.keys("add", "--file", cut)).err;
    },
    says: ["error: KEYRING is not {", "\nhint: "],
  },
  "deletes .dev.vars, and starts again": {
    async act(scene) {
      await withDatabase(scene.folder, async (db) => {
        await applyMigrations(db, join(ROOT, "migrations"));
        await db.batch([
          db.prepare(
            "INSERT INTO secrets (id, org, scope, name, version, revision, created_at, created_by, updated_at, updated_by, rotated_at) VALUES ('s', 'o', 'global', 'N', 1, 1, 0, 'a', 0, 'a', 0)",
          ),
          db.prepare("INSERT INTO versions (secret_id, version, encoding, created_at, created_by, legacy_plaintext) VALUES ('s', 1, 'utf8', 0, 'a', 'v')"),
        ]);
      });
      const refusal = await openDevVars(join(scene.folder, ".dev.vars"), scene.folder).catch((error: Error & { hint: string }) => error);
      return `${"message" in refusal && refusal.message}\nhint: ${"hint" in refusal && refusal.hint}`;
    },
    says: [".dev.vars is gone", "hint: put the file back"],
  },
};

let scene: Scene;
beforeEach(async () => {
  vi.spyOn(console, "error").mockReturnValue();
  scene = await startScene();
});
afterEach(() => {
  scene.end();
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
  vi.unstubAllEnvs();
});

describe("an operator who", () => {
  it.each(Object.entries(SLIPS))("%s is told, and loses nothing", async (_, { act, says }) => {
    const said = await act(scene);
    for (const words of says) expect(said).toMatch(typeof words === "string" ? new RegExp(words.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")) : words);
    for (const secret of Object.values(secretsIn(scene.file))) expect(said).not.toContain(secret);
    scene.put(secretsIn(scene.file));
    expect((await scene.ask("GET /readyz")).body).toMatchObject({ status: "ready", unusable: [], degraded: [] });
    for (const { name } of (await scene.ask("GET /v1/secrets")).body.secrets)
      expect((await scene.ask(`GET /v1/resolve/${name}`)).body.value).toBe(`value of ${name}`);
  });
});

describe("a file of Worker secrets", () => {
  const mode = (path: string) => (statSync(path).mode & 0o777).toString(8);

  it("and what it was before can be read by nobody else, also when they could be", async () => {
    writeFileSync(`${scene.file}.previous`, "", { mode: 0o644 });
    const open = join(scene.folder, "open");
    writeFileSync(open, readFileSync(scene.file), { mode: 0o644 });
    renameSync(open, scene.file);
    const before = readFileSync(scene.file, "utf8");
    expect(mode(scene.file)).toBe("644");
    await scene.keys("add", "--file", scene.file);
    expect([mode(scene.file), mode(`${scene.file}.previous`)]).toEqual(["600", "600"]);
    expect(readFileSync(`${scene.file}.previous`, "utf8")).toBe(before);
    expect(readdirSync(scene.folder).sort()).toEqual(["keyhole.secrets", "keyhole.secrets.previous"]);
  });

  it("keeps its other lines as they are", async () => {
    writeFileSync(scene.file, `# ours\nISSUER="me" # who\n${readFileSync(scene.file, "utf8")}export OTHER=1`);
    await scene.keys("rewrap-root", "--file", scene.file);
    expect(readFileSync(scene.file, "utf8")).toMatch(
      /^# ours\nISSUER="me" # who\nROOT_KEY='.*'\nKEYRING='.*'\nSIGNING_KEY='.*'\nLOG_KEY='.*'\nOIDC_KEY='.*'\nexport OTHER=1\n$/,
    );
  });

  it.each([
    ["the disk is full", { write: () => fail("ENOSPC"), rename: renameSync }],
    [
      "the disk is full for what it was before",
      {
        write: (path: string, text: string) => (readdirSync(join(path, "..")).length > 1 ? fail("ENOSPC") : writeFileSync(path, text)),
        rename: renameSync,
      },
    ],
    ["it stops between write and rename", { write: (path: string, text: string) => writeFileSync(path, text), rename: () => fail("EIO") }],
  ])("is what it was, and whole, when %s", async (_, steps) => {
    const before = readFileSync(scene.file, "utf8");
    await expect(changeKeysFile(scene.file, addKey, steps)).rejects.toThrow(/ENOSPC|EIO/);
    expect(readFileSync(scene.file, "utf8")).toBe(before);
    expect(readdirSync(scene.folder)).toEqual(["keyhole.secrets"]);
    expect((await scene.keys("add", "--file", scene.file)).code, "and can be changed afterwards").toBe(0);
  });

  it("has the keys of two changes at once", async () => {
    const kids = await Promise.all([0, 1].map(() => changeKeysFile(scene.file, (secrets) => rotateSigning(secrets, "SIGNING_KEY"))));
    const { keys } = JSON.parse(secretsIn(scene.file).SIGNING_KEY ?? "") as { keys: { kid: string }[] };
    expect(
      keys
        .map(({ kid }) => kid)
        .slice(0, 2)
        .sort(),
    ).toEqual(kids.map(({ kid }) => kid).sort());
  });

  it("gets one new key when two are added at once, and the other one is refused", async () => {
    const added = await Promise.allSettled([0, 1].map(() => changeKeysFile(scene.file, addKey)));
    expect(added.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
    const [done] = added.flatMap((outcome) => (outcome.status === "fulfilled" ? [outcome.value.id] : []));
    expect(idsIn(scene.file)).toEqual([currentIn(scene.file), done]);
  });
});

function fail(code: string): never {
  throw Object.assign(new Error(code), { code, syscall: "write" });
}
