import { parseArgs } from "node:util";
import { Refusal } from "../local/refusal.ts";
import { type Deployable, lackingIn, sharedBy } from "./check-environment.ts";

/** What a deployment does, as wrangler is called: one command after the other, each only after the one before. */
export interface Plan {
  /** The environment of wrangler.toml; none is the top level. */
  readonly environment: string | undefined;
  /** Whether nothing may be changed: then it is only looked. */
  readonly dryRun: boolean;
  readonly migrate: readonly string[];
  readonly deploy: readonly string[];
}

const USAGE = "npm run deploy -- [--env NAME] [--dry-run] [options of wrangler deploy]";

/**
 * What to run for the arguments of `npm run deploy`. The migrations and the Worker go to the same environment, whichever way it
 * is named: `--env`, `-e`, or `CLOUDFLARE_ENV`, which wrangler takes too.
 *
 * @throws {Refusal} when it is not clear which environment is meant, or that one does not stand for itself.
 */
export function planDeployment(args: readonly string[], env: NodeJS.ProcessEnv, config: Deployable): Plan {
  const { environment = env.CLOUDFLARE_ENV || undefined, dryRun, rest } = readArguments(args);
  if (environment !== undefined) checkEnvironment(config, environment);
  const where = environment === undefined ? [] : ["--env", environment];
  return {
    environment,
    dryRun,
    migrate: ["d1", "migrations", "apply", "DB", "--remote", ...where],
    deploy: ["deploy", "--minify", ...(dryRun ? ["--dry-run"] : []), ...where, ...rest],
  };
}

/** SQL on the environment's database, which changes nothing: what it finds is JSON on standard output. */
export function queryOf({ environment }: Plan, sql: string): string[] {
  return ["d1", "execute", "DB", "--remote", ...(environment === undefined ? [] : ["--env", environment]), "--json", "--command", sql];
}

/** Options of ours are taken out; what is left goes to wrangler as it is. */
function readArguments(args: readonly string[]): { environment?: string; dryRun: boolean; rest: string[] } {
  const { tokens } = parseArgs({
    args: [...args],
    options: { env: { type: "string", short: "e" }, "dry-run": { type: "boolean" } },
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const options = tokens.filter((token) => token.kind === "option");
  // Another configuration would be checked by nobody, and the folder is where the migrations are.
  const elsewhere = options.find(({ name }) => ["config", "c", "cwd"].includes(name));
  if (elsewhere) throw new Refusal(`${elsewhere.rawName} is not taken: what is deployed is the wrangler.toml of this folder`, USAGE);
  const environments = options.filter(({ name }) => name === "env");
  if (environments.length > 1) throw new Refusal("--env is there more than once", USAGE);
  const [environment] = environments;
  if (environment && (!environment.value || environment.value.startsWith("-"))) throw new Refusal("--env needs the name of an environment", USAGE);
  const dry = options.filter(({ name }) => name === "dry-run");
  if (dry.some(({ value }) => value !== undefined) || options.some(({ name }) => name === "no-dry-run"))
    throw new Refusal("--dry-run takes no value", `${USAGE}; leave it out to deploy`);
  const ours = new Set(
    [...environments, ...dry].flatMap((token) => (token.value !== undefined && !token.inlineValue ? [token.index, token.index + 1] : [token.index])),
  );
  return { ...(environment?.value && { environment: environment.value }), dryRun: dry.length > 0, rest: args.filter((_, index) => !ours.has(index)) };
}

function checkEnvironment(config: Deployable, name: string): void {
  const environment = Object.hasOwn(config.env ?? {}, name) ? config.env?.[name] : undefined;
  const known = Object.keys(config.env ?? {});
  if (!environment)
    throw new Refusal(
      `wrangler.toml has no [env.${name}]: without it wrangler takes the top level`,
      known.length > 0 ? `there is: ${known.join(", ")}` : "examples/wrangler.staging.toml is one to copy",
    );
  const lacking = lackingIn(config, environment);
  if (lacking.length > 0)
    throw new Refusal(`[env.${name}] lacks what it does not inherit: ${lacking.join(", ")}`, "write them there too, as in examples/wrangler.staging.toml");
  const shared = sharedBy(config, name);
  if (shared.length > 0)
    throw new Refusal(`[env.${name}] is not by itself: ${shared.join(", ")}`, "make a database and a namespace of its own, and put their ids there");
}
