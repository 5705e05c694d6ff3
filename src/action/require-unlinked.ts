import { lstatSync } from "node:fs";
import { isAbsolute, join, relative, resolve, sep } from "node:path";
import { usageError } from "../cli/cli-error.ts";

/**
 * Refuses a path in the working folder that a link leads elsewhere: what is checked out may be somebody's pull request, and with a
 * link in it they would say where values are written, into what is uploaded for example.
 *
 * @throws {CliError} before anything is asked for.
 */
export function requireUnlinked(file: string): void {
  const here = process.cwd();
  const inside = relative(here, resolve(file));
  const parts = isAbsolute(inside) || inside.split(sep)[0] === ".." ? [] : inside.split(sep);
  const ways = [resolve(file), ...parts.map((_, last) => join(here, ...parts.slice(0, last + 1)))];
  if (ways.some((path) => lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink()))
    throw usageError(`the input file goes by a link: ${file}`, "name a path without one, for example below ${{ runner.temp }}");
}
