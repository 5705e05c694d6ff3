import { execFileSync } from "node:child_process";
import { realpathSync } from "node:fs";
import { type Scope, scopeSchema } from "../../contract/scope.ts";

/** What a folder is most likely called in a deployment: by where its git repository comes from. */
export function suggestRepo(folder: string): Scope | undefined {
  try {
    // Only the repository itself is called as where it comes from, not a folder in it.
    if (realpathSync.native(git(folder, "rev-parse", "--show-toplevel")) !== folder) return undefined;
    return repoOfRemote(git(folder, "config", "--get", "remote.origin.url"));
  } catch {
    // There is no git, no repository, or no remote: then nothing is suggested.
    return undefined;
  }
}

/** The scope for the address of a git repository. Only its path is taken: the rest of an address can hold a password. */
export function repoOfRemote(address: string): Scope | undefined {
  const [, path = ""] = /^[a-z+]+:\/\/[^/]+\/(.*)$/i.exec(address) ?? /^[^/:]+:(?!\/\/)(.*)$/.exec(address) ?? [];
  const scope = scopeSchema.safeParse(`repo:${path.replace(/^\/+|\/+$/g, "").replace(/\.git$/, "")}`);
  return scope.success ? scope.data : undefined;
}

function git(folder: string, ...args: readonly string[]): string {
  // What the environment says of another repository is not about this one.
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("GIT_")));
  return execFileSync("git", ["-C", folder, ...args], { encoding: "utf8", env, stdio: ["ignore", "pipe", "ignore"], timeout: 5000 }).trim();
}
