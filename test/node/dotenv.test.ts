import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseEnv } from "node:util";
import { parse } from "dotenv";
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { dotenvForm, writeDotenv } from "../../src/worker/http/native/write-dotenv.ts";
import { envFileLine, writeEnvFile } from "../../src/worker/http/native/write-env-file.ts";
import { anyValue, COMMON_VALUES } from "./support/hard-values.ts";

fc.configureGlobal({ seed: Number(process.env.TEST_SEED) });

const folder = mkdtempSync(join(tmpdir(), "dotenv-"));
afterAll(() => rmSync(folder, { recursive: true }));

const variables = (values: readonly string[]) => values.map((value, n) => ({ name: `V${n}`, value, isBytes: n % 7 === 3 }));
const isWritten = (value: string) => dotenvForm(value) !== undefined;

/** What a shell has in V0, V1 … after `set -a; . ./file`, as a child process of that shell sees it. */
function readWithShell(file: string, count: number): string[] {
  const path = join(folder, "file.env");
  writeFileSync(path, file);
  const child = `for (let n = 0; n < ${count}; n++) process.stdout.write(process.env["V" + n] + "\\0")`;
  const script = 'set -eu; set -a; . "$1"; exec "$2" -e "$3"';
  const output = execFileSync("sh", ["-c", script, "sh", path, process.execPath, child], { encoding: "utf8", env: {}, stdio: ["ignore", "pipe", "pipe"] });
  return output.split("\0").slice(0, -1);
}

function expectReadBack(values: readonly string[]): void {
  const file = writeDotenv(variables(values));
  const expected = Object.fromEntries(values.map((value, n) => [`V${n}`, value]));
  expect(parse(file)).toEqual(expected);
  expect(parse(file, { fast: true })).toEqual(expected);
  expect({ ...parseEnv(file) }).toEqual(expected);
  expect(readWithShell(file, values.length)).toEqual(values);
}

describe("a .env file", () => {
  it("is read back exactly by dotenv, Node and sh, all its variables together", () => {
    const values = fc.array(anyValue.filter(isWritten), { minLength: 1, maxLength: 60 });
    fc.assert(fc.property(values, expectReadBack), { numRuns: 40 });
  });

  it("holds the values that are hard and common, and the one that no reader but dotenv and sh had right", () => {
    expectReadBack(COMMON_VALUES.map((value) => (isWritten(value) ? value : "x")));
    const refused = COMMON_VALUES.filter((value) => !isWritten(value));
    expect(refused).toEqual([]);
    expect(isWritten('it\'s "5" $ and \\')).toBe(false);
  });

  it.each([
    ["a carriage return, which files lose", "a\rb"],
    ["a NUL", "a\0b"],
    ["both kinds of quotes", `a'b"c`],
    ["a single quote and what double quotes expand", "it's $5"],
    ["a single quote and a backslash", "it's\\n"],
    ["a backslash at its end", "ends in \\"],
    ["two backslashes, of which python-dotenv makes one", "\\\\host\\share"],
    ["what python-dotenv replaces", "${HOME}"],
  ])("has no way to say %s", (_, value) => {
    expect(isWritten(value)).toBe(false);
  });

  it("ends the shell's reading at the value and runs nothing in it", () => {
    expectReadBack(["; exit 3; ", "$(exit 3)", "`exit 3`", "\nexit 3\n", "EOF\nexit 3", "' ; exit 3 '"]);
  });
});

/** What Docker makes of a file for `--env-file` (opts/file.go): lines without what is white before them, but for those of comments; all after the first `=` is the value. */
function readAsDocker(file: string): Record<string, string> {
  const lines = file.split("\n").map((line) => line.replace(/\r$/, "").replace(/^[ \t\n\v\f\r]+/, ""));
  const said = lines.filter((line) => line !== "" && !line.startsWith("#"));
  return Object.fromEntries(said.map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]));
}

describe("a file for --env-file", () => {
  it("has each value as it is, whatever else is in it", () => {
    const values = fc.array(
      anyValue.filter((value) => envFileLine("V", value) !== undefined),
      { minLength: 1, maxLength: 60 },
    );
    const property = fc.property(values, (given) => {
      expect(readAsDocker(writeEnvFile(variables(given)))).toEqual(Object.fromEntries(given.map((value, n) => [`V${n}`, value])));
    });
    fc.assert(property, { numRuns: 200 });
    for (const value of ["$HOME", "'quoted'", " padded ", "# no comment", "a\\nb", `a'b"c`]) expect(envFileLine("V", value)).toBe(`V=${value}`);
  });

  it("has no way to say a line end, a NUL, or more than a line may have", () => {
    for (const value of ["a\nb", "a\n", "a\rb", "a\0b", "x".repeat(65_534)]) expect(envFileLine("V", value)).toBeUndefined();
    expect(envFileLine("V", "x".repeat(65_533))).toHaveLength(65_535);
  });
});
