import { Problem, storageUnavailable } from "../../contract/problem.ts";
import type { Caller } from "../access/caller.ts";
import { ConfigError } from "../config.ts";
import { type Attempt, type DenialNeeds, recordDenial } from "../transaction/record-denial.ts";
import { type Failure, recordFailure, UnreleasedError } from "../transaction/record-failure.ts";
import { IntegrityProblem } from "../transaction/verify-row.ts";

/** Anything that was thrown, as a problem. What is not meant for clients becomes `internal` and says nothing. */
export function toProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof UnreleasedError) return toProblem(error.cause);
  // A Worker that lacks a secret does nothing by halves.
  if (error instanceof ConfigError)
    return storageUnavailable("The service is not configured; /readyz says which part, and the log what is wrong with it.", error);
  return new Problem("internal", "Something went wrong here. The request id finds it in the log.", { cause: error });
}

/** What a call tried, for the audit event of a refusal. */
export interface AttemptedCall extends DenialNeeds {
  readonly caller: Caller;
  readonly attempt: Attempt;
}

/**
 * The problem by which a call is refused. A denial, what is on record and did not leave, and what is stored and not what was
 * written, is on record first; where it cannot be, that is the problem.
 *
 * @param call Called for these only: other calls may have come to nothing before there was a caller.
 */
export async function problemOfCall(error: unknown, call: () => AttemptedCall): Promise<Problem> {
  const problem = toProblem(error);
  try {
    if (isDenial(problem)) await recordDenial(call(), call().caller, call().attempt, problem.about);
    const failure = failureOf(error, problem);
    if (failure) await recordFailure(call(), call().caller, failure);
    return problem;
  } catch (failure) {
    return toProblem(failure);
  }
}

/** Whether a valid token was refused something: what says what it is about is so, whatever its code. */
export function isDenial({ code, about }: Problem): boolean {
  return code === "forbidden" || code === "use-not-allowed" || about.length > 0;
}

function failureOf(error: unknown, problem: Problem): Failure | undefined {
  const failure = error instanceof UnreleasedError ? error.failure : { broken: [] };
  if (problem instanceof IntegrityProblem) return { ...failure, broken: [...failure.broken, problem.row] };
  return error instanceof UnreleasedError ? failure : undefined;
}
