import { EXIT } from "./exit-code.ts";

/** What of the deployment, or of this machine, a shell may suggest for an argument. */
export type Suggested = "scope" | "secret" | "profile" | "service" | "store" | "trust" | "login" | "webhook" | "file";

interface Described {
  readonly description: string;
  /** Whether help and completion leave it out. */
  readonly hidden?: boolean;
  /** What took its place, where it is taken for old scripts only. */
  readonly deprecated?: string;
}

/** An argument by its place. */
interface Positional extends Described {
  readonly type: "positional";
  readonly required?: false;
  /** Whether it is all that are left, none too. It is the last one then. */
  readonly repeatable?: true;
  readonly options?: readonly string[];
  readonly suggests?: Suggested;
}

/** An option that is there or not. With a `negativeDescription` there is `--no-…` too. */
interface Flag extends Described {
  readonly type: "boolean";
  readonly alias?: string;
  readonly default?: true;
  readonly negativeDescription?: string;
}

/** An option with a value: given twice it is refused, unless it is `repeatable`. */
interface Valued extends Described {
  readonly type: "string";
  readonly alias?: string;
  readonly valueHint: string;
  readonly default?: string;
  readonly repeatable?: true;
  readonly suggests?: Suggested;
}

/** An option with one of a few values. */
interface Choice extends Described {
  readonly type: "enum";
  readonly alias?: string;
  readonly options: readonly string[];
}

/** An argument of a command. */
export type Argument = Positional | Flag | Valued | Choice;

/** The arguments of a command by their names. */
export type Arguments = Readonly<Record<string, Argument>>;

/** The options that every command has, unless its definition says which. */
const COMMON = {
  profile: { type: "string", valueHint: "NAME", description: "the saved deployment to use, in place of the default one", suggests: "profile" },
  json: { type: "boolean", description: "print JSON, for programs; errors too, on standard error" },
  insecure: { type: "boolean", description: "talk to an address that is neither https nor this machine, in the clear" },
} as const satisfies Arguments;

/** The names of {@link COMMON}. */
export const COMMON_NAMES: readonly string[] = Object.keys(COMMON);

/** The option of the commands that can do without a deployment. */
const LOCAL = { local: { type: "boolean", description: "the secrets of this machine, without a deployment" } } as const satisfies Arguments;

/** What an argument is once it is parsed: there, where it has a default or is required. */
type Parsed<A extends Argument> = A extends { type: "boolean" }
  ? boolean | undefined
  : A extends { type: "enum"; options: readonly (infer O)[] }
    ? O | undefined
    : A extends { repeatable: true }
      ? readonly string[] | undefined
      : A extends { type: "positional"; required: false }
        ? string | undefined
        : A extends { type: "positional" } | { default: string }
          ? string
          : string | undefined;

/** The arguments of a command, with the ones that every command has. */
type ParsedArguments<T extends Arguments> = { readonly [K in keyof (T & typeof COMMON)]: Parsed<(T & typeof COMMON)[K]> };

/** What a command gets beside its arguments. */
export interface Invocation {
  /** Every value of an option that may be repeated, as it is. */
  each(option: string): string[];
  /** Every value of an option that may be repeated; commas separate values too. None only where it was left out. */
  all(option: string): string[];
  /** The options and arguments that were given. */
  readonly given: readonly string[];
  /** What follows `--`: a command and its arguments. */
  readonly child: readonly string[];
  /** Whether it is about the secrets of this machine, without a deployment. */
  readonly local: boolean;
}

type Ending = number | undefined;

/** A command, what its help says, and what it does. */
interface Definition<T extends Arguments> {
  readonly description: string;
  /** Whether help leaves it out: what is there only to say what took its place, or for programs. */
  readonly hidden?: boolean;
  /** Further names of it. */
  readonly aliases?: readonly string[];
  /** Under which head the help of the command above lists it. */
  readonly group?: string;
  readonly examples?: readonly string[];
  readonly args?: T;
  /** Which options of {@link COMMON} it takes; all of them unless told. */
  readonly common?: readonly (keyof typeof COMMON)[];
  readonly takesChild?: boolean;
  /** Which options it takes with `--local`; without this it needs a deployment. */
  readonly local?: readonly string[];
  /** What to say to more arguments than there are, in place of repeating them: one could be a value. */
  readonly surplus?: { readonly message: string; readonly hint: string };
  readonly subCommands?: Readonly<Record<string, Command>>;
  /** Returns the exit code, if it is not 0. */
  // biome-ignore lint/suspicious/noConfusingVoidType: most commands end without saying so.
  run?(args: ParsedArguments<T>, invocation: Invocation): Promise<Ending | void> | Ending | void;
}

/** A command of the tree, with every argument that it takes. */
export interface Command extends Omit<Definition<Arguments>, "args" | "common" | "run"> {
  readonly args: Arguments;
  readonly run?: (args: Readonly<Record<string, unknown>>, invocation: Invocation) => Promise<number>;
}

/** Makes a command of the tree. */
export function command<const T extends Arguments = Record<never, never>>({ common, run, ...definition }: Definition<T>): Command {
  // A name that only leads to commands takes no options: they come after the command.
  const shared = run ? Object.fromEntries((common ?? ["profile", "json", "insecure"]).map((name) => [name, COMMON[name]])) : {};
  const args: Arguments = { ...definition.args, ...(definition.local && LOCAL), ...shared };
  if (!run) return { ...definition, args };
  return { ...definition, args, run: async (parsed, invocation) => (await run(parsed as ParsedArguments<T>, invocation)) ?? EXIT.ok };
}
