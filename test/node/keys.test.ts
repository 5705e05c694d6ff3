import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseEnv } from "node:util";
import { afterAll, afterEach, describe, expect, it, vi } from "vitest";
import { parseSigningKeyText } from "../../src/contract/signing-key-text.ts";
import { changeKeysFile } from "../../src/keys-file/change-keys-file.ts";
import { secretLines } from "../../src/keys-file/worker-secrets.ts";
import { importOidcKeys } from "../../src/worker/access/oidc-keys.ts";
import { buildKeyhole } from "./cli/support/start-keyhole.ts";
import { copyOf, type Scene, secretsIn, startScene, tokenFor } from "./support/keys-scene.ts";

const folder = mkdtempSync(join(tmpdir(), "keyhole-keys-command-"));
const keyhole = buildKeyhole();
afterAll(() => {
  rmSync(folder, { recursive: true });
  keyhole.remove();
});

interface Keyring {
  readonly current: string;
  readonly keys: Record<string, string>;
  readonly seals?: string;
  readonly seals_from?: string;
}

/** The public half of the key that signs, as the Worker imports it. */
async function importOidc(text: string) {
  const { jwks } = await importOidcKeys(text);
  return { publicKey: jwks.keys[0] ?? {} };
}

/** Runs the command as `npm run keys` does. */
function npmRunKeys(...args: string[]) {
  return spawnSync(keyhole.path, ["admin", "keys", ...args], { encoding: "utf8", env: { PATH: process.env.PATH } });
}

const keyringOf = ({ KEYRING = "" }: NodeJS.Dict<string>) => JSON.parse(KEYRING) as Keyring;
const kidsOf = (text = "") => parseSigningKeyText(text)?.keys.map(({ kid, d, retired = false }) => ({ kid, private: d !== undefined, retired }));

/** The keys of a keyring in the clear, hex, by id. Fails when one does not unwrap. */
async function unwrapped(secrets: NodeJS.Dict<string>): Promise<Record<string, string>> {
  const root = await crypto.subtle.importKey("raw", Buffer.from(secrets.ROOT_KEY ?? "", "base64"), "AES-KW", false, ["unwrapKey"]);
  const entries = Object.entries(keyringOf(secrets).keys).map(async ([id, wrapped]) => {
    const key = await crypto.subtle.unwrapKey("raw", Buffer.from(wrapped, "base64"), root, "AES-KW", "AES-KW", true, ["wrapKey"]);
    return [id, Buffer.from(await crypto.subtle.exportKey("raw", key)).toString("hex")] as const;
  });
  return Object.fromEntries(await Promise.all(entries));
}

describe("init", () => {
  it("without a file prints a full set of Worker secrets, as lines that .dev.vars takes", async () => {
    const { status, stdout, stderr } = npmRunKeys("init");
    expect([status, stderr]).toEqual([0, ""]);
    const made = parseEnv(stdout);
    expect(Object.keys(made).sort()).toEqual(["KEYRING", "LOG_KEY", "OIDC_KEY", "ROOT_KEY", "SIGNING_KEY"]);
    const { current, keys, seals } = keyringOf(made);
    expect([Object.keys(keys), seals]).toEqual([[expect.stringMatching(/^k_[\w-]{16}$/)], "required"]);
    expect(Object.keys(keys)).toEqual([current]);
    expect(Object.values(await unwrapped(made))).toEqual([expect.stringMatching(/^[0-9a-f]{64}$/)]);
    for (const name of ["SIGNING_KEY", "LOG_KEY"])
      expect(kidsOf(made[name])).toEqual([{ kid: expect.stringMatching(/^[\w-]{43}$/), private: true, retired: false }]);
    expect(npmRunKeys("init").stdout).not.toBe(stdout);
  });

  it("makes a file that only its owner can read", () => {
    const file = join(folder, "made");
    const { status, stdout, stderr } = npmRunKeys("init", "--file", file);
    expect([status, stdout]).toEqual([0, ""]);
    expect(stderr).toContain("Keep a copy");
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(Object.keys(secretsIn(file))).toHaveLength(5);
  });
});

