import { type SpawnSyncOptionsWithStringEncoding, spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "smol-toml";
import type { Deployable } from "./deploy/check-environment.ts";
import { type Plan, planDeployment, queryOf } from "./deploy/plan-deployment.ts";
import { Refusal } from "./local/refusal.ts";
import { fail } from "./settings.ts";
import { shellLine } from "./shell-line.mjs";
import { ROOT } from "./wrangler-config.ts";

const HELP = `Applies the migrations and deploys the Worker, both to the same environment.

  npm run deploy -- [--env NAME] [--dry-run] [options of wrangler deploy]

  --env NAME   an [env.NAME] of wrangler.toml; without it the top level, or what CLOUDFLARE_ENV names
  --dry-run    shows which migrations would be applied and what would be deployed; changes nothing
`;

const args = process.argv.slice(2);
if (args.some((arg) => arg === "--help" || arg === "-h")) {
  console.log(HELP);
  process.exit(0);
}
const plan = planned();
console.log(`${plan.dryRun ? "Nothing is changed. This would be deployed to" : "Deploying to"} ${plan.environment ?? "the top level of wrangler.toml"}.`);
if (plan.dryRun) showMigrations(plan);
else run(plan.migrate);
run(plan.deploy);

function planned(): Plan {
  try {
    return planDeployment(args, process.env, parse(readFileSync(join(ROOT, "wrangler.toml"), "utf8")) as Deployable);
  } catch (error) {
    if (error instanceof Refusal) fail(error.message, error.hint);
    throw error;
  }
}

/** Wrangler's own list makes its table where there is none yet. This one only reads. */
function showMigrations(plan: Plan): void {
  const there = query(plan, "SELECT name FROM sqlite_master WHERE type = 'table' AND name = 'd1_migrations'").length > 0;
  const applied = new Set(there ? query(plan, "SELECT name FROM d1_migrations") : []);
  const files = readdirSync(join(ROOT, "migrations")).filter((name) => name.endsWith(".sql"));
  const open = files.filter((name) => !applied.has(name)).sort();
  console.log(open.length > 0 ? `Migrations that would be applied:\n${open.map((name) => `  ${name}`).join("\n")}` : "No migration is to be applied.");
  const unknown = [...applied].filter((name) => !files.includes(name));
  if (unknown.length > 0) console.error(`The database has migrations that this folder has not (${unknown.join(", ")}): it was deployed from a later version.`);
}

function query(plan: Plan, sql: string): string[] {
  const reply = JSON.parse(run(queryOf(plan, sql), true)) as { results?: { name: string }[] }[];
  return (reply.at(-1)?.results ?? []).map(({ name }) => name);
}

/** Runs wrangler, and ends as it ends where it fails: what comes after a migration that failed would be deployed over another schema. */
function run(command: readonly string[], read = false): string {
  const words = ["run", "-s", "wrangler", "--", ...command];
  const options: SpawnSyncOptionsWithStringEncoding = { cwd: ROOT, encoding: "utf8", stdio: ["inherit", read ? "pipe" : "inherit", "inherit"] };
  const { status, error, stdout } =
    process.platform === "win32" ? spawnSync(shellLine(["npm", ...words]), { ...options, shell: true }) : spawnSync("npm", words, options);
  if (error) fail(`npm could not be run: ${error.message}`, "npm has to be on the PATH");
  if (status !== 0) fail(`wrangler ${command.slice(0, 3).join(" ")} failed, and nothing after it was done`, "what it says is above");
  return stdout ?? "";
}
