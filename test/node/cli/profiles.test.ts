import { mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type FakeService, startFakeService } from "./support/fake-service.ts";
import { type Outcome, runProgram } from "./support/run-program.ts";
import { buildKeyhole } from "./support/start-keyhole.ts";

let service: FakeService;
let cli: ReturnType<typeof buildKeyhole>;
let home: string;

beforeAll(async () => {
  cli = buildKeyhole();
  service = await startFakeService(() => ({
    json: { org: "acme", sub: "ada", token_id: null, permissions: [], secret_scopes: null, secret_names: null, expires_at: null, lease_seconds: 0 },
  }));
});

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "keyhole-profiles-"));
  return () => rmSync(home, { recursive: true });
});

afterAll(async () => {
  await service?.stop();
  cli?.remove();
});

function keyhole(args: readonly string[], env: Record<string, string> = {}): Promise<Outcome> {
  return runProgram(cli.path, args, { env: { HOME: home, ...env }, stdin: "token" });
}

const login = (env: Record<string, string>, ...args: string[]) => keyhole(["login", service.url, "--stdin", "--plain-file", ...args], env);

async function saved(): Promise<string[]> {
  return JSON.parse((await keyhole(["status", "--json"])).stdout).profiles.sort();
}

describe("a profile", () => {
  it("is the one that KEYHOLE_PROFILE names, for login and logout too", async () => {
    await login({});
    await login({ KEYHOLE_PROFILE: "staging" });
    expect(await saved()).toEqual(["default", "staging"]);
    expect((await keyhole(["logout"], { KEYHOLE_PROFILE: "staging" })).stderr).toContain("Forgot profile staging.");
    expect(await saved()).toEqual(["default"]);
  });

  it("is not there for the name of something that every object has", async () => {
    await login({});
    expect(await keyhole(["logout", "--profile", "toString"])).toMatchObject({ code: 2, stderr: expect.stringContaining("there is no such profile") });
  });

  it("is not lost when several are saved at once", async () => {
    const names = ["a", "b", "c", "d", "e", "f"];
    const logins = await Promise.all(names.map((name) => login({}, "--profile", name)));
    expect(logins.map(({ code }) => code)).toEqual(names.map(() => 0));
    expect(await saved()).toEqual(names);
  });

  it("is saved although a lock was left behind, and leaves none itself", async () => {
    const folder = join(home, ".config/keyhole");
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "lock"), "");
    utimesSync(join(folder, "lock"), 0, 0);
    expect((await login({})).code).toBe(0);
    expect(readdirSync(folder).sort()).toEqual(["config.json", "tokens.json"]);
  });
});
