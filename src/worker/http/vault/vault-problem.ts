import type { Context } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import { PROBLEMS, Problem, type ProblemCode, storageUnavailable } from "../../../contract/problem.ts";
import { IssuerError } from "../../access/fetch-issuer-document.ts";
import { refusalOf } from "../../access/refusal.ts";
import { ExchangeError } from "../../grants/exchange-error.ts";
import { noteRevoked } from "../count-refusal.ts";
import type { HonoEnv } from "../hono-env.ts";
import { countFailure } from "../middleware/limit-rate.ts";
import { needsOf } from "../needs-of.ts";
import { problemOfCall } from "../to-problem.ts";

/**
 * What a write with a condition is refused by, in Vault's words: clients look for them.
 *
 * @throws {Problem} `version-conflict`; any other error as it is.
 */
export function asCasMismatch(error: unknown): never {
  if (!(error instanceof Problem && error.code === "version-conflict")) throw error;
  throw new Problem("version-conflict", "check-and-set parameter did not match the current version", { cause: error });
}

/**
 * The status of a problem here, where it is another one than on the native front: clients of Vault know no 401, 409, 410,
 * 412, 415 and 422.
 */
const STATUSES: Partial<Record<ProblemCode, 400 | 403 | 404 | 503>> = {
  unauthenticated: 403,
  "secret-exists": 400,
  "env-name-conflict": 400,
  "write-conflict": 503,
  "secret-expired": 404,
  "version-conflict": 400,
  "unsupported-media-type": 400,
  "quota-exceeded": 400,
  "name-locked": 400,
  "name-reserved": 400,
  "scope-cycle": 400,
};

/** The status with which a problem is answered here. */
export function vaultStatus(problem: Problem): ContentfulStatusCode {
  if (isMissingToken(problem)) return 400;
  return STATUSES[problem.code] ?? (PROBLEMS[problem.code].status as ContentfulStatusCode);
}

/** What is wrong, as clients of Vault show it: nothing of what is not there. */
export function vaultErrors(problem: Problem): string[] {
  if (isMissingToken(problem)) return ["missing client token"];
  if (problem.code === "unauthenticated") return ["permission denied"];
  if (problem.code === "forbidden") return ["permission denied", problem.message];
  if (problem.code === "route-not-found") return ["no handler for route: there is no such path in this part of Vault's API; /docs lists what there is"];
  if (vaultStatus(problem) === 404) return [];
  const listed = problem.members.errors?.map(({ pointer, detail }) => (pointer === "" ? detail : `${pointer}: ${detail}`));
  return listed ?? [problem.message];
}

function isMissingToken(problem: Problem): boolean {
  return problem.code === "unauthenticated" && refusalOf(problem) === "no-token";
}

/** A problem as clients of Vault know it. */
export function vaultProblemReply(c: Context<HonoEnv>, problem: Problem): Response {
  c.set("problem", problem.code);
  const refusal = refusalOf(problem);
  if (refusal) c.set("refusal", refusal);
  for (const name of ["Allow", "Retry-After"]) if (problem.headers[name] !== undefined) c.header(name, problem.headers[name]);
  if (problem.code === "write-conflict") c.header("Retry-After", "1");
  return c.json({ errors: vaultErrors(problem) }, vaultStatus(problem));
}

/** Refuses a call, on record as on the native front. */
export async function refuseVaultCall(error: Error, c: Context<HonoEnv>): Promise<Response> {
  const problem = await problemOfCall(ofLogin(error), () => ({ ...needsOf(c), caller: c.get("caller"), attempt: c.get("attempt") }));
  noteRevoked(c, error);
  const tooMany = problem.code === "unauthenticated" ? await countFailure(c) : undefined;
  return vaultProblemReply(c, tooMany ?? problem);
}

/** A login that is refused says no more than a bad token does. */
function ofLogin(error: Error): Error {
  if (error instanceof ExchangeError) return new Problem("unauthenticated", "The login is refused.", { cause: error });
  if (error instanceof IssuerError) return storageUnavailable("The issuer's keys are not available.", error);
  return error;
}
