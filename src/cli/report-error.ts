import { KeyholeError } from "../client/create-client.ts";
import { describeError } from "./describe-error.ts";
import type { ExitCode } from "./exit-code.ts";
import { endProgress, noteError, noteJson } from "./output.ts";

/** Says what was thrown on standard error, as two lines or as a line of JSON. Returns the exit code. */
export function reportError(error: unknown, json = false): ExitCode {
  const { message, hint, exitCode, places } = describeError(error);
  const { code, requestId } = error instanceof KeyholeError ? error : {};
  endProgress();
  if (json)
    noteJson({
      error: { message, hint, exit_code: exitCode, ...(places.length > 0 && { places }), ...(code && { code }), ...(requestId && { request_id: requestId }) },
    });
  else noteError(message, hint, places);
  return exitCode;
}
