import { delayAfter, LONGEST_WAIT, wait } from "./backoff.ts";
import { KeyholeError } from "./keyhole-error.ts";

/** When something is tried again. */
export interface Repeating {
  /** How often. */
  readonly retries: number;
  /** Whether it is safe after this error, and could help. */
  readonly mayRepeat: (error: KeyholeError) => boolean;
  /** The longest wait that is waited, in milliseconds; where the service asks for a longer one, the error is thrown. */
  readonly longestWait?: number;
  readonly signal: AbortSignal | undefined;
}

/** What `attempt` comes to, with growing waits in between, or as long ones as the service asks for. */
export async function repeat<T>({ retries, mayRepeat, longestWait = LONGEST_WAIT, signal }: Repeating, attempt: () => Promise<T>): Promise<T> {
  for (let failed = 0; ; failed++) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof KeyholeError) || failed >= retries || !mayRepeat(error)) throw error;
      const delay = delayAfter(failed, error.retryAfter);
      if (delay > longestWait) throw error;
      await wait(delay, signal);
    }
  }
}
