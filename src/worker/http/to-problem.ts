import { Problem, storageUnavailable } from "../../contract/problem.ts";
import type { Caller } from "../access/caller.ts";
import { ConfigError } from "../config.ts";
import { type Attempt, recordDenial } from "../transaction/record-denial.ts";

/** Anything that was thrown, as a problem. What is not meant for clients becomes `internal` and says nothing. */
export function toProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  // A Worker that lacks a secret does nothing by halves.
  if (error instanceof ConfigError) return storageUnavailable("The service is not configured; /readyz says what is missing.", error);
  return new Problem("internal", "Something went wrong here. The request id finds it in the log.", { cause: error });
}

/** What a call tried, for the audit event of a refusal. */
export interface AttemptedCall {
  readonly db: D1Database;
  readonly now: Date;
  readonly caller: Caller;
  readonly attempt: Attempt;
}

/** The problem by which a call is refused; a denial is on record first, and where it cannot be, that is the problem. */
export async function problemOfCall(error: unknown, { db, now, caller, attempt }: AttemptedCall): Promise<Problem> {
  const problem = toProblem(error);
  if (problem.code !== "forbidden") return problem;
  try {
    await recordDenial({ db, now }, caller, attempt, problem.about);
    return problem;
  } catch (failure) {
    return toProblem(failure);
  }
}
