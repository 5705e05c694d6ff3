import { usageError } from "../cli/cli-error.ts";

/** Where the values of a job go. */
export type Into = "environment" | "outputs" | "file";

/** What a workflow says under `with`. */
export interface Inputs {
  readonly url: string;
  /** `<organization>/<name of the trust>`. */
  readonly trust: string;
  /** Those of the trust, where none are named. */
  readonly scopes: readonly string[] | undefined;
  /** Everything that applies, where none are named. */
  readonly secrets: readonly string[] | undefined;
  readonly into: Into;
  readonly file: string | undefined;
}

/**
 * The inputs as the runner gives them: variables that begin with `INPUT_`.
 *
 * @throws {CliError} which says which one is wrong.
 */
export function readInputs(env: Readonly<Record<string, string | undefined>>): Inputs {
  const input = (name: string) => env[`INPUT_${name.toUpperCase()}`]?.trim() || undefined;
  const needed = (name: string) => input(name) ?? fail(`the input ${name} is missing`, `with:\n  ${name}: …`);
  const words = (name: string) =>
    input(name)
      ?.split(/[\s,]+/)
      .filter((word) => word !== "");
  const into = input("into") ?? (input("file") ? "file" : "environment");
  if (into !== "environment" && into !== "outputs" && into !== "file") return fail("the input into is something else", "environment, outputs or file");
  if ((into === "file") !== (input("file") !== undefined)) fail("the inputs into and file do not fit", "into: file and file: PATH go together");
  return { url: needed("url"), trust: needed("trust"), scopes: words("scopes"), secrets: words("secrets"), into, file: input("file") };
}

function fail(message: string, hint: string): never {
  throw usageError(message, hint);
}
