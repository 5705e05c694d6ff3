import type { TokenProvider } from "./types/calls.ts";

/** Where requests get their token from. */
export interface TokenSource {
  /** The token to send. */
  get(): Promise<string>;
  /** Another one than `rejected`, or `undefined` where there is none. */
  renew(rejected: string): Promise<string | undefined>;
}

/**
 * A provider is asked once, and once more for each token that is rejected, however many requests wait for it.
 *
 * @param onRejected Is called each time that a token was rejected.
 */
export function tokenSource(provider: TokenProvider, onRejected: () => void): TokenSource {
  if (typeof provider === "string") {
    const renew = async () => {
      onRejected();
      return undefined;
    };
    return { get: async () => provider, renew };
  }
  let current: Promise<string> | undefined;
  const ask = (rejected?: string) => {
    const asked = Promise.resolve().then(() => provider(rejected));
    // A provider that failed is asked again by the next request.
    asked.catch(() => {
      if (current === asked) current = undefined;
    });
    current = asked;
    return asked;
  };
  return {
    get: () => current ?? ask(),
    async renew(rejected) {
      onRejected();
      const held = await (current ?? ask(rejected));
      return held === rejected ? ask(rejected) : held;
    },
  };
}
