import type { ProblemBody } from "../../contract/problems.ts";
import type { BindingTo } from "../../contract/resolver-binding.ts";
import type { Keeping } from "./keeping.ts";
import type { ResolveReply, ResolveRequest } from "./resolve.ts";

/** What a resolve by service binding takes beside the request. */
export interface RpcResolveOptions {
  /** How old the answer may be, in seconds, as in `Cache-Control: max-age=N`; 0 for a strict one. Left out: what the binding's `props` say in `lease_seconds`. */
  maxAge?: number | undefined;
}

/** What a Worker asks for: the body of `POST /v1/resolve`. */
export type RpcResolveRequest = ResolveRequest;

/** What it gets: the reply of `POST /v1/resolve`, or the problem that it would reply, as data. */
export type RpcResolveReply = ({ readonly ok: true } & ResolveReply) | { readonly ok: false; readonly problem: ProblemBody };

/** The entrypoint `Resolver`, as a Worker sees it that has a service binding to it. */
export type ResolverBinding = BindingTo<RpcResolveRequest, RpcResolveOptions, RpcResolveReply>;

/** A binding whose answers are kept. */
export interface Resolver {
  /**
   * Resolves as the binding does, from memory while the answer is young enough. Refusals come as data.
   *
   * @throws {TypeError} when `maxAge` or `staleIfError` is not whole seconds. What the binding throws when Keyhole cannot be reached.
   * @example
   * const reply = await resolver.resolve({ scopes: ["namespace:prod"], names: ["OPENAI_API_KEY"] }, { maxAge: 5 });
   */
  resolve(request?: RpcResolveRequest, options?: Keeping): Promise<RpcResolveReply>;
  /**
   * Forgets every answer that is kept, and every one that is on its way: who asks from now on is answered by Keyhole.
   *
   * @example
   * resolver.refresh();
   */
  refresh(): void;
}
