import { spawnSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";

const INSTALL = join(import.meta.dirname, "../../scripts/install.mjs");
const RUN = { version: "1.0.0", integrity: "sha512-run" };
const TOOL = { version: "2.0.0", integrity: "sha512-tool", dev: true };
const ELSEWHERE = { version: "3.0.0", integrity: "sha512-elsewhere", optional: true };

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "keyhole-install-"));
  mkdirSync(join(folder, "scripts"));
  copyFileSync(INSTALL, join(folder, "scripts/install.mjs"));
  // In npm's place: it writes down what it was asked for.
  writeFileSync(join(folder, "npm.cjs"), 'require("fs").writeFileSync("asked", process.argv.slice(2).join(" "))');
  writeLock({ "": {}, "node_modules/run": RUN, "node_modules/tool": TOOL, "node_modules/elsewhere": ELSEWHERE });
});
afterEach(() => rmSync(folder, { recursive: true }));

function writeLock(packages: object): void {
  writeFileSync(join(folder, "package-lock.json"), JSON.stringify({ packages }));
}

/** What npm notes down of what it has installed. */
function writeInstalled(packages: object): void {
  mkdirSync(join(folder, "node_modules"), { recursive: true });
  writeFileSync(join(folder, "node_modules/.package-lock.json"), JSON.stringify({ packages }));
}

/** What npm is asked for, if it is. */
function asked(): string | undefined {
  const env = { ...process.env, npm_execpath: join(folder, "npm.cjs") };
  const { status, stderr } = spawnSync(process.execPath, [join(folder, "scripts/install.mjs")], { env, encoding: "utf8" });
  if (status !== 0) return stderr;
  return existsSync(join(folder, "asked")) ? readFileSync(join(folder, "asked"), "utf8") : undefined;
}

it("installs what the lock file names where nothing is", () => {
  expect(asked()).toMatch(/^ci --no-audit/);
});

it("installs nothing again that npm ci has installed by hand, for this platform", () => {
  writeInstalled({ "node_modules/run": RUN, "node_modules/tool": TOOL });
  expect(asked()).toBeUndefined();
});

it("adds to what is there what is missing", () => {
  writeInstalled({ "node_modules/run": RUN });
  expect(asked()).toMatch(/^install --no-save --no-audit/);
});

it.each([
  ["another version", { "node_modules/run": { ...RUN, version: "1.0.1" }, "node_modules/tool": TOOL }],
  ["another content", { "node_modules/run": { ...RUN, integrity: "sha512-other" }, "node_modules/tool": TOOL }],
  ["another version of what not every platform has", { "node_modules/run": RUN, "node_modules/tool": TOOL, "node_modules/elsewhere": { ...ELSEWHERE, version: "3.0.1" } }],
])("installs again where %s is installed than the lock file names", (_, packages) => {
  writeInstalled(packages);
  expect(asked()).toMatch(/^install --no-save --no-audit/);
});

it("empties no folder that a link leads to", () => {
  mkdirSync(join(folder, "of-others"));
  symlinkSync(join(folder, "of-others"), join(folder, "node_modules"));
  expect(asked()).toMatch(/^Installing .*\nnode_modules is a link to another folder.*\nhint: remove the link/);
  expect(existsSync(join(folder, "asked"))).toBe(false);
});
