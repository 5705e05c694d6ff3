/** Why a call outward was not made, or has no answer. */
export type OutgoingRefusal =
  /** The address is no https URL with a public name and a port that is allowed. */
  | "not-public"
  /** It is the deployment's own. */
  | "own-address"
  /** The Worker runs without the flag that keeps calls on the public network. */
  | "flag-missing"
  /** Nothing came within the time that there was for the first byte. */
  | "too-slow"
  /** The caller has left, or the whole time is over. */
  | "ended"
  | "unreachable";

/** A call outward that has no answer. Its message holds nothing of the call; the error behind it may, and is not kept. */
export class OutgoingError extends Error {
  override readonly name = "OutgoingError";

  constructor(readonly refusal: OutgoingRefusal) {
    super(`a call outward has no answer: ${refusal}`);
  }
}
