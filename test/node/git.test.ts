import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { presetOf } from "../../src/contract/service-presets.ts";
import { tokenFor } from "./cli/support/start-keyhole.ts";
import type { FakeApi } from "./support/uses/fake-apis.ts";
import { hasGitServer, startGitServer } from "./support/uses/git-server.ts";
import { startUseKeyhole, type UseKeyhole } from "./support/uses/keyhole.ts";

const KEY = "ghp_0123456789abcdef";
const FORGE = "https://forge.example/";

describe.skipIf(!hasGitServer())("git, whose addresses lead through Keyhole", () => {
  const folder = mkdtempSync(join(tmpdir(), "keyhole-git-"));
  const [root, work] = [join(folder, "forge"), join(folder, "work")];
  let keyhole: UseKeyhole;
  let forge: FakeApi;
  let token: string;

  beforeAll(async () => {
    mkdirSync(work, { recursive: true });
    for (const repository of ["acme/api", "acme/other"]) {
      const bare = join(root, `${repository}.git`);
      await run(["init", "--quiet", "--bare", "--initial-branch=main", bare]);
      await run(["-C", bare, "config", "http.receivepack", "true"]);
    }
    forge = await startGitServer(root, "x-access-token", KEY);
    keyhole = await startUseKeyhole();
    token = await tokenFor("acme", "secrets:use");
    const { inject, allow, basic } = presetOf("github-git");
    const push = [
      { methods: ["GET"], paths: ["/acme/api.git/info/refs"], query: { service: "git-receive-pack" } },
      { methods: ["POST"], paths: ["/acme/api.git/git-receive-pack"] },
    ];
    await keyhole.serve("git", KEY, { origin: forge.origin, inject: inject("GIT_KEY"), allow: [...allow, ...push], basic, max_body_bytes: 100_000_000 });
  });
  afterAll(async () => {
    await Promise.all([forge, keyhole].map((each) => each?.close()));
    rmSync(folder, { recursive: true, force: true });
  });

  /** Runs git without anything that this machine's own git is told. */
  async function run(args: readonly string[], config: Readonly<Record<string, string>> = {}): Promise<{ code: number; said: string }> {
    const told = { "user.name": "a", "user.email": "a@example.com", "credential.helper": "", ...config };
    const variables = Object.entries(told).flatMap(([key, value], n) => [
      [`GIT_CONFIG_KEY_${n}`, key],
      [`GIT_CONFIG_VALUE_${n}`, value],
    ]);
    const child = spawn("git", args, {
      env: {
        PATH: process.env.PATH,
        HOME: folder,
        GIT_CONFIG_NOSYSTEM: "1",
        GIT_TERMINAL_PROMPT: "0",
        GIT_CONFIG_COUNT: String(Object.keys(told).length),
        ...Object.fromEntries(variables),
      },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let said = "";
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (said += String(chunk)));
    const [code] = (await once(child, "close")) as [number];
    return { code, said };
  }

  /** Git as the documentation has it set up: the token is in no address and no argument. */
  const git = (...args: string[]) =>
    run(args, {
      [`url.${keyhole.url}/use/git/.insteadOf`]: FORGE,
      [`http.${keyhole.url}/use/git/.extraHeader`]: `Authorization: Bearer ${token}`,
    });

  it("clones, commits and pushes where the service lets it, and a pack of 20 MB streams both ways", async () => {
    const [first, second] = [join(work, "first"), join(work, "second")];
    expect(await git("clone", "--quiet", `${FORGE}acme/api.git`, first)).toMatchObject({ code: 0 });
    // What cannot be compressed is as large in a pack.
    writeFileSync(join(first, "large"), randomBytes(20 * 2 ** 20));
    writeFileSync(join(first, "small"), "hello");
    await git("-C", first, "add", ".");
    await git("-C", first, "commit", "--quiet", "-m", "one");
    expect(await git("-C", first, "push", "--quiet", "origin", "HEAD:main")).toEqual({ code: 0, said: "" });
    expect(await git("clone", "--quiet", `${FORGE}acme/api.git`, second)).toEqual({ code: 0, said: "" });
    expect(statSync(join(second, "large")).size).toBe(20 * 2 ** 20);
    expect(readFileSync(join(second, "large")).equals(readFileSync(join(first, "large")))).toBe(true);
    writeFileSync(join(first, "small"), "again");
    await git("-C", first, "commit", "--quiet", "-am", "two");
    await git("-C", first, "push", "--quiet", "origin", "HEAD:main");
    expect(await git("-C", second, "pull", "--quiet")).toEqual({ code: 0, said: "" });
    expect(readFileSync(join(second, "small"), "utf8")).toBe("again");
  });

  it("reads another repository, and cannot push to it", async () => {
    const other = join(work, "other");
    expect(await git("clone", "--quiet", `${FORGE}acme/other.git`, other)).toMatchObject({ code: 0 });
    writeFileSync(join(other, "a"), "a");
    await git("-C", other, "add", ".");
    await git("-C", other, "commit", "--quiet", "-m", "one");
    const { code, said } = await git("-C", other, "push", "origin", "HEAD:main");
    expect([code, said]).toEqual([128, expect.stringContaining("403")]);
    expect(forge.asked.filter((each) => each.includes("other") && each.includes("receive"))).toEqual([]);
  });

  it("sends the token when it is asked for credentials, as the password of an address", async () => {
    const address = new URL("/use/git/acme/api.git", keyhole.url);
    address.username = "x";
    address.password = token;
    expect(await run(["clone", "--quiet", address.href, join(work, "asked")])).toMatchObject({ code: 0 });
  });

  it("is refused with another token, and with none", async () => {
    const none = await run(["clone", "--quiet", `${keyhole.url}/use/git/acme/api.git`, join(work, "none")]);
    expect([none.code, none.said]).toEqual([128, expect.stringMatching(/could not read Username|Authentication failed/)]);
    const before = forge.asked.length;
    const reader = await tokenFor("acme", "secrets:read");
    const config = { [`http.${keyhole.url}/.extraHeader`]: `Authorization: Bearer ${reader}` };
    expect((await run(["clone", "--quiet", `${keyhole.url}/use/git/acme/api.git`, join(work, "reader")], config)).code).toBe(128);
    expect(forge.asked).toHaveLength(before);
  });
});
