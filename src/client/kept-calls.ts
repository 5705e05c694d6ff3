import { failureKind } from "./failure-kind.ts";
import { keepingOf } from "./keeping.ts";
import { keptAnswers, type Outcome } from "./kept-answers.ts";
import { KeyholeError } from "./keyhole-error.ts";
import type { CallOptions } from "./types/calls.ts";
import type { Keeping } from "./types/keeping.ts";
import type { LeaseReply } from "./types/resolve.ts";

/** How long a request is the only one of its key, in milliseconds. */
const PATIENCE = 5_000;

/** What a request to the service has beside what it asks. */
export interface AskService extends CallOptions {
  readonly headers?: { readonly "Cache-Control": string };
}

interface Answer {
  readonly lease?: LeaseReply | undefined;
}

/** Calls of one kind, whose answers are kept where the call, or the client, says for how long. */
export function keptCalls<T extends Answer>(all: Keeping) {
  const answers = keptAnswers<T>({ patience: PATIENCE });
  return {
    /**
     * Answers from memory, or asks.
     *
     * @param what All that decides the answer beside the token: when that is rejected, everything is forgotten.
     */
    async call(what: unknown, { signal, ...keeping }: CallOptions & Keeping, ask: (asking: AskService) => Promise<T>): Promise<T> {
      const { maxAge, staleIfError } = keepingOf(keeping, all);
      if (maxAge === undefined) return ask({ signal });
      if (maxAge === 0) return ask({ signal, headers: { "Cache-Control": "no-cache" } });
      const headers = { "Cache-Control": `max-age=${maxAge}` };
      const key = JSON.stringify(what);
      return answers.find({ key, maxAge, staleIfError, signal, ask: (signal) => outcomeOf(ask({ signal, headers })) });
    },
    refresh: answers.refresh,
  };
}

async function outcomeOf<T extends Answer>(asked: Promise<T>): Promise<Outcome<T>> {
  try {
    const answer = await asked;
    return { kind: "answered", answer, lease: answer.lease };
  } catch (error) {
    const give = (): never => {
      throw error;
    };
    return { kind: error instanceof KeyholeError ? failureKind(error) : "failed", give };
  }
}
