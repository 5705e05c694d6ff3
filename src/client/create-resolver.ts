import { failureKind } from "./failure-kind.ts";
import { keepingOf } from "./keeping.ts";
import { keptAnswers, type Outcome } from "./kept-answers.ts";
import type { Keeping } from "./types/keeping.ts";
import type { Resolver, ResolverBinding, RpcResolveReply } from "./types/resolver.ts";

export type { ProblemBody, ProblemCode, ProblemError, ProblemMembers } from "../contract/problems.ts";
export type { BindingTo, ServicesBinding } from "../contract/resolver-binding.ts";
export type { Unavailable, UnavailableReason } from "../contract/unavailable-reasons.ts";
export type { Keeping } from "./types/keeping.ts";
export type { LeaseReply, ReleasedSecret, ResolveReply, ResolveRequest } from "./types/resolve.ts";
export type * from "./types/resolver.ts";
export type { Encoding } from "./types/secrets.ts";

/** How long a request to the binding is the only one of its key, in milliseconds: what asked first may have been given up. */
const PATIENCE = 1_000;

/**
 * Keeps what a service binding to Keyhole's entrypoint `Resolver` answers, in the memory of the isolate, for as long as
 * its lease runs. Make it once, outside of the handler or when the first request comes: each one has a memory of its own.
 *
 * @throws {TypeError} when `maxAge` or `staleIfError` is not whole seconds.
 * @example
 * const resolver = createResolver(env.KEYHOLE, { maxAge: 60 });
 * const reply = await resolver.resolve({ scopes: ["namespace:prod"], names: ["OPENAI_API_KEY"] });
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
