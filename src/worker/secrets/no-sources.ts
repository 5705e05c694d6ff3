import { Problem } from "../../contract/problem.ts";
import type { SourceReader } from "./sources.ts";

/** For credentials of what is asked from here: one that came from a store itself could go round in circles. */
export function noSources(what: "store" | "login"): SourceReader {
  return {
    async read(_, secrets) {
      const problem = new Problem("source-cycle", `A credential of a ${what} is a secret with a value of its own, and has none from a store.`);
      return secrets.map(() => ({ reason: "store-unavailable", problem }));
    },
  };
}