describe("rotate-oidc", () => {
  const oidcKeys = (file: string) => (JSON.parse(secretsIn(file).OIDC_KEY ?? "{}") as { keys: { kid: string; n: string; d?: string }[] }).keys;

  it("makes the first key of a deployment of before, publishes a new one before it signs, and leaves nothing of one that was stolen", async () => {
    const file = join(folder, "oidc");
    writeFileSync(file, "OTHER='stays'\n");
    const first = npmRunKeys("rotate-oidc", "--file", file);
    expect([first.status, first.stdout]).toEqual([0, ""]);
    expect(first.stderr).toContain("PUBLIC_URL");
    const [was, ...none] = oidcKeys(file);
    expect([was?.d !== undefined, none]).toEqual([true, []]);
    const { publicKey } = await importOidc(secretsIn(file).OIDC_KEY ?? "");
    expect(publicKey.n).toBe(was?.n);
    const shape = () => oidcKeys(file).map(({ kid, d }) => [kid, d !== undefined]);
    const added = npmRunKeys("rotate-oidc", "--file", file);
    expect([added.stdout, added.stderr]).toEqual(["", expect.stringContaining("does not sign yet")]);
    const fresh = oidcKeys(file)[1]?.kid;
    expect(shape()).toEqual([
      [was?.kid, true],
      [fresh, true],
    ]);
    const next = npmRunKeys("rotate-oidc", "--file", file);
    expect(next.stdout.trim()).toBe(was?.kid);
    expect(shape()).toEqual([
      [fresh, true],
      [was?.kid, false],
    ]);
    npmRunKeys("rotate-oidc", "--file", file);
    expect(shape()).toEqual([
      [fresh, true],
      [expect.not.stringMatching(`^${was?.kid}$`), true],
    ]);
    const keys = oidcKeys(file);
    const stolen = npmRunKeys("rotate-oidc", "--now", "--file", file);
    expect([stolen.stdout.trim(), stolen.stderr]).toEqual([fresh, expect.stringContaining(`Nothing is left of ${fresh}`)]);
    expect(shape()).toEqual([[expect.any(String), true]]);
    expect(keys.some(({ kid }) => kid === oidcKeys(file)[0]?.kid)).toBe(false);
    const said = [first, added, next, stolen].map(({ stdout, stderr }) => stdout + stderr).join("");
    for (const { d = "nothing" } of [...keys, ...oidcKeys(file)]) expect(said).not.toContain(d);
  });

  it("refuses a key that is none, and leaves it", () => {
    const file = join(folder, "no-oidc");
    writeFileSync(file, "OIDC_KEY='{}'\n");
    const { status, stderr } = npmRunKeys("rotate-oidc", "--file", file);
    expect([status, stderr]).toEqual([1, expect.stringContaining("OIDC_KEY is not a private RSA JWK")]);
    expect(secretsIn(file).OIDC_KEY).toBe("{}");
  });
});

