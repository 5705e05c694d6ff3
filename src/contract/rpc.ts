import * as z from "zod";
import type { ProblemBody } from "./problem.ts";
import type { ResolveReply, ResolveRequest } from "./resolve.ts";
import type { BindingTo, ServicesBinding } from "./resolver-binding.ts";

export type { ServicesBinding };

/** What a resolve by service binding takes beside the request. */
export const rpcResolveOptionsSchema = z.strictObject({
  /** How old the answer may be, in seconds, as in `Cache-Control: max-age=N`; 0 for a strict one. Left out: what the binding's `props` say in `lease_seconds`. */
  maxAge: z.int().min(0).optional(),
});
export type RpcResolveOptions = z.input<typeof rpcResolveOptionsSchema>;

/** What a Worker asks for: the body of `POST /v1/resolve`. */
export type RpcResolveRequest = ResolveRequest;

/** What it gets: the reply of `POST /v1/resolve`, or the problem that it would reply, as data. */
export type RpcResolveReply = ({ readonly ok: true } & ResolveReply) | { readonly ok: false; readonly problem: ProblemBody };

/** What the `props` of a binding may permit. */
export const BINDING_PERMISSIONS = ["secrets:resolve", "secrets:use"] as const;

/** The entrypoint `Resolver`, as a Worker sees it that has a service binding to it. */
export type ResolverBinding = BindingTo<RpcResolveRequest, RpcResolveOptions, RpcResolveReply>;
