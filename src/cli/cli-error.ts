import { EXIT, type ExitCode } from "./exit-code.ts";

/** An error as people see it: what is wrong, and what to do about it. Neither holds a value. */
export class CliError extends Error {
  readonly hint: string;
  readonly exitCode: ExitCode;
  /** Each thing that is wrong, where there are several: a line for each. */
  readonly places: readonly string[];

  constructor(message: string, hint: string, exitCode: ExitCode = EXIT.failed, places: readonly string[] = []) {
    super(message);
    this.places = places;
    this.name = "CliError";
    this.hint = hint;
    this.exitCode = exitCode;
  }
}

/** The command line itself is wrong. */
export function usageError(message: string, hint: string, places: readonly string[] = []): CliError {
  return new CliError(message, hint, EXIT.usage, places);
}
