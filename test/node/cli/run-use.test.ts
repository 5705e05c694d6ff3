import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { presetOf } from "../../../src/contract/service-presets.ts";
import { bearerOf, type FakeApi, json, startFakeApi } from "../support/uses/fake-apis.ts";
import { startUseKeyhole, type UseKeyhole } from "../support/uses/keyhole.ts";
import { runProgram } from "./support/run-program.ts";
import { buildKeyhole, tokenFor } from "./support/start-keyhole.ts";

const KEY = "sk-openai-0123456789";
let keyhole: UseKeyhole;
let fake: FakeApi;
let cli: ReturnType<typeof buildKeyhole>;
let env: Record<string, string>;
let own: string;

beforeAll(async () => {
  cli = buildKeyhole();
  keyhole = await startUseKeyhole();
  fake = await startFakeApi(KEY, bearerOf, { error: {} }, (_, response) => json(response, 200, { data: [{ id: "model-1" }] }));
  await keyhole.serve("openai", KEY, { origin: fake.origin, inject: presetOf("openai").inject("OPENAI_KEY"), allow: [...presetOf("openai").allow] });
  // What is a preset's goes to its own origin: nothing is sent there here.
  await keyhole.setSecret("PRESET_KEY", "sk-preset-0123456789", ["127.0.0.1", "api.anthropic.com", "github.com"]);
  for (const name of ["anthropic", "github-git"])
    expect((await keyhole.call("PUT", `/v1/services/${name}`, { preset: name, secret: "PRESET_KEY", scopes: ["global"] })).status).toBe(201);
  expect((await keyhole.call("PUT", "/v1/services/second", { preset: "anthropic", secret: "PRESET_KEY", scopes: ["global"] })).status).toBe(201);
  own = await tokenFor("acme");
  env = { PATH: process.env.PATH ?? "", KEYHOLE_URL: keyhole.url, KEYHOLE_TOKEN: own, HOME: cli.folder };
});
afterAll(async () => {
  await Promise.all([keyhole, fake].map((each) => each?.close()));
  cli?.remove();
});

/** A command that prints its environment, and ends as the script says. */
function run(args: readonly string[], script = "", more: Record<string, string> = {}) {
  const file = join(cli.folder, "child.mjs");
  writeFileSync(file, `process.stdout.write(JSON.stringify(process.env)); ${script}`);
  return runProgram(cli.path, ["run", ...args, "--", process.execPath, file], { env: { ...env, ...more } });
}

const seenBy = ({ stdout }: { stdout: string }) => JSON.parse(stdout) as Record<string, string>;
const statusWith = async (token = "", path = "/v1/whoami") =>
  (await fetch(new URL(path, keyhole.url), { headers: { Authorization: `Bearer ${token}` } })).status;

