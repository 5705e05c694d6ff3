import { describe, expect, it } from "vitest";
import { CliError } from "../../../src/cli/cli-error.ts";
import { type ImportFormat, importFormatOf, readValues } from "../../../src/cli/read-import.ts";

/** What is said to be wrong. */
function placesOf(text: string, format: "json" | "yaml" | "toml"): readonly string[] {
  try {
    readValues(text, format, false);
  } catch (error) {
    expect(error).toBeInstanceOf(CliError);
    const { places, exitCode, message, hint } = error as CliError;
    expect([exitCode, `${message}${hint}${places.join("")}`.includes("sk-")]).toEqual([2, false]);
    return places;
  }
  return [];
}

describe("what a file is", () => {
  it.each<[string, ImportFormat]>([
    [".env", "dotenv"],
    ["deploy/.env.production", "dotenv"],
    ["prod.env", "dotenv"],
    ["secrets", "dotenv"],
    ["a.b/secrets", "dotenv"],
    ["a.JSON", "json"],
    ["a.yaml", "yaml"],
    ["a.yml", "yaml"],
    ["a.toml", "toml"],
  ])("is in its name: %s", (file, format) => {
    expect(importFormatOf(file)).toBe(format);
  });

  it.each(["a.ini", "a.properties", "secrets.txt", "a.env.bak", "a.yaml.enc"])("is not guessed: %s", (file) => {
    expect(() => importFormatOf(file)).toThrow("its name does not say what it is");
  });
});

describe("names and values", () => {
  it("are those of JSON, with numbers and booleans as they are written", () => {
    const text = '{"A":"x # \\u00e9\\ud83d\\udd11","B":1.0,"C":12345678901234567890,\n"D":true,"E":null,"F":"","G":"${H}"}';
    expect(readValues(text, "json", false)).toEqual({ A: "x # é🔑", B: "1.0", C: "12345678901234567890", D: "true", E: "", F: "", G: "$\u007bH}" });
  });

  it("are those of YAML, of which nothing is another value than it says", () => {
    const text = "# c\nA: plain # c\nB: 0x10\nC: 007\nD: yes\nE: p#ss\nF: 'it''s'\nG: |\n  one\n  two\nH:\n1.50: 'a number'\nI: \"x\\ty\"\nJ: 1e3\n";
    const values = { A: "plain", B: "0x10", C: "007", D: "yes", E: "p#ss", F: "it's", G: "one\ntwo\n", H: "", "1.50": "a number", I: "x\ty", J: "1e3" };
    expect(readValues(text, "yaml", false)).toEqual(values);
  });

  it("are those of TOML, whose numbers and times are to be written in quotes", () => {
    expect(readValues('A = \'x # y\'\nB = """\none\ntwo"""\nC = true\n', "toml", false)).toEqual({ A: "x # y", B: "one\ntwo", C: "true" });
    expect(placesOf("A = 1_000\nB = 1.0\nC = 1979-05-27\nD = [1]\n[E]\nF = 'x'\n", "toml")).toHaveLength(5);
  });

  it.each<["json" | "yaml" | "toml", string, string[]]>([
    ["json", '{"A":"sk-1",\n"B":"sk-2",\n"A":"sk-3"}', ["line 3: a name that is given twice: the last value counts (--allow duplicate takes it so)"]],
    ["yaml", "A: sk-1\nB: sk-2\nA: sk-3\n", ["line 3: a name that is given twice: the last value counts (--allow duplicate takes it so)"]],
    ["toml", "A = 'sk-1'\nA = 'sk-2'\n", ["line 2: this is not TOML, or gives a name twice"]],
    ["json", "{A: sk-1}", ["it is not JSON"]],
    ["json", '["sk-1"]', ["it is no list of names with their values"]],
    ["yaml", "sk-1", ["it is no list of names with their values"]],
    [
      "yaml",
      "A: 1\nB: [sk-1]\nC: {D: sk-2}\n",
      Array(2)
        .fill("")
        .map((_, n) => `line ${n + 2}: a value is text, a number or a boolean: nothing nested, no alias and no tag`),
    ],
    ["yaml", "A: &x sk-1\nB: *x\n", ["line 2: a value is text, a number or a boolean: nothing nested, no alias and no tag"]],
    ["yaml", "A: !!binary c2st\n", ["line 1: a value is text, a number or a boolean: nothing nested, no alias and no tag"]],
    ["yaml", "A: 'sk-1\nB: 2\n", ["line 3: this is not read"]],
    ["yaml", "A: 1\n---\nA: sk-2\n", ["line 2: this is not read"]],
  ])("of %s are refused by line, and not shown: %j", (format, text, places) => {
    expect(placesOf(text, format)).toEqual(places);
  });

  it("may be given twice where that is allowed", () => {
    expect(readValues('{"A":"1","A":"2"}', "json", true)).toEqual({ A: "2" });
    expect(readValues("A: 1\nA: 2\n", "yaml", true)).toEqual({ A: "2" });
  });
});
