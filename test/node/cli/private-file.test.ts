import { spawnSync } from "node:child_process";
import {
  closeSync,
  constants,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { writePrivateFile } from "../../../src/cli/config-folder.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "keyhole-files-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

describe("a file that only its owner may read", () => {
  it("replaces the file that a link leads to, and the link stays", () => {
    const [path, link] = [join(folder, "file"), join(folder, "link")];
    writeFileSync(path, "before", { mode: 0o644 });
    symlinkSync(path, link);
    writePrivateFile(link, "after", folder);
    expect([readFileSync(path, "utf8"), statSync(path).mode & 0o777, lstatSync(link).isSymbolicLink()]).toEqual(["after", 0o600, true]);
  });

  it.runIf(process.platform !== "win32")("goes into a pipe, which stays one", () => {
    const path = join(folder, "pipe");
    spawnSync("mkfifo", [path]);
    const pipe = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
    writePrivateFile(path, "through", folder);
    const read = Buffer.alloc(16);
    expect([read.toString("utf8", 0, readSync(pipe, read)), lstatSync(path).isFIFO()]).toEqual(["through", true]);
    closeSync(pipe);
  });

  it("takes no other file's place while it is written, and leaves none behind", () => {
    const own = mkdtempSync(join(folder, "own-"));
    writeFileSync(join(own, `file.${process.pid}`), "somebody's");
    writePrivateFile(join(own, "file"), "text", own);
    expect(readdirSync(own)).toEqual(["file", `file.${process.pid}`]);
    mkdirSync(join(own, "folder"));
    expect(() => writePrivateFile(join(own, "folder"), "text", own)).toThrow(/EISDIR/);
    expect(readdirSync(own)).toEqual(["file", `file.${process.pid}`, "folder"]);
  });
});
