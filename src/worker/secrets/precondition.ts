import { Problem } from "../../contract/problem.ts";
import type { SecretRow } from "../store/secret-columns.ts";

/** A state that a secret can be in. A revision of an id is never a state of a later secret of the same name. */
export type SecretState = "absent" | "present" | { readonly id: string; readonly revision: number } | { readonly version: number };

/** What a conditional write wants, and what it does not: of the states that are required one must hold, of those refused none. */
export interface Precondition {
  readonly required?: readonly SecretState[] | undefined;
  readonly refused?: readonly SecretState[] | undefined;
}

type Current = Pick<SecretRow, "id" | "revision" | "version"> | undefined;

/**
 * Refuses a write whose conditions the current row (or its absence) does not meet.
 *
 * @throws {Problem} `version-conflict`.
 */
export function checkPrecondition({ required, refused }: Precondition, current: Current): void {
  if (required && !required.some((state) => isIn(state, current)))
    throw new Problem("version-conflict", "The secret is not in the state that the request names.");
  if (refused?.some((state) => isIn(state, current))) throw new Problem("version-conflict", "The secret is in the state that the request excludes.");
}

function isIn(state: SecretState, current: Current): boolean {
  if (state === "absent") return current === undefined;
  if (current === undefined) return false;
  if (state === "present") return true;
  return "version" in state ? state.version === current.version : state.id === current.id && state.revision === current.revision;
}
