import fc from "fast-check";
import { type Api, type Route, spendsToken } from "./api.ts";
import { type Body, bodyFor } from "./body.ts";
import { type Again, again, headersFor } from "./headers.ts";
import { pathFor, queryFor } from "./target.ts";
import type { Known } from "./valid.ts";
import type { Header } from "./wire-headers.ts";

/** A request, as bare as it goes over the wire. */
export interface FuzzedRequest {
  readonly method: string;
  /** Path and query. */
  readonly target: string;
  readonly headers: readonly Header[];
  /** One of the headers that whoever sends the request adds, sent a second time. */
  readonly again: Again | undefined;
  readonly body: Body | undefined;
  /** Whether the body goes in chunks, without its length. */
  readonly chunked: boolean;
  /** Which of the tokens it carries. */
  readonly grant: Grant;
  /** Whether that token is for this request alone, which may make an end of it. */
  readonly spends: boolean;
}

/** The callers, from one who may do everything to one whose token is none. */
export const GRANTS = ["everything", "read", "write", "resolve", "limited", "another org", "platform", "expired", "none"] as const;
export type Grant = (typeof GRANTS)[number];

const METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PURGE"];

/** Requests of one operation: valid, nearly valid, and hostile in every part. */
export function requestFor(api: Api, known: Known, route: Route): fc.Arbitrary<FuzzedRequest> {
  const method = fc.oneof({ weight: 30, arbitrary: fc.constant(route.method) }, fc.constantFrom(...METHODS));
  const some = bodyFor(api, known, route);
  const body = route.requestBody ? fc.option(some, { nil: undefined, freq: 20 }) : fc.oneof({ weight: 3, arbitrary: fc.constant(undefined) }, some);
  const chunked = fc.oneof({ weight: 5, arbitrary: fc.constant(false) }, fc.constant(true));
  const [path, query, headers] = [pathFor(api, known, route), queryFor(api, known, route), headersFor(known, route)];
  const grant = fc.oneof(
    { weight: 3, arbitrary: fc.constant(/operator/.test(route.description ?? "") ? ("platform" as const) : ("everything" as const)) },
    fc.constantFrom(...GRANTS),
  );
  const spends = fc.constant(spendsToken(route));
  return fc
    .record({ method, path, query, headers, again, body, chunked, grant, spends })
    .map(({ path, query, ...rest }) => ({ ...rest, target: path + query }));
}
