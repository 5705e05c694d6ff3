import { type ParseArgsConfig, parseArgs } from "node:util";
import type { ArgsDef } from "citty";
import { usageError } from "./cli-error.ts";
import type { Definition, Invocation } from "./define-command.ts";

/** What was given, and how options that may be repeated are read. */
interface Checked extends Pick<Invocation, "each" | "all"> {
  /** The options that were given. */
  readonly given: readonly string[];
}

/** What citty's own parser does not do: it takes options that there are not, and of a repeated one only the last. */
export function checkArguments(definition: Definition<ArgsDef>, args: readonly string[], path: string): Checked {
  const help = `\`${path} --help\` shows what it takes`;
  const { values, positionals } = parseStrictly(definition, args, help);
  const wanted = Object.entries(definition.args ?? {}).filter(([, { type }]) => type === "positional");
  if (positionals.length > wanted.length) {
    const { message, hint } = definition.surplus ?? { message: `there are more arguments than ${path} takes`, hint: help };
    throw usageError(message, hint);
  }
  for (const [name, definitionOf] of Object.entries(definition.args ?? {})) checkChoice(name, definitionOf, [values[name] ?? []].flat());
  const missing = wanted.slice(positionals.length).find(([, { required }]) => required !== false);
  if (missing) throw usageError(`${path} needs ${missing[0].toUpperCase()}`, help);
  const each = (option: string) => (values[option] ?? []) as string[];
  return { each, all: (option) => partsOf(option, each(option)), given: Object.keys(values) };
}

/** Empty is not left out: a limit whose variable is not set must not turn into no limit. */
function partsOf(option: string, given: readonly string[]): string[] {
  const parts = given.flatMap((text) => text.split(",")).flatMap((text) => text.trim() || []);
  if (given.length > 0 && parts.length === 0) throw usageError(`--${option} is empty`, "give it a value or leave it out; is a variable in it unset?");
  return parts;
}

function checkChoice(name: string, { type, options = [] }: { type?: string; options?: readonly string[] }, given: readonly (string | boolean)[]): void {
  if (type !== "enum" || given.every((text) => options.includes(String(text)))) return;
  throw usageError(`--${name} is not one that there is`, `one of: ${options.join(", ")}`);
}

function parseStrictly({ args: definitions = {}, surplus }: Definition<ArgsDef>, args: readonly string[], help: string) {
  const options: NonNullable<ParseArgsConfig["options"]> = { help: { type: "boolean", short: "h", multiple: true } };
  for (const [name, definition] of Object.entries(definitions)) {
    if (definition.type === "positional") continue;
    const [short] = "alias" in definition ? [definition.alias].flat() : [];
    options[name] = { type: definition.type === "boolean" ? "boolean" : "string", multiple: true, ...(short && { short }) };
    if (definition.type === "boolean" && definition.negativeDescription !== undefined) options[`no-${name}`] = { type: "boolean", multiple: true };
  }
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true, strict: true });
  } catch (error) {
    const { message } = error as Error;
    if (surplus && /'--(value|token|secret|password)\b/.test(message)) throw usageError(surplus.message, surplus.hint);
    throw usageError(explain(error), help);
  }
}

/** What Node says, without its advice, and without anything that could be a value. */
function explain(error: unknown): string {
  const { code, message } = error as Error & { code?: string };
  const [, option = "an option"] = /(--[\w-]+|'-\w)/.exec(message) ?? [];
  if (code === "ERR_PARSE_ARGS_UNKNOWN_OPTION") return `there is no option ${option.replace("'", "")}`;
  return /does not take an argument/.test(message) ? `${option} takes no value` : `${option} needs a value`;
}