describe("keyhole run --use", () => {
  it("gives a command the address and a token of each service, and neither a value nor its caller's own token", async () => {
    const ran = await run(["--use", "openai,anthropic", "--use", "github-git"], "", {
      GIT_CONFIG_COUNT: "1",
      GIT_CONFIG_KEY_0: "user.name",
      GIT_CONFIG_VALUE_0: "ada",
    });
    expect([ran.code, ran.stderr]).toEqual([0, ""]);
    const seen = seenBy(ran);
    const at = (name: string) => `${keyhole.url}/use/${name}`;
    expect(seen).toMatchObject({
      KEYHOLE_URL: keyhole.url,
      KEYHOLE_USE_OPENAI: at("openai"),
      KEYHOLE_USE_GITHUB_GIT: at("github-git"),
      ANTHROPIC_BASE_URL: at("anthropic"),
      ANTHROPIC_API_KEY: seen.KEYHOLE_TOKEN,
      GIT_CONFIG_COUNT: "5",
      GIT_CONFIG_KEY_0: "user.name",
      GIT_CONFIG_KEY_1: `url.${at("github-git")}/.insteadOf`,
      GIT_CONFIG_VALUE_1: "https://github.com/",
      GIT_CONFIG_KEY_4: `http.${at("github-git")}/.extraHeader`,
      GIT_CONFIG_VALUE_4: `Authorization: Bearer ${seen.KEYHOLE_TOKEN}`,
    });
    for (const secret of [own, KEY, "sk-preset-0123456789"]) expect(ran.stdout).not.toContain(secret);
    // It is over with the command.
    expect(await statusWith(seen.KEYHOLE_TOKEN)).toBe(401);
  });

  it("takes an empty GIT_CONFIG_COUNT for none, as git does, and refuses one that is no number", async () => {
    expect(seenBy(await run(["--use", "github-git"], "", { GIT_CONFIG_COUNT: "" }))).toMatchObject({ GIT_CONFIG_COUNT: "4" });
    expect((await run(["--use", "github-git"], "", { GIT_CONFIG_COUNT: "1x" })).stderr).toContain("GIT_CONFIG_COUNT is not a number");
  });

  it("gives a token that can use these services, and do nothing else", async () => {
    const script = `
      const ask = async (path, token = process.env.KEYHOLE_TOKEN, method = "GET") =>
        (await fetch(process.env.KEYHOLE_URL + path, { method, headers: { Authorization: "Bearer " + token } })).status;
      const who = await (await fetch(process.env.KEYHOLE_URL + "/v1/whoami", { headers: { Authorization: "Bearer " + process.env.KEYHOLE_TOKEN } })).json();
      process.stdout.write("\\n" + JSON.stringify({
        who, statuses: [await ask("/use/openai/v1/models"), await ask("/use/anthropic/v1/models"), await ask("/v1/secrets"), await ask("/v1/resolve", undefined, "POST"), await ask("/v1/tokens")],
      }));`;
    const [, said = ""] = (await run(["--use", "openai", "--for", "10m"], script)).stdout.split("\n");
    const { who, statuses } = JSON.parse(said);
    expect(statuses).toEqual([200, 403, 403, 403, 403]);
    expect([who.permissions, who.services]).toEqual([["secrets:use"], ["openai"]]);
    expect(Date.parse(who.expires_at) - Date.now()).toBeLessThanOrEqual(600_000);
    expect(fake.asked.at(-1)).toBe("GET /v1/models");
  });

  it.each([
    ["ends by itself", "process.exitCode = 7;", 7],
    ["is killed", 'process.kill(process.pid, "SIGKILL");', 137],
  ])("ends the token when the command %s", async (_, script, code) => {
    const ran = await run(["--use", "openai"], script);
    expect(ran.code).toBe(code);
    expect(await statusWith(seenBy(ran).KEYHOLE_TOKEN)).toBe(401);
    expect(await statusWith(own)).toBe(200);
  });

  it("ends the token when the command cannot be started", async () => {
    const before = (await (await keyhole.call("GET", "/v1/tokens")).json()) as { tokens: { id: string; revoked_at: string | null }[] };
    const { code } = await runProgram(cli.path, ["run", "--use", "openai", "--", "no-such-command-anywhere"], { env });
    expect(code).toBe(127);
    const after = (await (await keyhole.call("GET", "/v1/tokens")).json()) as typeof before;
    const known = new Set(before.tokens.map(({ id }) => id));
    const made = after.tokens.filter(({ id }) => !known.has(id));
    expect(made.map(({ revoked_at }) => revoked_at !== null)).toEqual([true]);
  });

  it.each([
    ["a service that is not there", ["--use", "openai,nowhere"], 3, "there is no service nowhere"],
    ["none", ["--use", ""], 2, "--use is empty"],
    ["two that set one variable", ["--use", "anthropic,second"], 2, "two of the services set ANTHROPIC_BASE_URL"],
    ["--pass-token", ["--use", "openai", "--pass-token"], 2, "with --use the command has a token"],
    ["a duration that is none", ["--use", "openai", "--for", "soon"], 2, "--for is not a duration"],
  ])("starts nothing with %s", async (_, args, code, message) => {
    const ran = await run(args);
    expect([ran.code, ran.stdout]).toEqual([code, ""]);
    expect(ran.stderr).toContain(message);
  });

  it("shows nothing of the token with --mask", async () => {
    const ran = await run(["--use", "anthropic", "--mask"]);
    expect(seenBy(ran)).toMatchObject({ KEYHOLE_TOKEN: "[masked]", ANTHROPIC_API_KEY: "[masked]", ANTHROPIC_BASE_URL: `${keyhole.url}/use/anthropic` });
  });

  it("injects secrets beside them only where that is asked for", async () => {
    expect(seenBy(await run(["--use", "openai"]))).not.toHaveProperty("PRESET_KEY");
    const seen = seenBy(await run(["--use", "openai", "--only", "PRESET_KEY"]));
    expect(seen).toMatchObject({ PRESET_KEY: "sk-preset-0123456789", KEYHOLE_USE_OPENAI: `${keyhole.url}/use/openai` });
    expect(seen).not.toHaveProperty("OPENAI_KEY");
  });
});
