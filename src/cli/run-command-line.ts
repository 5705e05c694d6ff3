import { CommanderError, type Command as ProgramCommand } from "commander";
import { buildProgram, type Call, commandOf } from "./build-program.ts";
import { type CliError, usageError } from "./cli-error.ts";
import { ROOT } from "./command-tree.ts";
import { pathOf } from "./configure-help.ts";
import { COMMON_NAMES, type Invocation } from "./define-command.ts";
import { nearest } from "./edit-distance.ts";
import { EXIT } from "./exit-code.ts";
import { needsDeployment, wantsLocal } from "./local/wants-local.ts";
import { reportError } from "./report-error.ts";
import { VERSION } from "./version.ts";

/** Runs one command line, and returns the exit code. Whatever is thrown ends here, as two lines on standard error, or as JSON. */
export async function runCommandLine(argv: readonly string[]): Promise<number> {
  const dashes = argv.indexOf("--");
  const [typed, child] = dashes === -1 ? [argv, []] : [argv.slice(0, dashes), argv.slice(dashes + 1)];
  try {
    return await dispatch(typed, child);
  } catch (error) {
    return reportError(error, typed.includes("--json"));
  }
}

async function dispatch(typed: readonly string[], child: readonly string[]): Promise<number> {
  // The one option that may come before the command: it says which secrets the command is about.
  const own = typed[0] === "--local" && typed.length > 1 ? [...typed.slice(1), "--local"] : typed;
  let code: number = EXIT.ok;
  const program = buildProgram(ROOT, own, async (call) => {
    code = (await call.command.run?.(call.values, invocationOf(call, child))) ?? EXIT.ok;
  }).version(VERSION, "-v, --version", "print the version");
  try {
    await program.parseAsync(own.length === 0 ? ["--help"] : own, { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    // Help and the version are printed.
    if (error.exitCode !== 0) throw describeMistake(error, calledIn(program, own));
  }
  return code;
}

function invocationOf({ command, path, values, given }: Call, child: readonly string[]): Invocation {
  if (child.length > 0 && !command.takesChild) throw usageError(`${path} takes nothing after --`, helpOf(path));
  const each = (option: string) => (given.includes(option) ? [values[option] as string | string[]].flat() : []);
  return { each, all: (option) => partsOf(option, each(option)), given, child, local: isLocal({ command, path, values, given }) };
}

/** Empty is not left out: a limit whose variable is not set must not turn into no limit. */
function partsOf(option: string, given: readonly string[]): string[] {
  const parts = given.flatMap((text) => text.split(",")).flatMap((text) => text.trim() || []);
  if (given.length > 0 && parts.length === 0) throw usageError(`--${option} is empty`, "give it a value or leave it out; is a variable in it unset?");
  return parts;
}

/** Whether a command does without a deployment. An option that has no meaning then is refused: what it asks for would not happen. */
function isLocal({ command: { local, args }, values, given }: Call): boolean {
  if (local === undefined || !wantsLocal(values.local === true, values.profile as string | undefined)) return false;
  const other = given.find((name) => args[name]?.type !== "positional" && name !== "local" && !COMMON_NAMES.includes(name) && !local.includes(name));
  if (other !== undefined) throw needsDeployment(`--${other}`);
  return true;
}

/** The command that was meant: as far as the words lead. */
function calledIn(program: ProgramCommand, [word, ...rest]: readonly string[]): ProgramCommand {
  const next = program.commands.find((one) => one.name() === word || one.aliases().includes(word ?? ""));
  return next ? calledIn(next, rest) : program;
}

/** What the parser found wrong, without anything that could be a value. */
function describeMistake({ code, message }: CommanderError, program: ProgramCommand): CliError {
  const { surplus, subCommands, local, args } = commandOf(program);
  const path = pathOf(program);
  const [, option = "an option"] = /'(?:-\w, )?(--[\w-]+|-\w)/.exec(message) ?? [];
  const [, suggestion] = /Did you mean (--[\w-]+)/.exec(message) ?? [];
  const word = /^error: unknown command '([^']*)'/.exec(message)?.[1] ?? program.args[0] ?? "";
  if (code === "commander.unknownCommand" || (code === "commander.excessArguments" && subCommands && program.registeredArguments.length === 0))
    return unknownCommand(path, word, Object.keys(subCommands ?? {}));
  if (code === "commander.excessArguments")
    return surplus ? usageError(surplus.message, surplus.hint) : usageError(`there are more arguments than ${path} takes`, helpOf(path));
  if (code === "commander.missingArgument") return usageError(`${path} needs ${/'([^']*)'/.exec(message)?.[1]?.toUpperCase()}`, helpOf(path));
  if (code === "commander.optionMissingArgument") return usageError(`${option} needs a value`, helpOf(path));
  if (code === "commander.help") return usageError(`${path} needs a command`, `\`${path} --help\` lists them; options come after it`);
  if (code !== "commander.unknownOption") return usageError("the command line is not one that there is", helpOf(path));
  if (surplus && /^--(value|token|secret|password)\b/.test(option)) return usageError(surplus.message, surplus.hint);
  if (option === "--local" && local === undefined && args.profile) return needsDeployment(path);
  if (subCommands && !args.profile) return usageError(`${path} needs a command`, `\`${path} --help\` lists them; options come after it`);
  return usageError(`there is no option ${option}`, suggestion === undefined ? helpOf(path) : `did you mean ${suggestion}? ${helpOf(path)}`);
}

function unknownCommand(path: string, word: string, known: readonly string[]): CliError {
  const near = nearest(word, known);
  return usageError(`there is no command ${path} ${word}`, near ? `did you mean \`${path} ${near}\`?` : `\`${path} --help\` lists the commands`);
}

function helpOf(path: string): string {
  return `\`${path} --help\` shows what it takes`;
}
