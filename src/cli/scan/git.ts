import { type SpawnOptions, spawn, spawnSync } from "node:child_process";
import { CliError } from "../cli-error.ts";

/** How much a list of names may be. */
const MOST = 1024 * 1024 * 1024;
/** What begins no program that a repository names, and changes nothing in it. */
const QUIET = ["--no-optional-locks", "--literal-pathspecs", "-c", "core.fsmonitor=false", "-c", "core.quotePath=false"];

/** What a git command prints, of which each part ends with a NUL. `apart`: whatever the environment says of another repository. */
export function gitLines(args: readonly string[], { apart = false } = {}): string[] {
  const env = apart ? Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("GIT_"))) : process.env;
  const { status, stdout, stderr, error } = spawnSync("git", [...QUIET, ...args], {
    encoding: "utf8",
    env,
    stdio: ["ignore", "pipe", "pipe"],
    maxBuffer: MOST,
  });
  if (error) throw noGit(error);
  if (status !== 0) throw refused(stderr);
  return stdout.split("\0").filter((part) => part !== "");
}

/** What git says of it depends on the machine. */
function refused(stderr: string): CliError {
  const message = stderr.includes("not a git repository") ? "this is no git repository" : `git: ${stderr.trim().split("\n")[0]}`;
  return new CliError(message, "in a folder that is none, --all looks through every file");
}

/** A git command whose input and output are streams. */
export function startGit(args: readonly string[], stdin: "pipe" | "ignore") {
  const options = { stdio: [stdin, "pipe", "inherit"] } satisfies SpawnOptions;
  return spawn("git", [...QUIET, ...args], options);
}

export function noGit(error: Error): CliError {
  return "code" in error && error.code === "ENOENT"
    ? new CliError("there is no git here", "--all looks through every file without it")
    : new CliError(`git: ${error.message}`, "--all looks through every file without it");
}
