import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { expect, it } from "vitest";

const SRC = join(import.meta.dirname, "../../src");

/** What each layer may import beside itself. The order is that of the trust boundary, from the outside in. */
const MAY_IMPORT: Record<string, readonly string[]> = {
  contract: [],
  client: ["contract"],
  cli: ["client", "contract"],
  "worker/access": ["contract"],
  "worker/envelope": ["contract"],
  "worker/store": ["contract"],
  "worker/audit": ["contract"],
  "worker/secrets": ["worker/access", "worker/envelope", "worker/store", "worker/audit", "contract"],
  "worker/config": ["worker/access", "worker/envelope", "contract"],
  "worker/http": ["worker/config", "worker/access", "worker/envelope", "worker/store", "worker/audit", "worker/secrets", "contract"],
  "worker/resolver": ["worker/config", "worker/access", "worker/secrets", "worker/store", "contract"],
  "worker/scheduled": ["worker/config", "worker/http", "worker/secrets", "contract"],
  "worker/worker": ["worker/config", "worker/http", "worker/resolver", "worker/scheduled", "contract"],
};

const IMPORT = /(?:import|export)\s[^"';]*?from\s+"(\.[^"]+)"|import\s+"(\.[^"]+)"|import\("(\.[^"]+)"\)/g;

function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts"))
    .map((name) => join(folder, name));
}

function importsOf(file: string): string[] {
  return [...readFileSync(file, "utf8").matchAll(IMPORT)].map(([, a, b, c]) => join(dirname(file), a ?? b ?? c ?? ""));
}

function layerOf(file: string): string {
  const [first = "", second = ""] = relative(SRC, file).replace(/\.ts$/, "").split("/");
  return first === "worker" ? `worker/${second}` : first;
}

it("imports only in the direction of the layers", () => {
  const against = filesIn(SRC).flatMap((file) =>
    importsOf(file)
      .filter((target) => layerOf(target) !== layerOf(file) && !MAY_IMPORT[layerOf(file)]?.includes(layerOf(target)))
      .map((target) => `${relative(SRC, file)} → ${relative(SRC, target)}`),
  );
  expect(against).toEqual([]);
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
