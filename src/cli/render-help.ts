import { stripVTControlCharacters } from "node:util";
import { renderUsage } from "citty";
import type { Command } from "./define-command.ts";
import { hasColors } from "./output.ts";
import { VERSION } from "./version.ts";

/** What `--help` prints for the command to which `words` lead. */
export async function renderHelp({ citty, definition }: Command, words: readonly string[]): Promise<string> {
  const { description, subCommands = {}, takesChild, examples = [] } = definition;
  const meta = { name: ["keyhole", ...words].join(" "), description, version: VERSION };
  const below = Object.fromEntries(Object.entries(subCommands).map(([name, command]) => [name, command.citty]));
  const usage = await renderUsage({ ...citty, meta, ...(Object.keys(below).length > 0 && { subCommands: below }) });
  const text = [orderUsage(usage, takesChild), ...exampleLines(examples)].join("\n");
  const lines = (hasColors(process.stdout) ? text : stripVTControlCharacters(text)).split("\n");
  return `${lines
    .map((line) => line.trimEnd())
    .join("\n")
    .replaceAll(/\n{3,}/g, "\n\n")}\n`;
}

/** The line after USAGE as it may be typed: commands go before options, and a command to run after them. */
function orderUsage(usage: string, takesChild = false): string {
  return usage.replace(/\[OPTIONS\] ?([\w|]*)/, (whole, commands: string) => {
    if (takesChild) return "[OPTIONS] -- COMMAND [ARGUMENTS]";
    return commands ? `[${commands}] [OPTIONS]` : whole;
  });
}

function exampleLines(examples: readonly string[]): string[] {
  return examples.length === 0 ? [] : ["", "EXAMPLES", "", ...examples.map((example) => `  ${example}`)];
}
