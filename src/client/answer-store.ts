import type { LeaseReply } from "./types/resolve.ts";

/** How many answers are kept; the one that was not used for longest goes first. */
const MOST = 1_000;

/** An answer that is kept. Times are milliseconds of the clock that the store is used with. */
export interface Kept<T> {
  readonly answer: T;
  readonly lease: LeaseReply;
  /** Its life counts from when it was asked for: it was made some time after that. */
  readonly askedAt: number;
  /** When nobody can be given it any more. */
  readonly goneAt: number;
  /** Until then it is given without asking, after the service did not answer. */
  quietUntil: number;
}

/** Answers in memory. */
export interface AnswerStore<T> {
  get(key: string): Kept<T> | undefined;
  /** Keeps an answer, unless one that was asked for later is there, and removes what nobody can be given any more. */
  keep(key: string, one: Kept<T>, now: number): void;
  /** Forgets an answer, unless it was asked for later than that. */
  forget(key: string, askedAt: number): void;
  clear(): void;
}

/** Answers in memory and nowhere else. */
export function answerStore<T>(): AnswerStore<T> {
  const all = new Map<string, Kept<T>>();
  const isLater = (key: string, askedAt: number) => (all.get(key)?.askedAt ?? Number.NEGATIVE_INFINITY) > askedAt;
  return {
    get(key) {
      const one = all.get(key);
      if (!one) return undefined;
      // A map has its keys in the order in which they came: the first is the one that was not used for longest.
      all.delete(key);
      all.set(key, one);
      return one;
    },
    keep(key, one, now) {
      if (isLater(key, one.askedAt)) return;
      all.delete(key);
      all.set(key, one);
      for (const [other, { goneAt }] of all) if (goneAt <= now) all.delete(other);
      const [oldest] = all.keys();
      if (all.size > MOST && oldest !== undefined) all.delete(oldest);
    },
    forget(key, askedAt) {
      if (!isLater(key, askedAt)) all.delete(key);
    },
    clear: () => all.clear(),
  };
}
