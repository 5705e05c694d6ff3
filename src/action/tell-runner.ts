import { randomUUID } from "node:crypto";
import { appendFileSync } from "node:fs";

/** A command to the runner, on a line of its own: what would end the line or is an escape is escaped. */
export function command(name: "add-mask" | "error" | "warning", text: string): void {
  process.stdout.write(`::${name}::${text.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A")}\n`);
}

/** The shortest line of a value that is masked by itself: a bracket alone would mask every bracket in the log. */
const SHORTEST_LINE = 3;

/** Keeps a value out of the log: as a whole, and each of its lines, because the log is looked through line by line. */
export function mask(value: string): void {
  const lines = value.split(/[\r\n]+/).flatMap((line) => [line, line.trim()]);
  for (const text of new Set([value, ...lines.filter((line) => line.length >= SHORTEST_LINE)])) if (text.trim() !== "") command("add-mask", text);
}

/**
 * Adds a name and its value to one of the runner's files. The delimiter is new and random each time, so that no value can end
 * its own lines and go on with a variable that it makes up.
 */
export function hand(file: "GITHUB_ENV" | "GITHUB_OUTPUT" | "GITHUB_STATE", name: string, value: string): void {
  const path = process.env[file];
  if (!path) throw new Error(`${file} is not set: this runs as a step of GitHub Actions`);
  const delimiter = `keyhole_${randomUUID()}`;
  appendFileSync(path, `${name}<<${delimiter}\n${value}\n${delimiter}\n`);
}
