/** The longest wait that a `Retry-After` may ask for, in milliseconds; a longer one is left to the caller. */
export const LONGEST_WAIT = 30_000;

/** Milliseconds before attempt number `attempt` + 1: what the service asked for, or 200, 400, 800 … less up to a half by chance. */
export function delayAfter(attempt: number, retryAfter: number | undefined): number {
  if (retryAfter !== undefined) return retryAfter * 1000;
  return 200 * 2 ** attempt * (0.5 + Math.random() / 2);
}

/** Seconds in a `Retry-After` header: a number, or an HTTP date (RFC 9110, section 10.2.3). */
export function parseRetryAfter(header: string | null): number | undefined {
  if (header === null) return undefined;
  if (/^\d{1,9}$/.test(header.trim())) return Number(header);
  const at = Date.parse(header);
  return Number.isNaN(at) ? undefined : Math.max(0, Math.ceil((at - Date.now()) / 1000));
}

/** Waits, or throws the signal's reason when it is aborted first. */
export function wait(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const onAbort = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", onAbort);
      resolve();
    }, milliseconds);
    signal?.addEventListener("abort", onAbort, { once: true });
  });
}
