import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { ROOT } from "../../../src/cli/command-tree.ts";
import { placeOf } from "../../../src/cli/complete.ts";
import { completionScript } from "../../../src/cli/completion-script.ts";
import type { Command } from "../../../src/cli/define-command.ts";
import { columnWidths, wrap } from "../../../src/cli/print-table.ts";

const words = (...typed: string[]) => placeOf(ROOT, typed).suggestions.map(({ word }) => word);

/** Every command of the tree, with the words that lead to it. */
const commands = (command: Command, path: readonly string[] = []): (readonly [readonly string[], Command])[] => [
  [path, command],
  ...Object.entries(command.subCommands ?? {}).flatMap(([name, sub]) => commands(sub, [...path, name])),
];

describe("completion", () => {
  it("suggests the options of the command that is typed, and of no other", () => {
    for (const [path, { args }] of commands(ROOT)) {
      const names = Object.keys(args);
      for (const word of words(...path, "--").map((word) => word.slice(2))) expect([...names, ...names.map((name) => `no-${name}`), "help"]).toContain(word);
    }
  });

  it.each([
    [["tok"], [], undefined],
    [["list", "--kind", ""], ["global", "team", "namespace", "agent", "repo"], undefined],
    [["list", "--due="], ["rotation", "expiry"], undefined],
    [["ls", "--scope", "name"], [], "scope"],
    [["get", "--scope=na"], [], "scope"],
    [["get", "-s", "na"], [], "scope"],
    [["get", "A"], [], "secret"],
    [["trust", "get", ""], [], "trust"],
    [["logins", "get", ""], [], "login"],
    [["logins", "set", "a", "--secret", ""], [], "secret"],
    [["webhook", "show", ""], [], "webhook"],
    [["completion", ""], ["bash", "zsh", "fish", "powershell"], undefined],
    [["run", "--", "ls", ""], [], "file"],
    [["set", "A", "--file", ""], [], "file"],
    [["list", "--profile", ""], [], "profile"],
    [["list", "--json", "nowhere"], [], undefined],
  ])("knows what stands where: %j", (typed, suggestions, asks) => {
    const place = placeOf(ROOT, typed);
    if (typed.length > 1) expect(place.suggestions.map(({ word }) => word)).toEqual(suggestions);
    expect(place.asks).toBe(asks);
  });

  it("leaves out what may not be given again, and what is hidden", () => {
    expect(words("list", "--json", "--")).not.toContain("--json");
    expect(words("set", "--label", "a=b", "--")).toContain("--label");
    expect(words("")).not.toContain("complete");
    expect(words("token", "")).toEqual(["create", "narrow", "list", "revoke", "revocations"]);
  });

  it("takes any words", () => {
    const word = fc.oneof(
      fc.string(),
      fc.constantFrom("list", "token", "create", "--", "-s", "--scope", "--scope=", "--json", "set", "__proto__", "constructor"),
    );
    fc.assert(fc.property(fc.array(word, { maxLength: 6 }), (typed) => void placeOf(ROOT, typed)));
  });
});

describe("the script for bash", () => {
  const folder = mkdtempSync(join(tmpdir(), "keyhole-complete-"));
  afterAll(() => rmSync(folder, { recursive: true }));
  const program = (path: string, text: string) => {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, `#!/bin/sh\n${text}\n`, { mode: 0o755 });
  };
  /** What is suggested for the last word of a line, one a line. */
  const suggest = (line: string) => {
    const words = line.split(" ");
    const typed = `COMP_LINE=$1 COMP_POINT=\${#1} COMP_CWORD=${words.length - 1}; shift; COMP_WORDS=("$@")`;
    const script = `${completionScript("bash")}\n${typed}; _keyhole; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const env = { PATH: `${join(folder, "bin")}:${process.env.PATH}` };
    return spawnSync("bash", ["-c", script, "bash", line, ...words], { cwd: folder, env, encoding: "utf8" }).stdout;
  };

  it("asks the keyhole that is installed, and starts none that lies in the folder where somebody types", () => {
    program(join(folder, "bin/keyhole"), "printf 'list\\tList secrets\\n:\\n'");
    program(join(folder, "keyhole"), "touch was-started");
    expect(suggest("./keyhole li")).toBe("list\n");
    expect(existsSync(join(folder, "was-started"))).toBe(false);
  });

  it("suggests a file as one word, in which nothing is a command", () => {
    program(join(folder, "bin/keyhole"), "echo :files");
    for (const name of ["x y", "x$(touch was-run)", "x*"]) writeFileSync(join(folder, name), "");
    expect(suggest("keyhole set A --file x").split("\n").sort()).toEqual(["", "x\\ y", "x\\$\\(touch\\ was-run\\)", "x\\*"]);
  });
});

describe("what is printed on a terminal", () => {
  it("is no wider than that, where columns can be so narrow, and as wide as it is in a pipe", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(200), { minLength: 1, maxLength: 8 }), fc.integer({ min: 20, max: 300 }), (natural, columns) => {
        const widths = columnWidths(natural, columns);
        const total = widths.reduce((sum, width) => sum + width, 2 * (natural.length - 1));
        expect(total <= columns || Math.max(...widths) <= 8).toBe(true);
        expect(widths.every((width, n) => width <= (natural[n] ?? 0))).toBe(true);
        expect(columnWidths(natural, undefined)).toEqual(natural);
      }),
    );
  });

  it("is broken between words", () => {
    fc.assert(
      fc.property(fc.array(fc.stringMatching(/^[a-z]{1,12}$/), { minLength: 1 }), fc.integer({ min: 12, max: 40 }), (typed, width) => {
        const lines = wrap(typed.join(" "), width);
        expect(lines.join(" ")).toBe(typed.join(" "));
        expect(Math.max(...lines.map(({ length }) => length))).toBeLessThanOrEqual(width);
      }),
    );
  });
});
