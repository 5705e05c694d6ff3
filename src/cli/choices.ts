import { usageError } from "./cli-error.ts";
import { nearest } from "./edit-distance.ts";

/** What an argument may be. */
export interface Choices {
  readonly options: readonly string[];
}

/** Refuses what is none of a few values. What was given is not repeated: it could be anything. */
export function requireChoice(argument: string, given: string, { options }: Choices): void {
  if (options.includes(given)) return;
  const near = nearest(given, options);
  throw usageError(
    `${argument} is not one that there is`,
    near === undefined ? `one of: ${options.join(", ")}` : `did you mean ${near}? One of: ${options.join(", ")}`,
  );
}
