import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const SRC = join(import.meta.dirname, "../../../src");
const ROOMS = ["contract", "client", "worker"];
/** What an import that is more than types names, where that is a package and neither a file nor something of a runtime's own. */
const IMPORT = /^(?:import|export)\s(?!type\s)[^"';]*?from\s+"([a-z@][^":]*)"/gm;

/** The packages that the Worker's code imports, each with the entry that it names: `hono`, `hono/factory`. */
export function packagesOfWorker(): string[] {
  const files = ROOMS.flatMap((room) => readdirSync(join(SRC, room), { recursive: true, encoding: "utf8" }).map((name) => join(SRC, room, name)));
  const texts = files.filter((name) => name.endsWith(".ts")).map((name) => readFileSync(name, "utf8"));
  return [...new Set(texts.flatMap((text) => [...text.matchAll(IMPORT)].map(([, named = ""]) => named)))].sort();
}
