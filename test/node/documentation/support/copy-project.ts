import { cpSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "../../../../scripts/wrangler-config.ts";

const COPIED = ["package.json", "package-lock.json", "wrangler.toml", "tsconfig.json", "bin", "docs", "examples", "migrations", "scripts", "src"];

/** Copies this project as a clone has it, with what is installed here behind a link. */
export function copyProject(folder: string): void {
  const filter = (path: string) => !path.endsWith("node_modules");
  for (const name of COPIED) cpSync(join(ROOT, name), join(folder, name), { recursive: true, filter });
  symlinkSync(join(ROOT, "node_modules"), join(folder, "node_modules"));
}