describe("a deployment whose keys are changed", () => {
  let scene: Scene;
  afterEach(() => {
    scene.end();
    vi.restoreAllMocks();
    vi.unstubAllGlobals();
    vi.unstubAllEnvs();
  });
  const put = () => scene.put(secretsIn(scene.file));
  const value = async () => (await scene.ask("GET /v1/resolve/FIRST")).body.value;
  const done = async (...args: string[]) => {
    const { code, out, err } = await scene.keys(...args, "--file", scene.file);
    expect([code, err.startsWith("error")]).toEqual([0, false]);
    for (const secret of Object.values(secretsIn(scene.file))) expect(out + err).not.toContain(secret);
    put();
    return out.trim();
  };

  it("gets a new current key by add and promote, and is rid of the old one by drop once nothing is under it", async () => {
    scene = await startScene();
    const first = await unwrapped(secretsIn(scene.file));
    const [old = ""] = Object.keys(first);
    const fresh = await done("add");
    expect(keyringOf(secretsIn(scene.file)).current).toBe(old);
    await scene.set("BETWEEN");
    expect(await scene.keyOf("BETWEEN")).toBe(old);
    expect(await done("promote")).toBe(old);
    await scene.set("AFTER");
    expect(await scene.keyOf("AFTER")).toBe(fresh);
    const all = await unwrapped(secretsIn(scene.file));
    expect(all[old]).toBe(first[old]);
    expect(all[fresh]).not.toBe(first[old]);
    expect(await scene.schedule()).toMatchObject({ rewrapped: 2 });
    expect((await scene.ask("GET /v1/keys")).body.keys).toContainEqual({
      id: old,
      current: false,
      versions: 0,
      archives: 0,
      seals: 0,
      tokens: 0,
      available: true,
    });
    vi.stubEnv("KEYHOLE_URL", "https://keyhole.test");
    vi.stubEnv("KEYHOLE_TOKEN", await tokenFor(scene.file, "platform"));
    await done("drop", old);
    expect(Object.keys(keyringOf(secretsIn(scene.file)).keys)).toEqual([fresh]);
    expect(await value()).toBe("value of FIRST");
  });

  it("says in JSON what was changed", async () => {
    scene = await startScene();
    const { current } = keyringOf(secretsIn(scene.file));
    const { out } = await scene.keys("add", "--json", "--file", scene.file);
    expect(JSON.parse(out)).toEqual({ file: scene.file, changed: ["KEYRING"], id: expect.stringMatching(/^k_/) });
    expect(JSON.parse((await scene.keys("promote", "--json", "--file", scene.file)).out)).toMatchObject({ before: current, id: JSON.parse(out).id });
  });

  it("lets the seals of a key go with it, and none of the next one's", async () => {
    scene = await startScene();
    const { current: old } = keyringOf(secretsIn(scene.file));
    await done("add");
    await done("promote");
    const text = secretsIn(scene.file).KEYRING ?? "";
    const from = copyOf(scene.file, "from");
    await changeKeysFile(from, () => ({ secrets: { KEYRING: JSON.stringify({ ...JSON.parse(text), seals_from: old }) } }));
    await scene.keys("drop", old, "--assume-unused", "--file", from);
    expect(keyringOf(secretsIn(from))).toMatchObject({ seals: "required", seals_from: keyringOf(secretsIn(from)).current });
  });

  it("has the same keys under a new root key by rewrap-root", async () => {
    scene = await startScene();
    const before = secretsIn(scene.file);
    await done("rewrap-root");
    const after = secretsIn(scene.file);
    expect(after.ROOT_KEY).not.toBe(before.ROOT_KEY);
    expect(await unwrapped(after)).toEqual(await unwrapped(before));
    expect([after.SIGNING_KEY, after.LOG_KEY]).toEqual([before.SIGNING_KEY, before.LOG_KEY]);
    expect(await value()).toBe("value of FIRST");
  });

  it.each(["SIGNING_KEY", "LOG_KEY"] as const)(
    "signs with a new key by rotate-signing, and by retire keeps the public half of the old one: %s",
    async (name) => {
      scene = await startScene();
      const more = name === "LOG_KEY" ? ["--log"] : [];
      const token = await tokenFor(scene.file, "platform");
      const whoami = () => fetch("https://keyhole.test/v1/whoami", { headers: { Authorization: `Bearer ${token}` } });
      await scene.schedule();
      const old = await done("rotate-signing", ...more);
      expect(kidsOf(secretsIn(scene.file)[name])).toEqual([
        { kid: expect.not.stringContaining(old), private: true, retired: false },
        { kid: old, private: true, retired: false },
      ]);
      expect((await whoami()).status).toBe(200);
      await done("retire", old, ...more);
      expect(kidsOf(secretsIn(scene.file)[name])?.[1]).toEqual({ kid: old, private: false, retired: true });
      expect((await whoami()).status).toBe(name === "SIGNING_KEY" ? 401 : 200);
      expect((await scene.ask("GET /v1/audit/verify")).body).toMatchObject({ ok: true, first_bad: null });
    },
  );

  it("that has no LOG_KEY gets one that vouches for what the key of tokens signed, and for nothing that its next ones will", async () => {
    scene = await startScene();
    const { LOG_KEY: _, ...three } = secretsIn(scene.file);
    writeFileSync(scene.file, secretLines(three));
    scene.put({ LOG_KEY: undefined });
    expect(await scene.schedule()).toMatchObject({ log_signed_with: "SIGNING_KEY" });
    expect((await scene.ask("GET /readyz")).body.notices).toEqual([{ part: "log_key", detail: expect.stringContaining("LOG_KEY is not set") }]);
    await done("rotate-signing", "--log");
    const token = kidsOf(three.SIGNING_KEY)?.[0]?.kid;
    expect(kidsOf(secretsIn(scene.file).LOG_KEY)?.[1]).toEqual({ kid: token, private: false, retired: true });
    expect(await scene.schedule()).toMatchObject({ log_signed_with: "LOG_KEY", heads: { unknown: 0 }, sealed: { refused: 0 } });
    expect((await scene.ask("GET /v1/audit/verify")).body).toMatchObject({ ok: true, first_bad: null });
    const kids = async (path: string) => (await scene.ask(`GET /.well-known/${path}`)).body.keys.map(({ kid }: { kid: string }) => kid);
    const logKid = kidsOf(secretsIn(scene.file).LOG_KEY)?.[0]?.kid;
    expect([await kids("jwks.json"), await kids("audit-jwks.json")]).toEqual([[token], [logKid, token]]);
    await done("rotate-signing");
    expect(await kids("audit-jwks.json"), "the next key of tokens vouches for nothing").toEqual([logKid, token]);
  });
});

describe("what goes wrong", () => {
  it.each([
    ["no command", [], "keyhole admin keys needs a command"],
    ["an unknown command", ["rotat"], "there is no command keyhole admin keys rotat"],
    ["an unknown option", ["init", "--force"], "there is no option --force"],
    ["two commands", ["init", "add"], "there are more arguments than keyhole admin keys init takes"],
    ["no id", ["drop", "--file", "x"], "keyhole admin keys drop needs ID"],
  ])("is said in two lines on standard error: %s", (_, args, message) => {
    const { status, stdout, stderr } = npmRunKeys(...args);
    expect([status, stdout]).toEqual([2, ""]);
    expect(stderr.startsWith(`error: ${message}`)).toBe(true);
    expect(stderr).toMatch(/^[^\n]+\nhint: [^\n]+\n$/);
  });
});

it("explains itself", () => {
  const { status, stdout } = npmRunKeys("--help");
  expect(status).toBe(0);
  for (const word of ["init", "add", "promote", "rewrap-root", "rotate-signing", "retire", "drop"]) expect(stdout).toContain(`${word}  `);
});
