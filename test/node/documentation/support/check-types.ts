import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { ROOT } from "../../../../scripts/wrangler-config.ts";

/** What the compiler says of blocks in TypeScript: in a copy of this project, in a folder beside the examples, all at once. */
export function checkTypes(project: string, blocks: readonly string[]): string {
  const folder = join(project, "examples/documentation");
  mkdirSync(folder);
  for (const [n, text] of blocks.entries()) writeFileSync(join(folder, `block-${n + 1}.ts`), text);
  const compilerOptions = { types: ["@cloudflare/workers-types", "node"] };
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({ extends: "../../tsconfig.json", compilerOptions, include: ["*.ts"] }));
  const { stdout, stderr } = spawnSync(process.execPath, [join(ROOT, "test/node_modules/typescript/bin/tsc"), "--checkers", "1", "-p", folder], {
    cwd: dirname(folder),
    encoding: "utf8",
  });
  return stdout + stderr;
}
