import * as z from "zod";
import type { ProblemBody } from "./problem.ts";
import type { ResolveReply, ResolveRequest } from "./resolve.ts";

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

/** The entrypoint `Resolver`, as a Worker sees it that uses services by it: its `props` say `permissions = ["secrets:use"]`. */
export interface ServicesBinding {
  /**
   * Makes a request of a service, as `/use/{service}/…` does: the same rules, the same audit event, the same refusals, which are
   * replies with the header `Keyhole-Error`. Of the request's address only the path and the query count; addresses of the service in
   * `Location`, `Link` and what its `url_fields` name come back under `https://service.invalid`. There is no WebSocket: a call by RPC cannot
   * give one back. It rejects only when Keyhole cannot be reached.
   *
   * @example
   * const reply = await env.KEYHOLE.use("openai", new Request("https://api.openai.com/v1/models"));
   */
  use(service: string, request: Request): Promise<Response>;
}

/** The entrypoint `Resolver`, as a Worker sees it that has a service binding to it. */
export interface ResolverBinding {
  /**
   * Resolves as `POST /v1/resolve` does: the same search, the same audit event, the same refusals, and with `maxAge` the
   * same leases. It rejects only when Keyhole cannot be reached.
   */
  resolve(request?: RpcResolveRequest, options?: RpcResolveOptions): Promise<RpcResolveReply>;
}
