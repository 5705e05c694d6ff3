import { type ArgsDef, runCommand } from "citty";
import { checkArguments } from "./check-arguments.ts";
import { usageError } from "./cli-error.ts";
import { ROOT } from "./command-tree.ts";
import type { Definition } from "./define-command.ts";
import { EXIT } from "./exit-code.ts";
import { findCommand } from "./find-command.ts";
import { needsDeployment, wantsLocal } from "./local/wants-local.ts";
import { print, printLine } from "./output.ts";
import { renderHelp } from "./render-help.ts";
import { reportError } from "./report-error.ts";
import { VERSION } from "./version.ts";

/** Runs one command line, and returns the exit code. Whatever is thrown ends here, as two lines on standard error. */
export async function runCommandLine(argv: readonly string[]): Promise<number> {
  try {
    return await dispatch(argv);
  } catch (error) {
    return reportError(error);
  }
}

async function dispatch(argv: readonly string[]): Promise<number> {
  const dashes = argv.indexOf("--");
  const [typed, child] = dashes === -1 ? [argv, []] : [argv.slice(0, dashes), argv.slice(dashes + 1)];
  // The one option that may come before the command: it says which secrets the command is about.
  const own = typed[0] === "--local" && typed.length > 1 ? [...typed.slice(1), "--local"] : typed;
  if (own.length === 1 && (own[0] === "--version" || own[0] === "-v")) {
    printLine(VERSION);
    return EXIT.ok;
  }
  const { command, words, rest } = findCommand(ROOT, own);
  if (rest.some((word) => word === "--help" || word === "-h") || (words.length === 0 && rest.length === 0)) {
    print(await renderHelp(command, words));
    return EXIT.ok;
  }
  const path = ["keyhole", ...words].join(" ");
  if (!command.definition.run) throw usageError(`${path} needs a command`, `\`${path} --help\` lists them; options come after it`);
  if (child.length > 0 && !command.definition.takesChild) throw usageError(`${path} takes nothing after --`, `\`${path} --help\` shows what it takes`);
  if (command.definition.local === undefined && rest.includes("--local") && command.definition.args?.profile) throw needsDeployment(path);
  const { given, ...options } = checkArguments(command.definition, rest, path);
  const local = isLocal(command.definition, given, options.each("profile").at(-1));
  const { result } = await runCommand(command.citty, { rawArgs: [...rest], data: { ...options, child, local } });
  return result as number;
}

/** Whether a command does without a deployment. An option that has no meaning then is refused: what it asks for would not happen. */
function isLocal({ local }: Definition<ArgsDef>, given: readonly string[], profile: string | undefined): boolean {
  if (local === undefined || !wantsLocal(given.includes("local"), profile)) return false;
  const other = given.find((option) => !["local", "profile", "json", "insecure", ...local].includes(option));
  if (other !== undefined) throw needsDeployment(`--${other}`);
  return true;
}
