import { Problem } from "../../../contract/problem.ts";
import type { VariableFormat } from "../../../contract/resolve.ts";
import type { Variable } from "./variable.ts";
import { dotenvForm, writeDotenv } from "./write-dotenv.ts";
import { envFileLine, writeEnvFile } from "./write-env-file.ts";

/** A form for variables. */
interface VariableForm {
  readonly type: string;
  /** Whether it has a way to say a variable that its readers all read back exactly. */
  readonly canSay: (variable: Variable) => boolean;
  readonly write: (variables: readonly Variable[]) => string;
  /** What a value has that it cannot say. */
  readonly cannot: string;
}

const TEXT = "text/plain; charset=UTF-8";

/** The forms for variables, by the format that asks for them. */
export const VARIABLE_FORMS: Readonly<Record<VariableFormat, VariableForm>> = {
  env: {
    type: "application/json",
    canSay: ({ value }) => !value.includes("\0"),
    write: (variables) => JSON.stringify(Object.fromEntries(variables.map(({ name, value }) => [name, value]))),
    cannot: "it holds a NUL, which no variable can",
  },
  dotenv: {
    type: TEXT,
    canSay: ({ value }) => dotenvForm(value) !== undefined,
    write: writeDotenv,
    cannot: "there are no quotes in which dotenv, python-dotenv, godotenv, Node and sh all read it as it is",
  },
  docker: {
    type: TEXT,
    canSay: ({ name, value }) => envFileLine(name, value) !== undefined,
    write: writeEnvFile,
    cannot: "it holds a line end or a NUL, or is longer than a line may be",
  },
};

/** Why a variable cannot be had in a format; `undefined` where it can. */
export function whyUnwritable(format: VariableFormat, variable: Variable): Problem | undefined {
  const { canSay, cannot } = VARIABLE_FORMS[format];
  if (canSay(variable)) return undefined;
  return new Problem("invalid-request", `${variable.name} has no form as ${format}: ${cannot}. format=json has it, and format=raw by itself.`);
}
