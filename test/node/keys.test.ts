import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { parseEnv } from "node:util";
import { describe, expect, it } from "vitest";

const ROOT = join(import.meta.dirname, "../..");

interface Keyring {
  readonly current: string;
  readonly keys: Record<string, string>;
}

/** Runs the command in an environment that has these Worker secrets. */
function keys(args: readonly string[], secrets: NodeJS.Dict<string> = {}) {
  return spawnSync(process.execPath, [join(ROOT, "scripts/keys.ts"), ...args], { encoding: "utf8", env: { ...process.env, ...secrets } });
}

/** The secrets that the command printed. */
function printed(args: readonly string[], secrets?: NodeJS.Dict<string>): NodeJS.Dict<string> {
  const { status, stdout, stderr } = keys(args, secrets);
  expect(stderr).toBe("");
  expect(status).toBe(0);
  return parseEnv(stdout);
}

function keyringOf({ KEYRING = "" }: NodeJS.Dict<string>): Keyring {
  return JSON.parse(KEYRING) as Keyring;
}

/** The keys of a keyring in the clear, hex, by id. Fails when one does not unwrap. */
async function unwrapped(secrets: NodeJS.Dict<string>): Promise<Record<string, string>> {
  const root = await crypto.subtle.importKey("raw", Buffer.from(secrets.ROOT_KEY ?? "", "base64"), "AES-KW", false, ["unwrapKey"]);
  const entries = Object.entries(keyringOf(secrets).keys).map(async ([id, wrapped]) => {
    const key = await crypto.subtle.unwrapKey("raw", Buffer.from(wrapped, "base64"), root, "AES-KW", "AES-KW", true, ["wrapKey"]);
    return [id, Buffer.from(await crypto.subtle.exportKey("raw", key)).toString("hex")] as const;
  });
  return Object.fromEntries(await Promise.all(entries));
}

const initial = printed(["init"]);

describe("init", () => {
  it("prints a full set of Worker secrets, as lines that .dev.vars takes", async () => {
    expect(Object.keys(initial).sort()).toEqual(["KEYRING", "ROOT_KEY", "SIGNING_KEY"]);
    expect(keyringOf(initial).current).toBe("k1");
    expect(Object.values(await unwrapped(initial))).toEqual([expect.stringMatching(/^[0-9a-f]{64}$/)]);
    expect(JSON.parse(initial.SIGNING_KEY ?? "")).toMatchObject({ kty: "OKP", crv: "Ed25519", kid: expect.stringMatching(/./) });
  });

  it("prints another one each time", () => {
    expect(printed(["init"])).not.toEqual(initial);
  });
});

describe("rotate", () => {
  const rotated = printed(["rotate"], initial);

  it("adds a key, makes it the current one, and keeps the others as they are", async () => {
    expect(Object.keys(rotated)).toEqual(["KEYRING"]);
    expect(keyringOf(rotated)).toEqual({ current: "k2", keys: { ...keyringOf(initial).keys, k2: expect.any(String) } });
    const all = await unwrapped({ ...initial, ...rotated });
    expect(all.k1).toBe((await unwrapped(initial)).k1);
    expect(all.k2).not.toBe(all.k1);
  });

  it("never takes an id that is in use", () => {
    const { current, keys: wrapped } = keyringOf(rotated);
    const gap = JSON.stringify({ current, keys: { k2: wrapped.k2, "2027-01": wrapped.k1, k10: wrapped.k1 } });
    expect(keyringOf(printed(["rotate"], { ...initial, KEYRING: gap })).current).toBe("k11");
  });
});

describe("rewrap-root", () => {
  it("prints a new root key, and the same keys under it", async () => {
    const before = { ...initial, ...printed(["rotate"], initial) };
    const after = printed(["rewrap-root"], before);
    expect(Object.keys(after).sort()).toEqual(["KEYRING", "ROOT_KEY"]);
    expect(after.ROOT_KEY).not.toBe(before.ROOT_KEY);
    expect(keyringOf(after).current).toBe("k2");
    expect(await unwrapped(after)).toEqual(await unwrapped(before));
  });
});

describe("what goes wrong", () => {
  it.each([
    ["no command", [], {}, "no command is given"],
    ["an unknown command", ["rotat"], {}, "rotat is not a command"],
    ["an unknown option", ["init", "--force"], {}, "Unknown option '--force'"],
    ["two commands", ["init", "rotate"], {}, "one command at a time"],
    ["a root key that is not one", ["rotate"], { ...initial, ROOT_KEY: "short" }, "ROOT_KEY is not 256 bits of base64"],
    [
      "a root key of another Worker",
      ["rewrap-root"],
      { ...initial, ROOT_KEY: printed(["init"]).ROOT_KEY },
      "KEYRING: the key k1 does not unwrap under ROOT_KEY",
    ],
  ])("says so in two lines on standard error and prints no secret: %s", (_, args, secrets, message) => {
    const { status, stdout, stderr } = keys(args, secrets);
    expect(status).toBe(1);
    expect(stdout).toBe("");
    expect(stderr.startsWith(message)).toBe(true);
    expect(stderr).toMatch(/^[^\n]+\nhint: [^\n]+\n$/);
  });
});

it("explains itself", () => {
  const { status, stdout } = keys(["--help"]);
  expect(status).toBe(0);
  for (const word of ["init", "rotate", "rewrap-root", ".dev.vars", "wrangler secret bulk", "wrangler secret put"]) expect(stdout).toContain(word);
});
