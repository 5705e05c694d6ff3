import fc from "fast-check";
import { find, type Model } from "./model.ts";
import type { Real } from "./real.ts";

export type Command = fc.AsyncCommand<Model, Real>;

/** Commands of one sort: `run` does the same to the model and to the Worker, and compares. */
export function commands<T>(
  label: string,
  parameters: fc.Arbitrary<T>,
  run: (parameters: T, model: Model, real: Real) => Promise<void>,
): fc.Arbitrary<Command> {
  return parameters.map((drawn) => ({
    check: () => true,
    run: (model, real) => run(drawn, model, real),
    toString: () => `${label} ${JSON.stringify(drawn)}`,
  }));
}

// Few places, and some more often than others: so that calls meet.
export const scopes = fc.constantFrom("repo:a/b", "repo:a/b", "repo:a/b", "global", "global", "namespace:p", "namespace:q", "team:t");
export const names = fc.constantFrom("A", "A", "A", "B", "c.d", "C_D", "BUILT");
export const values = fc.constantFrom("1", "2", "3", "4", "é\n");
/** Where a secret is: half of the time the same place, so that one secret has a long life. */
export const place = fc.oneof(fc.constant({ scope: "repo:a/b", name: "A" }), fc.record({ scope: scopes, name: names }));
export const fields = fc.record(
  {
    description: fc.constantFrom(null, "d", "e"),
    labels: fc.constantFrom({}, { a: "1" }, { a: "2", b: "1" }),
    expiresInDays: fc.constantFrom(null, -1, 0, 1, 1, 3),
    rotateAfterDays: fc.constantFrom(null, 1, 2),
    locked: fc.constantFrom(true, false, false),
  },
  { requiredKeys: [] },
);
export const condition = fc.constantFrom("none", "none", "none", "current", "stale", "new");

/** The headers of a conditional write, with the entity tag that the secret has now. */
export async function conditionHeaders(kind: string, id: string | undefined, real: Real): Promise<Record<string, string>> {
  if (kind === "none") return {};
  if (kind === "new") return { "If-None-Match": "*" };
  if (kind === "stale" || id === undefined) return { "If-Match": '"sec_other.1"' };
  return { "If-Match": (await real.call(`GET /v1/secrets/${id}`)).etag };
}

/** Whether a condition keeps a write from happening. */
export const fails = (kind: string, exists: boolean) => (exists ? kind === "stale" || kind === "new" : kind === "stale" || kind === "current");

/** The id of a secret, or one that is nobody's. */
export const idOf = (model: Model, scope: string, name: string) => find(model, scope, name)?.id ?? "sec_nobody";

export const pathOf = (scope: string, name: string) => `/v1/scopes/${encodeURIComponent(scope)}/secrets/${name}`;
