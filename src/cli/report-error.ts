import { describeError } from "./describe-error.ts";
import type { ExitCode } from "./exit-code.ts";
import { endProgress, noteError } from "./output.ts";

/** Says what was thrown, as two lines on standard error. Returns the exit code. */
export function reportError(error: unknown): ExitCode {
  const { message, hint, exitCode, places } = describeError(error);
  endProgress();
  noteError(message, hint, places);
  return exitCode;
}
