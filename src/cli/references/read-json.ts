import stripJsonComments from "strip-json-comments";
import type { ConfigNode } from "./config-node.ts";
import { readYaml } from "./read-yaml.ts";
import { unreadable } from "./unreadable.ts";

/**
 * A JSON text; with `comments` also comments, and commas after the last member, which are white space then.
 *
 * @throws {CliError} when it cannot be parsed.
 */
export function readJson(text: string, comments: boolean): ConfigNode[] {
  const plain = comments ? stripJsonComments(text, { whitespace: true, trailingCommas: true }) : text;
  try {
    JSON.parse(plain);
  } catch (error) {
    throw unreadable(comments ? "jsonc" : "json", lineIn(error, plain));
  }
  return readYaml(plain, "json");
}

/** The line of a mistake, where this version of Node says the position. */
function lineIn(error: unknown, text: string): number | undefined {
  const [, position] = (error instanceof Error && /at position (\d+)/.exec(error.message)) || [];
  return position === undefined ? undefined : text.slice(0, Number(position)).split("\n").length;
}
