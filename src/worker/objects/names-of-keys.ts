import { MAX_OBJECT_KEYS } from "../../contract/object.ts";
import { nameOfKey } from "../../contract/object-key.ts";
import { Problem } from "../../contract/problem.ts";
import type { SecretName } from "../../contract/secret-name.ts";
import { badKey } from "./object.ts";

/**
 * What is given by key, by the names under which the keys are stored.
 *
 * @throws {Problem} `invalid-request` for a key that cannot be stored, `too-many-secrets`.
 */
export function namesOfKeys<Given>(given: ReadonlyMap<string, Given>): Map<SecretName, Given> {
  if (given.size > MAX_OBJECT_KEYS) throw new Problem("too-many-secrets", `An object is written with at most ${MAX_OBJECT_KEYS} keys; it has ${given.size}.`);
  return new Map(
    [...given].map(([key, value]) => {
      const stored = nameOfKey(key);
      if ("reason" in stored) throw badKey(key, stored.reason);
      return [stored.name, value];
    }),
  );
}
