import { EXIT, type ExitCode } from "./exit-code.ts";

/** An error as people see it: what is wrong, and what to do about it. Neither holds a value. */
export class CliError extends Error {
  readonly hint: string;
  readonly exitCode: ExitCode;

  constructor(message: string, hint: string, exitCode: ExitCode = EXIT.failed) {
    super(message);
    this.name = "CliError";
    this.hint = hint;
    this.exitCode = exitCode;
  }
}

/** The command line itself is wrong. */
export function usageError(message: string, hint: string): CliError {
  return new CliError(message, hint, EXIT.usage);
}
