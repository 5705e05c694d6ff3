import fc from "fast-check";
import type { Api, Route } from "./api.ts";
import { type Body, bodyFor } from "./body.ts";
import { headersFor } from "./headers.ts";
import { pathFor, queryFor } from "./target.ts";
import type { Known } from "./valid.ts";

/** A request, as bare as it goes over the wire. */
export interface FuzzedRequest {
  readonly method: string;
  /** Path and query. */
  readonly target: string;
  readonly headers: readonly (readonly [string, string])[];
  readonly body: Body | undefined;
  /** Which of the tokens it carries. */
  readonly grant: Grant;
}

/** The callers, from one who may do everything to one whose token is none. */
export const GRANTS = ["everything", "read", "write", "resolve", "limited", "another org", "platform", "expired", "none"] as const;
export type Grant = (typeof GRANTS)[number];

const METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PURGE"];

/** Requests of one operation: valid, nearly valid, and hostile in every part. */
export function requestFor(api: Api, known: Known, route: Route): fc.Arbitrary<FuzzedRequest> {
  const method = fc.oneof({ weight: 30, arbitrary: fc.constant(route.method) }, fc.constantFrom(...METHODS));
  const body = route.requestBody
    ? fc.option(bodyFor(api, known, route), { nil: undefined, freq: 20 })
    : fc.option(bodyFor(api, known, route), { nil: undefined, freq: 1 });
  return fc
    .record({ method, path: pathFor(api, known, route), query: queryFor(api, known, route), headers: headersFor(known, route), body, grant })
    .map(({ path, query, ...rest }) => ({ ...rest, target: path + query, body: /GET|HEAD/.test(rest.method) ? undefined : rest.body }));
}

const grant: fc.Arbitrary<Grant> = fc.oneof({ weight: 3, arbitrary: fc.constant<Grant>("everything") }, fc.constantFrom(...GRANTS));
