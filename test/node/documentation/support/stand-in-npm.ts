import { readFileSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { inject } from "vitest";
import { openDevVars } from "../../../../scripts/local/dev-vars.ts";
import type { Deployment } from "./open-deployment.ts";
import type { Call, StandIn } from "./start-stand-ins.ts";

/** What npm works on. */
interface Machine {
  /** The project's folder. */
  readonly project: string;
  /** A folder on the PATH. */
  readonly bin: string;
  /** What `npm start` serves, and where its data is. */
  readonly local: Deployment;
  readonly data: string;
  readonly vars: () => Record<string, string>;
  readonly wrangler: StandIn;
  /** Told when `npm test` is asked for. */
  readonly onTest: () => void;
}

/** Scripts of package.json that run as they are written there. */
const SCRIPTS = ["token", "keys", "verify-audit", "deploy"];

/** What a project is built to is the same for each document: it is built for the first one, and kept in a folder of the run. */
const BUILT = join(inject("prepared"), "built-by-npm");
const BUILD = `if [ -d "${BUILT}" ]; then rm -rf dist && cp -R "${BUILT}" dist; else node scripts/build.mjs && cp -R dist "${BUILT}"; fi`;

/** Stands in for npm: nothing is installed from anywhere, `npm start` serves until the document is done, and `npm test` does not begin again. */
export function standInNpm(machine: Machine): StandIn {
  const commands: Record<string, (call: Call) => ReturnType<StandIn>> = {
    ci: () => ({ run: ["sh", "-c", `cd "${machine.project}" && node scripts/install.mjs && ${BUILD}`] }),
    "i -g .": () => installGlobally(machine),
    start: (call) => start(machine, call),
    test: () => {
      machine.onTest();
      return {};
    },
    // What it checks is checked before any test runs.
    "run check": () => ({}),
  };
  return async (call) => {
    const command = commands[call.args.join(" ")];
    if (command) return command(call);
    const [run, name = "", ...rest] = call.args.filter((arg) => arg !== "-s");
    if (run === "run" && name === "wrangler" && rest[0] === "--") return machine.wrangler({ ...call, args: rest.slice(1) });
    if (run === "run" && SCRIPTS.includes(name)) return runScript(machine.project, name, rest[0] === "--" ? rest.slice(1) : rest);
    throw new Error("the stand-in for npm has no such command");
  };
}

/** Stands in for npx: wrangler is another stand-in. `keyhole` is no program of it: where the clone is not at hand, the registry has somebody else's. */
export function standInNpx({ wrangler }: Pick<Machine, "wrangler">): StandIn {
  return async (call) => {
    const [tool, ...args] = call.args;
    if (tool === "wrangler") return wrangler({ ...call, args });
    throw new Error("the stand-in for npx has no such program");
  };
}

function installGlobally({ project, bin }: Machine): { stdout: string } {
  rmSync(join(bin, "keyhole"), { force: true });
  symlinkSync(join(project, "bin/keyhole.mjs"), join(bin, "keyhole"));
  return { stdout: "added 1 package\n" };
}

async function start({ project, local, data, vars }: Machine, { env }: Call): Promise<{ stdout: string }> {
  const { kept } = await openDevVars(join(project, ".dev.vars"), data);
  const set = Object.entries(vars()).map(([name, value]) => [name, env[name] ?? value]);
  await local.serve({ ...Object.fromEntries(set), ...kept });
  return { stdout: `Keyhole is ready on ${local.url}\n` };
}

/** A script of package.json with the one that goes before it, as npm runs them: npm's own start takes longer than most of them. */
function runScript(project: string, name: string, args: readonly string[]): { run: [string, ...string[]] } {
  const { scripts } = JSON.parse(readFileSync(join(project, "package.json"), "utf8")) as { scripts: Record<string, string> };
  const before = (scripts[`pre${name}`] ?? ":").replace("node scripts/build.mjs", `{ ${BUILD}; }`);
  return { run: ["sh", "-c", `cd "${project}" && ${before} && ${scripts[name]} "$@"`, name, ...args] };
}
