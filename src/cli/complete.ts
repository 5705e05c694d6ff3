import type { Argument, Command, Suggested } from "./define-command.ts";

/** What may stand for the word that is typed. */
interface Suggestion {
  readonly word: string;
  readonly about: string;
}

/** What the word that is typed can be. */
export interface Place {
  /** What it may be of a few. */
  readonly suggestions: readonly Suggestion[];
  /** What the deployment, or this machine, is to be asked for; each word comes after {@link before}. */
  readonly asks: Suggested | undefined;
  /** What stands before the value in the same word: `--scope=`. */
  readonly before: string;
  /** What of the value is typed. */
  readonly typed: string;
  /** The options so far that say what is asked, and whom: `scope`, `profile`, `insecure`. */
  readonly given: ReadonlyMap<string, string>;
}

/** Where on the command line the last of some words stands: what is suggested there is of that command and no other. */
export function placeOf(root: Command, words: readonly string[]): Place {
  const [rest, typed] = [words.slice(0, -1), words.at(-1) ?? ""];
  const { command, after } = follow(root, rest);
  const options = new Map(
    Object.entries(command.args).flatMap(([name, argument]) => spellings(name, argument).map((spelling) => [spelling, { name, argument }] as const)),
  );
  const given = new Map<string, string>();
  let places = 0;
  let open: { name: string; argument: Argument } | undefined;
  for (const word of after) {
    if (open) {
      given.set(open.name, word);
      open = undefined;
      continue;
    }
    const [flag = "", value] = word.split(/=(.*)/s);
    const option = options.get(flag);
    if (!word.startsWith("-")) places++;
    else if (option && value !== undefined) given.set(option.name, value);
    else if (option && option.argument.type !== "boolean") open = option;
    else if (option) given.set(option.name, "");
  }
  const common = { given, before: "", typed };
  if (rest.includes("--")) return { ...common, suggestions: [], asks: "file" };
  if (open) return { ...common, ...valuesOf(open.argument) };
  const [, flag, value] = /^(--[\w-]+)=(.*)$/s.exec(typed) ?? [];
  const option = flag === undefined ? undefined : options.get(flag);
  if (option && value !== undefined) return { ...common, ...valuesOf(option.argument), before: `${flag}=`, typed: value };
  if (typed.startsWith("-")) return { ...common, suggestions: optionsOf(command, given), asks: undefined };
  const commands = after.length === 0 ? Object.entries(command.subCommands ?? {}).filter(([, { hidden }]) => !hidden) : [];
  const positions = Object.values(command.args).filter((argument) => argument.type === "positional");
  const last = positions.at(-1);
  const position = positions[places] ?? (last?.repeatable ? last : undefined);
  const values = position ? valuesOf(position) : { suggestions: [], asks: undefined };
  return { ...common, ...values, suggestions: [...commands.map(([word, { description }]) => ({ word, about: description })), ...values.suggestions] };
}

/** Follows the words down the tree, by the other names of commands too. */
function follow(command: Command, words: readonly string[]): { readonly command: Command; readonly after: readonly string[] } {
  const [word, ...rest] = words;
  const below = Object.entries(command.subCommands ?? {}).find(([name, { aliases }]) => name === word || aliases?.includes(word ?? ""));
  return below ? follow(below[1], rest) : { command, after: words };
}

function spellings(name: string, argument: Argument): string[] {
  if (argument.type === "positional") return [];
  const opposite = argument.type === "boolean" && argument.negativeDescription !== undefined ? [`--no-${name}`] : [];
  return [`--${name}`, ...opposite, ...("alias" in argument ? [`-${argument.alias}`] : [])];
}

function valuesOf(argument: Argument): Pick<Place, "suggestions" | "asks"> {
  const options = "options" in argument ? (argument.options ?? []) : [];
  const isFile = argument.type === "string" && (argument.valueHint === "FILE" || argument.valueHint === "PATH");
  return { suggestions: options.map((word) => ({ word, about: "" })), asks: "suggests" in argument ? argument.suggests : isFile ? "file" : undefined };
}

/** The options of a command, without those that may not be given again. */
function optionsOf({ args }: Command, given: ReadonlyMap<string, string>): Suggestion[] {
  const all = Object.entries(args).flatMap(([name, argument]) => {
    if (argument.type === "positional" || argument.hidden || argument.deprecated !== undefined) return [];
    if (given.has(name) && !(argument.type === "string" && argument.repeatable)) return [];
    const opposite =
      argument.type === "boolean" && argument.negativeDescription !== undefined ? [{ word: `--no-${name}`, about: argument.negativeDescription }] : [];
    return [{ word: `--${name}`, about: argument.description }, ...opposite];
  });
  return [...all, { word: "--help", about: "show what it takes" }];
}
