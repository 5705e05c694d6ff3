import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { note } from "./output.ts";

/** What the file is called that says which variables a program takes. */
const EXAMPLE_FILE = ".env.example";

/** A `.env` file of names without values; those that may be missing are comments. */
export function exampleOf(required: readonly string[], optional: readonly string[]): string {
  return [...required.map((name) => `${name}=\n`), ...optional.map((name) => `# ${name}=\n`)].join("");
}

/** Writes {@link EXAMPLE_FILE} into a folder, unless there is one. */
export function writeExample(folder: string, text: string): void {
  const path = join(folder, EXAMPLE_FILE);
  try {
    writeFileSync(path, text, { flag: "wx" });
    note(`Wrote ${path}.`);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
    note(`${path} is there already and stays as it is.`);
  }
}
