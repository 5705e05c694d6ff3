import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { expect, it } from "vitest";

const SRC = join(import.meta.dirname, "../../src");

/** What each room may import beside itself: the table in ARCHITECTURE.md. */
const MAY_IMPORT = readTable(readFileSync(join(SRC, "../ARCHITECTURE.md"), "utf8"));

function readTable(text: string): Map<string, readonly string[]> {
  const codes = (cell = "") => [...cell.matchAll(/`([^`]+)`/g)].map(([, code = ""]) => code);
  const [, section = ""] = /## Rooms\n([\s\S]*?)\n## /.exec(text) ?? [];
  const rows = section.split("\n").flatMap((line) => (line.startsWith("| `") ? [line.split("|").slice(1, -1)] : []));
  return new Map(rows.map(([room, , imports]) => [codes(room)[0] ?? "", codes(imports)]));
}

const IMPORT = /(?:import|export)\s[^"';]*?from\s+"(\.[^"]+)"|import\s+"(\.[^"]+)"|import\("(\.[^"]+)"\)/g;

function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => /\.tsx?$/.test(name))
    .map((name) => join(folder, name));
}

function importsOf(file: string): string[] {
  return [...readFileSync(file, "utf8").matchAll(IMPORT)].map(([, a, b, c]) => join(dirname(file), a ?? b ?? c ?? ""));
}

function roomOf(file: string): string {
  const [first = "", second = ""] = relative(SRC, file)
    .replace(/\.tsx?$/, "")
    .split("/");
  return first === "worker" ? `worker/${second}` : first;
}

it("imports only what ARCHITECTURE.md allows", () => {
  const against = filesIn(SRC).flatMap((file) =>
    importsOf(file)
      // The package says its version.
      .filter((target) => !target.endsWith("/package.json"))
      .filter((target) => roomOf(target) !== roomOf(file) && !MAY_IMPORT.get(roomOf(file))?.includes(roomOf(target)))
      .map((target) => `${relative(SRC, file)} → ${relative(SRC, target)}`),
  );
  expect(against).toEqual([]);
});

it("has a row in ARCHITECTURE.md for every room that there is, and for no other", () => {
  const rooms = new Set(filesIn(SRC).map(roomOf));
  expect([...MAY_IMPORT.keys()].sort()).toEqual([...rooms].sort());
});

it("names in ARCHITECTURE.md no import that there could not be", () => {
  const named = [...MAY_IMPORT.values()].flat();
  expect(named.filter((room) => !MAY_IMPORT.has(room))).toEqual([]);
});

it("has no import cycle", () => {
  const cycles: string[] = [];
  const done = new Set<string>();
  const visit = (file: string, path: readonly string[]): void => {
    if (path.includes(file)) return void cycles.push([...path.slice(path.indexOf(file)), file].map((step) => relative(SRC, step)).join(" → "));
    if (done.has(file)) return;
    for (const target of importsOf(file)) visit(target, [...path, file]);
    done.add(file);
  };
  for (const file of filesIn(SRC)) visit(file, []);
  expect(cycles).toEqual([]);
});

it("imports zod and nothing else from outside in the contract", () => {
  const outside = filesIn(join(SRC, "contract")).flatMap((file) => [...readFileSync(file, "utf8").matchAll(/from\s+"([^."][^"]*)"/g)].map(([, name]) => name));
  expect([...new Set(outside)]).toEqual(["zod"]);
});
