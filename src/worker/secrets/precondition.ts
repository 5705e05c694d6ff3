import { Problem } from "../../contract/problem.ts";
import type { SecretRow } from "../store/secret-columns.ts";

/** A state that a secret can be in. A revision of an id is never a state of a later secret of the same name. */
export type SecretState =
  | "absent"
  | "present"
  | { readonly id: string; readonly revision: number }
  | { readonly version: number }
  /** The number of its last version, also where it is deleted and can come back; 0 where there is none. */
  | { readonly last: number };

/** What a conditional write wants, and what it does not: of the states that are required one must hold, of those refused none. */
export interface Precondition {
  readonly required?: readonly SecretState[] | undefined;
  readonly refused?: readonly SecretState[] | undefined;
}

type Current = Pick<SecretRow, "id" | "revision" | "version"> | undefined;

/**
 * Refuses a write whose conditions the current row (or its absence) does not meet.
 *
 * @param kept The row that there is, where it may be that of a deleted secret that can come back: then `current` is `undefined`.
 * @throws {Problem} `version-conflict`.
 */
export function checkPrecondition({ required, refused }: Precondition, current: Current, kept: Current = current): void {
  if (required && !required.some((state) => isIn(state, current, kept)))
    throw new Problem("version-conflict", "The secret is not in the state that the request names.");
  if (refused?.some((state) => isIn(state, current, kept))) throw new Problem("version-conflict", "The secret is in the state that the request excludes.");
}

function isIn(state: SecretState, current: Current, kept: Current): boolean {
  if (state === "absent") return current === undefined;
  if (typeof state === "object" && "last" in state) return state.last === (kept?.version ?? 0);
  if (current === undefined) return false;
  if (state === "present") return true;
  return "version" in state ? state.version === current.version : state.id === current.id && state.revision === current.revision;
}
