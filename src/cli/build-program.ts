import { Option, Argument as ProgramArgument, Command as ProgramCommand } from "commander";
import { type Choices, requireChoice } from "./choices.ts";
import { usageError } from "./cli-error.ts";
import { configureHelp, pathOf } from "./configure-help.ts";
import type { Argument, Arguments, Command } from "./define-command.ts";
import { note } from "./output.ts";

/** A command that was called, with its words, and its arguments by their names. */
export interface Call {
  readonly command: Command;
  readonly path: string;
  readonly values: Readonly<Record<string, unknown>>;
  /** The options and arguments that were given. */
  readonly given: readonly string[];
}

/** What is done with a {@link Call}. */
type Act = (call: Call) => Promise<void>;

/** The program that parses a command line: the tree of commands, in commander's form. */
export function buildProgram(root: Command, typed: readonly string[], act: Act): ProgramCommand {
  return addTo(undefined, "keyhole", root, typed, act);
}

/** Where the program keeps which command of the tree one of its own is. */
const commands = new WeakMap<ProgramCommand, Command>();

/** The command of the tree that a command of the program is. */
export function commandOf(program: ProgramCommand): Command {
  return commands.get(program) as Command;
}

function addTo(above: ProgramCommand | undefined, name: string, definition: Command, typed: readonly string[], act: Act): ProgramCommand {
  const program = new ProgramCommand(name).description(definition.description);
  commands.set(program, definition);
  program
    .aliases([...(definition.aliases ?? [])])
    .enablePositionalOptions()
    .helpCommand(false)
    .exitOverride();
  if (definition.group !== undefined) program.helpGroup(definition.group);
  configureHelp(program, definition);
  for (const [name, argument] of Object.entries(definition.args)) addArgument(program, name, argument, typed);
  for (const [name, sub] of Object.entries(definition.subCommands ?? {})) addTo(program, name, sub, typed, act);
  if (definition.run) program.action(() => act(callOf(program, definition)));
  above?.addCommand(program, { hidden: definition.hidden ?? false });
  return program;
}

function addArgument(program: ProgramCommand, name: string, argument: Argument, typed: readonly string[]): void {
  if (argument.type === "positional") {
    const flags = argument.repeatable ? `[${name}...]` : argument.required === false ? `[${name}]` : `<${name}>`;
    program.addArgument(new ProgramArgument(flags, argument.description));
    return;
  }
  const short = "alias" in argument ? `-${argument.alias}, ` : "";
  const hint = argument.type === "boolean" ? "" : ` <${argument.type === "enum" ? argument.options.join("|") : argument.valueHint}>`;
  const option = new Option(`${short}--${name}${hint}`, describe(argument));
  if ("default" in argument) option.default(argument.default);
  if (argument.type === "string" && argument.repeatable) option.argParser((value: string, before: string[] | undefined) => [...(before ?? []), value]);
  addOption(program, name, option, argument, typed);
  if (argument.type === "boolean" && argument.negativeDescription !== undefined)
    addOption(program, `no-${name}`, new Option(`--no-${name}`, argument.negativeDescription), argument, typed);
}

function describe(argument: Exclude<Argument, { type: "positional" }>): string {
  const more = [
    argument.description,
    argument.type === "string" && argument.repeatable && !/repeated|commas/.test(argument.description) ? "may be repeated" : "",
  ];
  return more.filter(Boolean).join("; ");
}

/** What an option and its opposite have been given as so far. */
const seen = new WeakMap<ProgramCommand, Map<string, string>>();

/** Adds an option that is refused when it is given twice, with nothing, or with what is another option. */
function addOption(program: ProgramCommand, flag: string, option: Option, argument: Argument, typed: readonly string[]): void {
  program.on(`option:${flag}`, (value: string | null) => {
    const before = seen.get(program) ?? new Map<string, string>();
    seen.set(program, before);
    const [key, other] = [option.attributeName(), before.get(option.attributeName())];
    before.set(key, flag);
    if (other !== undefined && other !== flag) throw usageError(`--${other} and --${flag} do not go together`, "leave one of them out");
    const many = argument.type === "boolean" || (argument.type === "string" && argument.repeatable);
    if (other !== undefined && !many) throw usageError(`--${flag} is given twice`, "it takes one value: leave one of them out");
    if (value?.startsWith("-") && value !== "-" && typed.includes(value))
      throw usageError(`--${flag} needs a value`, `one that begins with "-" is given as --${flag}=VALUE`);
    if (argument.type === "enum" && value !== null) requireChoice(`--${flag}`, value, argument as Choices);
    if (argument.deprecated !== undefined) note(`warning: --${flag} is deprecated: ${argument.deprecated}`);
  });
  program.addOption(option.hideHelp(argument.hidden === true || argument.deprecated !== undefined));
}

/** The arguments of the command that was called. Options of a command above it would be forgotten: they are refused. */
function callOf(program: ProgramCommand, command: Command): Call {
  const path = pathOf(program);
  for (let at = program.parent; at; at = at.parent) {
    const [option] = givenOptions(at, commandOf(at).args);
    if (option !== undefined)
      throw usageError(`--${option} stands before the command that it is for`, `\`${path} --help\` shows what that takes; options come after it`);
  }
  const names = Object.entries(command.args).flatMap(([name, { type }]) => (type === "positional" ? name : []));
  const wordsAt = (name: string, place: number) => {
    const argument = command.args[name];
    const isRest = argument?.type === "positional" && argument.repeatable === true && program.args.length > place;
    return isRest ? program.args.slice(place) : program.args[place];
  };
  const positionals = names.map((name, place) => [name, wordsAt(name, place)] as const);
  for (const [name, text] of positionals) {
    const argument = command.args[name];
    if (typeof text === "string" && argument?.type === "positional" && argument.options) requireChoice(name.toUpperCase(), text, argument as Choices);
  }
  const options = Object.keys(command.args).map((name) => [name, program.getOptionValue(attributeOf(program, name))] as const);
  const given = [...positionals.filter(([, text]) => text !== undefined).map(([name]) => name), ...givenOptions(program, command.args)];
  return { command, path, values: Object.fromEntries([...options, ...positionals]), given };
}

function givenOptions(program: ProgramCommand, args: Arguments): string[] {
  return Object.keys(args).filter((name) => program.getOptionValueSource(attributeOf(program, name)) === "cli");
}

function attributeOf(program: ProgramCommand, name: string): string {
  return program.options.find(({ long }) => long === `--${name}`)?.attributeName() ?? name;
}
