import type { Argument as ProgramArgument, Command as ProgramCommand } from "commander";
import truncatedWidth from "fast-string-truncated-width";
import type { Command } from "./define-command.ts";
import { dataColors, hasColors, print } from "./output.ts";

/** The width of help where no terminal says how wide it is. */
const WIDTH = 80;

/** Says how the help of a command looks, and that nothing but help is printed by the parser itself. */
export function configureHelp(program: ProgramCommand, { examples = [], subCommands, takesChild, run }: Command): void {
  const options = takesChild ? "[options] -- COMMAND [ARGUMENTS]" : "[options]";
  const below = subCommands ? (run ? "[command] " : "COMMAND ") : "";
  const words = `${below}${run ? options : ""}`.trim();
  program.helpOption("-h, --help", "show what it takes");
  program.configureOutput({
    writeOut: print,
    writeErr: () => undefined,
    outputError: () => undefined,
    getOutHasColors: () => hasColors(process.stdout),
    getOutHelpWidth: () => process.stdout.columns || WIDTH,
  });
  program.configureHelp({
    commandUsage: (one) => [pathOf(one), words, ...one.registeredArguments.map((place) => (place.required ? nameOf(place) : `[${nameOf(place)}]`))].join(" "),
    subcommandTerm: (one) => [one.name(), ...one.aliases()].join(", "),
    argumentTerm: nameOf,
    optionDescription: ({ description, defaultValue }) => (typeof defaultValue === "string" ? `${description} [${defaultValue}]` : description),
    displayWidth: (text) => truncatedWidth(text).width,
    styleTitle: (title) => dataColors.bold(title),
  });
  if (examples.length > 0) program.addHelpText("after", `\n${dataColors.bold("Examples:")}\n${examples.map((example) => `  ${example}`).join("\n")}`);
  if (subCommands) program.addHelpText("after", `\nWhat a command takes: COMMAND --help`);
}

/** The words that lead to a command. */
export function pathOf(program: ProgramCommand): string {
  return program.parent ? `${pathOf(program.parent)} ${program.name()}` : program.name();
}

const nameOf = (argument: ProgramArgument) => argument.name().toUpperCase();
