import type { Pattern } from "../../contract/pattern.ts";
import { Problem } from "../../contract/problem.ts";
import { ALWAYS_RESERVED, reservingPattern } from "../../contract/reserved-name.ts";
import { envName, type SecretName } from "../../contract/secret-name.ts";

/**
 * Refuses a name whose environment variable is reserved, by Keyhole or by the deployment.
 *
 * @throws {Problem} `name-reserved`, naming the pattern and where it is configured.
 */
export function refuseReservedName(name: SecretName, deployment: readonly Pattern[]): void {
  const problem = reservedNameProblem(name, deployment);
  if (problem) throw new Problem("name-reserved", problem);
}

/** Whether the variable that a secret would become is reserved, by Keyhole or by the deployment. */
export function isReserved(name: SecretName, deployment: readonly Pattern[]): boolean {
  return (reservingPattern(ALWAYS_RESERVED, name) ?? reservingPattern(deployment, name)) !== undefined;
}

/** Why a name is reserved, in a sentence, or `undefined` when it is not. */
export function reservedNameProblem(name: SecretName, deployment: readonly Pattern[]): string | undefined {
  const always = reservingPattern(ALWAYS_RESERVED, name);
  if (always) return `${name} would become the variable ${envName(name)}, which is reserved by the pattern ${always} in Keyhole's own list.`;
  const configured = reservingPattern(deployment, name);
  if (configured)
    return `${name} would become the variable ${envName(name)}, which is reserved by the pattern ${configured} in the deployment's RESERVED_NAMES.`;
  return undefined;
}
