import { type AnswerStore, answerStore, type Kept } from "./answer-store.ts";
import { elapsedClock } from "./elapsed-clock.ts";
import { type Flights, openFlights } from "./flights.ts";
import type { LeaseReply } from "./types/resolve.ts";

/** How long a caller for whom there is an older answer waits for a new one, in milliseconds. */
const WAITS = 1_000;
/** How long the older one is then given without asking again. */
const QUIET = 5_000;

/**
 * What came of asking. A refusal is the service's word. Nothing came of it where the service did not answer, which an
 * older answer may stand in for, or where something else failed, which it may not.
 */
export type Outcome<T> =
  | { readonly kind: "answered"; readonly answer: T; readonly lease: LeaseReply | undefined }
  | { readonly kind: "refused" | "unanswered" | "failed"; readonly give: () => T };

/** What somebody wants to know. */
interface Question<T> {
  /** All that decides the answer. */
  readonly key: string;
  /** Seconds, at least 1. */
  readonly maxAge: number;
  /** Seconds. */
  readonly staleIfError: number;
  readonly signal: AbortSignal | undefined;
  /** Asks the service. Never rejects. */
  readonly ask: (signal: AbortSignal | undefined) => Promise<Outcome<T>>;
}

/** Answers that are given again for as long as their leases run. */
export interface KeptAnswers<T> {
  find(question: Question<T>): Promise<T>;
  /** Forgets all of them, also those that are on their way: who asks from now on is answered by the service. */
  refresh(): void;
}

interface Needs {
  /**
   * Milliseconds after which a request that was not answered yet is no longer the only one of its key. A Worker's never is
   * when the request that it was made for is given up.
   */
  readonly patience: number;
  /** Milliseconds that only grow. */
  readonly clock?: () => number;
}

interface Memory<T> extends Required<Needs> {
  readonly store: AnswerStore<T>;
  readonly flights: Flights<Outcome<T>>;
  /** Grows with each refresh: what was asked for before one is not kept after it. */
  generation: number;
}

/** Keeps answers in memory, and has one of all who ask the same at the same time ask for the others. */
export function keptAnswers<T extends object>({ patience, clock = elapsedClock() }: Needs): KeptAnswers<T> {
  const memory: Memory<T> = { patience, clock, store: answerStore(), flights: openFlights(), generation: 0 };
  return {
    find: (question) => find(memory, question),
    refresh() {
      memory.generation += 1;
      memory.store.clear();
      memory.flights.closeAll();
    },
  };
}

async function find<T extends object>(memory: Memory<T>, question: Question<T>): Promise<T> {
  question.signal?.throwIfAborted();
  const now = memory.clock();
  const kept = memory.store.get(question.key);
  const spare = isSpare(kept, question, now);
  if (kept && (now < freshUntil(kept, question.maxAge) || (spare && now < kept.quietUntil))) return give(kept, now);

  const { outcome, follows } = await askTogether(memory, question, spare ? WAITS : undefined);
  if (outcome === undefined || outcome.kind === "unanswered") {
    const stale = giveStale(memory, question);
    if (stale) return stale;
    return outcome === undefined ? find(memory, question) : outcome.give();
  }
  // What may not be given again has an event for each who gets it.
  const isStrict = outcome.kind === "answered" && outcome.lease === undefined;
  return take(follows && isStrict ? await ask(memory, question, question.signal) : outcome);
}

/** Joins who asks the same already, or asks. Who asks waits for as long as it takes, unless there is a limit in milliseconds. */
async function askTogether<T>(memory: Memory<T>, question: Question<T>, limit: number | undefined) {
  const { flights, patience, clock } = memory;
  const { key, maxAge, signal } = question;
  const other = flights.newest(key);
  const follows = other !== undefined && clock() - other.since < Math.min(patience, maxAge * 1000);
  const flight = follows ? other : flights.begin(key, (giveUp) => ask(memory, question, giveUp), clock());
  const until = flight.since + (limit ?? (follows ? patience : Number.POSITIVE_INFINITY));
  return { outcome: await flights.join(flight, Math.max(0, until - clock()), signal), follows };
}

async function ask<T>(memory: Memory<T>, { key, staleIfError, ask }: Question<T>, signal: AbortSignal | undefined): Promise<Outcome<T>> {
  const { store, clock, generation } = memory;
  const askedAt = clock();
  const outcome = await ask(signal);
  if (generation !== memory.generation) return outcome;
  if (outcome.kind === "answered" && outcome.lease !== undefined) {
    const { answer, lease } = outcome;
    const goneAt = askedAt + (lease.expires_in + staleIfError) * 1000;
    store.keep(key, { answer, lease, askedAt, goneAt, quietUntil: 0 }, clock());
  } else if (outcome.kind === "answered" || outcome.kind === "refused") store.forget(key, askedAt);
  return outcome;
}

/** An older answer in place of one that did not come, where there is one that may be given. */
function giveStale<T extends object>({ store, clock }: Memory<T>, question: Question<T>): T | undefined {
  const [kept, now] = [store.get(question.key), clock()];
  if (!isSpare(kept, question, now)) return undefined;
  kept.quietUntil = now + QUIET;
  return give(kept, now);
}

function freshUntil({ askedAt, lease }: Kept<unknown>, maxAge: number): number {
  return askedAt + Math.min(lease.expires_in, maxAge) * 1000;
}

function isSpare<T>(kept: Kept<T> | undefined, { maxAge, staleIfError }: Question<T>, now: number): kept is Kept<T> {
  return kept !== undefined && now < freshUntil(kept, maxAge) + staleIfError * 1000;
}

/** A copy, which is the caller's to change, with what is left of its lease. */
function give<T extends object>({ answer, lease, askedAt }: Kept<T>, now: number): T {
  const expires_in = Math.max(0, Math.floor(lease.expires_in - (now - askedAt) / 1000));
  return { ...structuredClone(answer), lease: { ...lease, expires_in } };
}

function take<T>(outcome: Outcome<T>): T {
  return outcome.kind === "answered" ? structuredClone(outcome.answer) : outcome.give();
}
