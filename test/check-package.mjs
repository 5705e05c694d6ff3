// Checks the package as it would be installed: node test/check-package.mjs
// publint judges package.json and what it names, Are the types wrong how the types are found under each way to resolve them.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { checkPackage, createPackageFromTarballData } from "@arethetypeswrong/core";
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import { packPackage } from "../scripts/pack-package.mjs";

// It is no package for `require`, as its documentation says; and TypeScript's `node10` knows no exports.
const NOT_MEANT = (problem) => problem.kind === "CJSResolvesToESM" || problem.resolutionKind === "node10";

const folder = mkdtempSync(join(tmpdir(), "keyhole-packed-"));
try {
  const tarball = readFileSync(packPackage(folder));
  const buffer = tarball.buffer.slice(tarball.byteOffset, tarball.byteOffset + tarball.byteLength);
  const { messages, pkg } = await publint({ pack: { tarball: buffer }, strict: true });
  const found = messages.map((message) => formatMessage(message, pkg, { color: false }));
  const { problems } = await checkPackage(createPackageFromTarballData(new Uint8Array(buffer)));
  found.push(...problems.filter((problem) => !NOT_MEANT(problem)).map((problem) => JSON.stringify(problem)));
  for (const line of found) console.error(`the package: ${line}`);
  if (found.length > 0) process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true });
}
