import { type ArgDef, type ArgsDef, type CommandDef, defineCommand } from "citty";
import { EXIT } from "./exit-code.ts";

/** The options that every command has, unless its definition says which. */
const COMMON = {
  profile: { type: "string", valueHint: "NAME", description: "the saved deployment to use, in place of the default one" },
  json: { type: "boolean", description: "print JSON, for programs" },
  insecure: { type: "boolean", description: "talk to an address that is neither https nor this machine, in the clear" },
} as const satisfies ArgsDef;

/** The option of the commands that can do without a deployment. */
const LOCAL = { local: { type: "boolean", description: "the secrets of this machine, without a deployment" } } as const satisfies ArgsDef;

/** What an argument is once it is parsed: there, where it has a default or is required. */
type Parsed<A extends ArgDef> = A extends { type: "boolean" }
  ? boolean | undefined
  : A extends { type: "enum"; options: readonly (infer O)[] }
    ? O | undefined
    : A extends { type: "positional"; required: false }
      ? string | undefined
      : A extends { type: "positional" } | { default: string }
        ? string
        : string | undefined;

/** The arguments of a command, with the ones that every command has. */
type Arguments<T extends ArgsDef> = { readonly [K in keyof (T & typeof COMMON)]: Parsed<(T & typeof COMMON)[K]> };

/** What a command gets beside its arguments. */
export interface Invocation {
  /** Every value of an option that may be repeated, as it is. */
  each(option: string): string[];
  /** Every value of an option that may be repeated; commas separate values too. None only where it was left out. */
  all(option: string): string[];
  /** What follows `--`: a command and its arguments. */
  readonly child: readonly string[];
  /** Whether it is about the secrets of this machine, without a deployment. */
  readonly local: boolean;
}

type Ending = number | undefined;

/** A command, what its help says, and what it does. */
export interface Definition<T extends ArgsDef> {
  readonly description: string;
  /** Whether help leaves it out: what is there only to say what took its place. */
  readonly hidden?: boolean;
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
  run?(args: Arguments<T>, invocation: Invocation): Promise<Ending | void> | Ending | void;
}

/** A command of the tree. */
export interface Command {
  readonly citty: CommandDef<ArgsDef>;
  readonly definition: Definition<ArgsDef>;
}

/** Makes a command of the tree. */
export function command<const T extends ArgsDef = Record<never, never>>(definition: Definition<T>): Command {
  const args: ArgsDef = { ...definition.args, ...(definition.local && LOCAL), ...commonOf(definition) };
  const citty = defineCommand({
    meta: { description: definition.description, hidden: definition.hidden ?? false },
    args,
    run: async ({ args, data }) => (await definition.run?.(args as unknown as Arguments<T>, data as Invocation)) ?? EXIT.ok,
  });
  return { citty, definition: { ...definition, args } as unknown as Definition<ArgsDef> };
}

/** A name that only leads to commands takes no options: they come after the command. */
function commonOf({ run, common = ["profile", "json", "insecure"] }: Pick<Definition<never>, "run" | "common">): ArgsDef {
  return run ? Object.fromEntries(common.map((name) => [name, COMMON[name]])) : {};
}
