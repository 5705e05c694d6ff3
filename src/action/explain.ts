import { CliError } from "../cli/cli-error.ts";
import { describeError } from "../cli/describe-error.ts";

/** An error as the log shows it: what is wrong, and what to do about it. */
export function explain(error: unknown): string {
  const { message, hint } = error instanceof CliError ? error : describeError(error);
  return hint ? `${message} (${hint})` : message;
}
