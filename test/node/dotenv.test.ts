import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse } from "dotenv";
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { Problem } from "../../src/contract/problem.ts";
import { writeDotenv } from "../../src/worker/http/native/write-dotenv.ts";

fc.configureGlobal({ seed: Number(process.env.TEST_SEED) });

const folder = mkdtempSync(join(tmpdir(), "dotenv-"));
afterAll(() => rmSync(folder, { recursive: true }));

const named = (values: readonly string[]) => values.map((value, n) => [`V${n}`, value] as const);

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
  const file = writeDotenv(named(values));
  expect(parse(file)).toEqual(Object.fromEntries(named(values)));
  expect(readWithShell(file, values.length)).toEqual(values);
}

function isWritten(value: string): boolean {
  try {
    writeDotenv([["V", value]]);
    return true;
  } catch (error) {
    expect(error).toBeInstanceOf(Problem);
    return false;
  }
}

const FOLLOWING = ["'", '"', "`", "a'", 'a"', "a`", ""].join("\n");

/** Whether some line of dotenv's language means this value, whatever lines follow: found by trying all there are. */
function hasDotenvForm(value: string): boolean {
  const escaped = value.replaceAll("\r", "\\r");
  const forms = [value, escaped, escaped.replaceAll("\n", "\\n")].flatMap((text) => ["", "'", '"', "`"].map((quote) => quote + text + quote));
  return forms.some((form) => parse(`V=${form}\n${FOLLOWING}`).V === value);
}

const HARD = ["'", '"', "`", "\\", "\\n", "\\r", "\\'", '\\"', "$", "$(id)", "$\u007bHOME}", "\n", "\r", "\r\n", " ", "\t", "#", "=", "!", "&", ";"];
const RARE = [
  "V0=x",
  "export V0=x",
  ": ",
  "\u2028",
  "\u2029",
  "\u00a0",
  "\ufeff",
  "é",
  "🔑",
  "\u0001",
  "\u007f",
  "__END_OF_DOTENV__",
  "%",
  "*",
  "~",
  "a",
  "Z9",
  "-n",
  "<<'E'",
];
const hardValue = fc.string({ unit: fc.constantFrom(...HARD, ...RARE), maxLength: 12 });
const anyValue = fc.oneof({ weight: 5, arbitrary: hardValue }, fc.string({ unit: "binary", maxLength: 40 }), fc.string({ maxLength: 40 }));

describe("a .env file", () => {
  it("is read back exactly by dotenv and by sh, all its variables together", () => {
    const file = fc.array(anyValue.filter(isWritten), { minLength: 1, maxLength: 60 });
    fc.assert(fc.property(file, expectReadBack), { numRuns: 60 });
  });

  it("is refused only for a value that dotenv's language cannot say, or with a NUL, which a shell cannot hold", () => {
    const writable = anyValue.filter((value) => !value.includes("\0") && hasDotenvForm(value));
    fc.assert(fc.property(writable, isWritten), { numRuns: 5000 });
    expect([isWritten("a\0b"), isWritten(`'"\`#\n`)]).toEqual([false, false]);
  });

  it("holds the values that are hard and common", () => {
    const pem = `-----BEGIN PRIVATE KEY-----\n${"MIIEvQIBADANBgkqhkiG9w0BAQEF/+==\n".repeat(20)}-----END PRIVATE KEY-----\n`;
    const json = '{"type":"service_account","private_key":"-----BEGIN\\nabc\\n-----END\\n","n":{"a":"it\'s $5"}}';
    const urls = ["postgres://u:p%40ss@h:5432/db?sslmode=require&x=#frag", "https://a.b/?q='x'&y=\"z\""];
    const passwords = [
      "pa$$w0rd",
      "p#ss",
      "a'b\"c",
      "back\\slash",
      "ends in \\",
      "`tick`",
      "$(rm -rf /)",
      "!history",
      " padded ",
      "# not a comment",
      "a=b",
      "'quoted'",
      '"quoted"',
    ];
    expectReadBack([
      pem,
      pem.replaceAll("\n", "\r\n"),
      json,
      JSON.stringify(JSON.parse(json), null, 2),
      ...urls,
      ...passwords,
      "x",
      "é🔑\u2028",
      "C:\\new\\r",
      "\n",
      "\r\n",
    ]);
  });

  it("ends the shell's reading at the value and runs nothing in it", () => {
    const values = ["'; exit 3; '", "$(exit 3)", "`exit 3`", "\nexit 3\n", "__END_OF_DOTENV__\nexit 3", "a\n__END_OF_DOTENV__\nexit 3\n'"];
    expectReadBack(values);
  });
});
