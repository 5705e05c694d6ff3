import { describeError } from "./describe-error.ts";
import type { ExitCode } from "./exit-code.ts";
import { clean, endProgress, note, noteColors } from "./output.ts";

/** Says what was thrown, as two lines on standard error. Returns the exit code. */
export function reportError(error: unknown): ExitCode {
  const { message, hint, exitCode } = describeError(error);
  endProgress();
  note(`${noteColors.red("error:")} ${clean(message)}\n${noteColors.dim("hint:")} ${clean(hint)}`);
  return exitCode;
}
