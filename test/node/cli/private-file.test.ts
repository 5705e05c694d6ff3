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
import { openPageFile, readPages } from "../../../src/cli/page-file.ts";

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

describe("a file of a backup's pages", () => {
  const page = (n: number) => ({ jws: `a.${n}.c`, rows: JSON.stringify([`é ${n}`]) });
  const path = () => join(mkdtempSync(join(folder, "pages-")), "keyhole.backup");
  const append = (file: string, ...pages: { jws: string; rows: string }[]) => {
    const opened = openPageFile(file);
    for (const one of pages) opened.append(one);
    opened.close();
    return opened.last;
  };

  it("goes on after its last whole line, wherever it broke off, and only its owner can read it", async () => {
    const whole = path();
    expect(append(whole, page(1), page(2))).toBeUndefined();
    expect(statSync(whole).mode & 0o777).toBe(0o600);
    const text = readFileSync(whole);
    const [first = ""] = text.toString().split("\n");
    for (const length of [0, 5, first.length + 2, text.length - 1, text.length]) {
      const file = path();
      writeFileSync(file, text.subarray(0, length));
      const lines = text.subarray(0, length).toString().split("\n").length - 1;
      expect(append(file, page(9)), `cut at ${length}`).toEqual([undefined, page(1), page(2)][lines]);
      const pages = [];
      for await (const one of readPages(file)) pages.push(one);
      expect(pages).toEqual([page(1), page(2)].slice(0, lines).concat(page(9)));
    }
  });

  it("is refused when a line is no page", async () => {
    const file = path();
    writeFileSync(file, '{"jws":"a.b.c"}\n');
    expect(() => openPageFile(file)).toThrow("no page of a backup");
    await expect(readPages(file).next()).rejects.toThrow("no page of a backup");
  });
});
