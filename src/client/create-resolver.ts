import type { ResolverBinding, RpcResolveReply, RpcResolveRequest } from "../contract/rpc.ts";
import { failureKind } from "./failure-kind.ts";
import { type Keeping, keepingOf } from "./keeping.ts";
import { keptAnswers, type Outcome } from "./kept-answers.ts";

export type { ProblemBody, ProblemCode } from "../contract/problem.ts";
export type { LeaseReply, ResolveReply } from "../contract/resolve.ts";
export type { ResolverBinding, RpcResolveOptions, RpcResolveReply, RpcResolveRequest, ServicesBinding } from "../contract/rpc.ts";
export type { Keeping };

/** How long a request to the binding is the only one of its key, in milliseconds: what asked first may have been given up. */
const PATIENCE = 1_000;

/** A binding whose answers are kept. */
export interface Resolver {
  /**
   * Resolves as the binding does, from memory while the answer is young enough. Refusals come as data.
   *
   * @throws {TypeError} when `maxAge` or `staleIfError` is not whole seconds. What the binding throws when Keyhole cannot be reached.
   */
  resolve(request?: RpcResolveRequest, options?: Keeping): Promise<RpcResolveReply>;
  /** Forgets every answer that is kept, and every one that is on its way: who asks from now on is answered by Keyhole. */
  refresh(): void;
}

/**
 * Keeps what a service binding to Keyhole's entrypoint `Resolver` answers, in the memory of the isolate, for as long as
 * its lease runs. Make it once, outside of the handler or when the first request comes: each one has a memory of its own.
 *
 * @throws {TypeError} when `maxAge` or `staleIfError` is not whole seconds.
 */
export function createResolver(binding: ResolverBinding, keeping: Keeping = {}): Resolver {
  const all = keepingOf(keeping, {});
  const answers = keptAnswers<RpcResolveReply>({ patience: PATIENCE });
  return {
    async resolve(request = {}, options = {}) {
      const { maxAge, staleIfError } = keepingOf(options, all);
      if (maxAge === undefined) return binding.resolve(request);
      if (maxAge === 0) return binding.resolve(request, { maxAge });
      const ask = () => outcomeOf(binding.resolve(request, { maxAge }));
      return answers.find({ key: JSON.stringify(request), maxAge, staleIfError, signal: undefined, ask });
    },
    refresh: answers.refresh,
  };
}

async function outcomeOf(asked: Promise<RpcResolveReply>): Promise<Outcome<RpcResolveReply>> {
  try {
    const reply = await asked;
    return reply.ok ? { kind: "answered", answer: reply, lease: reply.lease } : { kind: failureKind(reply.problem), give: () => structuredClone(reply) };
  } catch (error) {
    // A binding rejects when Keyhole cannot be reached, and never else.
    const give = (): never => {
      throw error;
    };
    return { kind: "unanswered", give };
  }
}
