import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";

/** Where a program is on a PATH, if it is. */
export function findProgram(name: string, path: string): string | undefined {
  return path
    .split(delimiter)
    .map((folder) => join(folder, name))
    .find((file) => existsSync(file));
}
