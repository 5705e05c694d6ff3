import { spawnSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  closeSync,
  constants,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { writePrivateFile } from "../../../src/cli/config-folder.ts";
import { mountFiles, requireFileNames } from "../../../src/cli/mount-files.ts";
import { openPageFile, readPages } from "../../../src/cli/page-file.ts";
import { openTo, writeOutput } from "../../../src/cli/write-output.ts";

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

describe("a file with values, for a program to read", () => {
  it.each([
    ["is the owner's alone where there was none", undefined, undefined, 0o600],
    ["keeps the mode of the one that it replaces", 0o640, undefined, 0o640],
    ["has the mode that was asked for", 0o644, 0o440, 0o440],
  ])("%s", (name, before, asked, after) => {
    const path = join(folder, name);
    if (before !== undefined) writeFileSync(path, "longer than it will be", { mode: before });
    writeOutput(path, "values", asked);
    expect([readFileSync(path, "utf8"), statSync(path).mode & 0o777]).toEqual(["values", after]);
  });

  it.runIf(process.getuid?.() === 0)("keeps the owner of the one that it replaces", () => {
    const path = join(folder, "owned");
    writeFileSync(path, "before");
    chownSync(path, 12, 34);
    writeOutput(path, "values", undefined);
    expect([statSync(path).uid, statSync(path).gid]).toEqual([12, 34]);
  });

  it.each([
    [7, 0o600, undefined],
    [7, 0o400, undefined],
    [7, 0o660, "its group"],
    [7, 0o620, "its group"],
    [7, 0o644, "everybody on this machine"],
    [8, 0o600, "user 8, whose it is"],
    [8, 0o664, "user 8, whose it is and everybody on this machine"],
  ])("of user %i with mode %o is, to user 7, open to %s", (uid, mode, others) => {
    expect(openTo({ uid, mode: 0o100_000 | mode }, 7)).toBe(others);
  });

  it("says afterwards whose it is, and with which mode", () => {
    const path = join(folder, "said");
    expect(writeOutput(path, "values", undefined)).toMatchObject({ uid: statSync(path).uid, mode: 0o100_600 });
    chmodSync(path, 0o660);
    expect(writeOutput(path, "values", undefined)?.mode).toBe(0o100_660);
    expect(writeOutput("/dev/null", "values", undefined)).toBeUndefined();
  });

  it.each(["EBUSY", "EPERM", "EACCES"])("is written over where it cannot be replaced (%s), and stays the same file", (code) => {
    const path = join(folder, code);
    writeFileSync(path, "longer than it will be", { mode: 0o600 });
    const { ino } = statSync(path);
    writeOutput(path, "values", 0o640, () => {
      throw Object.assign(new Error(code), { code });
    });
    expect([readFileSync(path, "utf8"), statSync(path).ino, statSync(path).mode & 0o777]).toEqual(["values", ino, 0o640]);
    expect(readdirSync(folder).filter((name) => name.startsWith(`${code}.`))).toEqual([]);
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
    for (const text of [
      '{"jws":"a.b.c"}\n',
      "a letter",
      "a letter\nof two lines",
      `a letter\n${JSON.stringify(page(1))}\n`,
      `${JSON.stringify(page(1))}\na letter`,
    ]) {
      const other = path();
      writeFileSync(other, text);
      expect(() => openPageFile(other), text).toThrow("no page of a backup");
      expect(readFileSync(other, "utf8")).toBe(text);
    }
    await expect(readPages(file).next()).rejects.toThrow("no page of a backup");
  });
});

describe("a folder with a file for each value", () => {
  const files = { TLS_KEY: Buffer.from([0, 255]), other: Buffer.from("text") };

  it("is there with all of them, for this user alone, and taken away with nothing else", () => {
    const place = join(folder, "mounted/here");
    const takeAway = mountFiles(place, files);
    expect(readFileSync(join(place, "TLS_KEY"))).toEqual(files.TLS_KEY);
    expect([place, join(place, "TLS_KEY")].map((path) => statSync(path).mode & 0o777)).toEqual([0o700, 0o600]);
    expect(readdirSync(join(folder, "mounted"))).toEqual(["here"]);
    takeAway();
    expect(readdirSync(join(folder, "mounted"))).toEqual([]);
    const again = mountFiles(place, files);
    writeFileSync(join(place, "extra"), "of the command");
    again();
    expect(readdirSync(place)).toEqual(["extra"]);
  });

  it("is not made where something is, and a link is not followed", () => {
    const taken = join(folder, "taken");
    mkdirSync(taken);
    const link = join(folder, "link-to-taken");
    symlinkSync(taken, link);
    for (const place of [taken, link, `${link}/`]) expect(() => mountFiles(place, files)).toThrow(/is there already/);
    expect(readdirSync(taken)).toEqual([]);
  });

  it("of somebody else that stands there at the end stays as it is", () => {
    const place = join(folder, "replaced");
    const takeAway = mountFiles(place, files);
    renameSync(place, join(folder, "moved"));
    mkdirSync(place);
    writeFileSync(join(place, "TLS_KEY"), "another");
    takeAway();
    expect(readFileSync(join(place, "TLS_KEY"), "utf8")).toBe("another");
  });

  it("leaves nothing where a value cannot be written, and takes only names that are names of files", () => {
    const place = join(folder, "half");
    expect(() => mountFiles(place, { A: Buffer.from("a"), "../B": Buffer.from("b") })).toThrow("../B is no name of a file");
    expect(readdirSync(folder).filter((name) => name.includes("half"))).toEqual([]);
    expect(() => requireFileNames(["nul"], "linux")).not.toThrow();
    for (const name of ["nul", "COM1.txt", "ends."]) expect(() => requireFileNames([name], "win32")).toThrow(`${name} is no name of a file`);
  });
});
