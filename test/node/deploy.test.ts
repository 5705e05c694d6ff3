import { spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { parse } from "smol-toml";
import { afterAll, describe, expect, it } from "vitest";
import type { Deployable } from "../../scripts/deploy/check-environment.ts";
import { planDeployment } from "../../scripts/deploy/plan-deployment.ts";
import { shellLine } from "../../scripts/shell-line.mjs";
import { ROOT } from "../../scripts/wrangler-config.ts";

const shipped = parse(readFileSync(join(ROOT, "wrangler.toml"), "utf8")) as Deployable;
/** What docs/operations.md has people append to it. */
const example = parse(readFileSync(join(ROOT, "examples/wrangler.staging.toml"), "utf8")) as Deployable;
const config: Deployable = { ...shipped, ...example };
const staging = config.env?.staging ?? {};

const planOf = (args: string[], env: NodeJS.ProcessEnv = {}) => planDeployment(args, env, config);
const commandsOf = (args: string[], env?: NodeJS.ProcessEnv) => {
  const { migrate, deploy } = planOf(args, env);
  return [migrate.join(" "), deploy.join(" ")];
};

describe("what is deployed where", () => {
  const STAGING = ["d1 migrations apply DB --remote --env staging", "deploy --minify --env staging"];

  it("migrates and deploys the top level where nothing else is said", () => {
    expect(commandsOf(["--secrets-file", "a b"])).toEqual(["d1 migrations apply DB --remote", "deploy --minify --secrets-file a b"]);
  });

  it.each([[["--env", "staging"]], [["--env=staging"]], [["-e", "staging"]], [["-estaging"]]])("migrates and deploys the same environment with %s", (args) => {
    expect(commandsOf(args)).toEqual(STAGING);
    expect(commandsOf(["--var", "MAX_VERSIONS:3", ...args, "--keep-vars"])).toEqual([STAGING[0], `${STAGING[1]} --var MAX_VERSIONS:3 --keep-vars`]);
  });

  it("takes the environment that CLOUDFLARE_ENV names, as wrangler does, unless --env names one", () => {
    expect(commandsOf([], { CLOUDFLARE_ENV: "staging" })).toEqual(STAGING);
    expect(() => planOf(["--env", "other"], { CLOUDFLARE_ENV: "staging" })).toThrow("wrangler.toml has no [env.other]");
  });

  it.each([
    ["an environment that wrangler.toml has not", ["--env", "stagin"], "has no [env.stagin]"],
    ["one that is only a member of every object", ["--env", "constructor"], "has no [env.constructor]"],
    ["no name", ["--env"], "needs the name"],
    ["an option in its place", ["--env", "--dry-run"], "needs the name"],
    ["an empty one", ["--env="], "needs the name"],
    ["two", ["--env", "staging", "-e", "other"], "more than once"],
    ["another configuration", ["--config", "other.toml"], "--config is not taken"],
    ["another configuration, in short", ["-c", "other.toml"], "-c is not taken"],
    ["another folder", ["--cwd=elsewhere"], "--cwd is not taken"],
    ["a dry run that is none", ["--dry-run=false"], "takes no value"],
    ["the same in another way", ["--no-dry-run"], "takes no value"],
  ])("refuses %s", (_, args, message) => {
    expect(() => planOf(args)).toThrow(message);
  });

  it("refuses an environment that lacks what it does not inherit, or has a database, a namespace or a rate limit together with another", () => {
    const { MAX_VERSIONS: _, ...vars } = staging.vars ?? {};
    const withStaging = (changed: object) =>
      planDeployment(["--env", "staging"], {}, { ...config, env: { ...config.env, staging: { ...staging, ...changed } } });
    expect(() => withStaging({ vars, ratelimits: [] })).toThrow(
      "lacks what it does not inherit: the var MAX_VERSIONS, the rate limit RESOLVE_LIMIT, the rate limit",
    );
    expect(() => withStaging({ d1_databases: shipped.d1_databases })).toThrow("the database DB is that of the top level");
    expect(() => planDeployment(["--env", "two"], {}, { ...config, env: { staging, two: staging } })).toThrow("the namespace KV is that of staging");
  });
});

it("keeps each argument in one piece where a shell has to run wrangler", () => {
  const line = shellLine(["npm", "run", "--env=staging", "SELECT 'a' & calc", 'say "hi" | x', "C:\\a b\\", "", 'a\\"b']);
  expect(line).toBe(String.raw`npm run --env=staging "SELECT 'a' & calc" "say ""hi"" | x" "C:\a b\\" "" "a\\""b"`);
});

describe("npm run deploy", () => {
  const folder = mkdtempSync(join(tmpdir(), "keyhole-deploy-"));
  afterAll(() => rmSync(folder, { recursive: true }));
  /** In npm's place: it notes how wrangler is called, has a database in which one migration was applied, and fails at what it is told to. */
  const npm = `#!${process.execPath}
const args = process.argv.slice(6);
require("fs").appendFileSync(${JSON.stringify(join(folder, "calls"))}, args.join(" ") + "\\n");
if (args[1] === "execute") console.log(JSON.stringify([{ results: [{ name: args.at(-1).includes("sqlite_master") ? "d1_migrations" : "0001_secrets.sql" }] }]));
if (process.env.FAIL && args.join(" ").startsWith(process.env.FAIL)) process.exit(7);
`;
  writeFileSync(join(folder, "npm"), npm);
  chmodSync(join(folder, "npm"), 0o755);

  function deploy(args: string[], env: Record<string, string> = {}) {
    writeFileSync(join(folder, "calls"), "");
    const PATH = [folder, process.env.PATH].join(delimiter);
    const { status, stdout, stderr } = spawnSync(process.execPath, [join(ROOT, "scripts/deploy.ts"), ...args], { encoding: "utf8", env: { PATH, ...env } });
    return { status, stdout, stderr, calls: readFileSync(join(folder, "calls"), "utf8").trimEnd().split("\n") };
  }

  it("applies the migrations, then deploys", () => {
    expect(deploy(["--secrets-file", "x"])).toMatchObject({ status: 0, calls: ["d1 migrations apply DB --remote", "deploy --minify --secrets-file x"] });
  });

  it("deploys nothing after a migration that failed", () => {
    const { status, stderr, calls } = deploy([], { FAIL: "d1 migrations" });
    expect([status, calls]).toEqual([1, ["d1 migrations apply DB --remote"]]);
    expect(stderr).toContain("wrangler d1 migrations apply failed, and nothing after it was done\nhint: ");
  });

  it("with --dry-run shows the migrations that are not applied, and only reads", () => {
    const { status, stdout, calls } = deploy(["--dry-run"]);
    const [first, ...open] = readdirSync(join(ROOT, "migrations")).sort();
    expect(status).toBe(0);
    expect(calls).toEqual([
      "d1 execute DB --remote --json --command SELECT name FROM sqlite_master WHERE type = 'table' AND name = 'd1_migrations'",
      "d1 execute DB --remote --json --command SELECT name FROM d1_migrations",
      "deploy --minify --dry-run",
    ]);
    for (const name of open) expect(stdout).toContain(`  ${name}\n`);
    expect(stdout).not.toContain(first);
  });

  it("calls nothing where it refuses", () => {
    const { status, stderr, calls } = deploy(["--env", "staging"]);
    expect([status, calls]).toEqual([1, [""]]);
    expect(stderr).toBe("wrangler.toml has no [env.staging]: without it wrangler takes the top level\nhint: examples/wrangler.staging.toml is one to copy\n");
  });
});
