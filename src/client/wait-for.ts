/**
 * What `work` comes to; `undefined` when that takes longer than so many milliseconds. The work goes on in every case.
 *
 * @throws What `work` throws, and the reason of `signal` when it is aborted first.
 */
export function waitFor<T>(work: Promise<T>, milliseconds: number, signal: AbortSignal | undefined): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const end = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", onAbort);
    };
    const onAbort = () => {
      end();
      reject(signal?.reason);
    };
    const timer = milliseconds === Number.POSITIVE_INFINITY ? undefined : setTimeout(() => resolve(undefined), milliseconds);
    signal?.addEventListener("abort", onAbort, { once: true });
    work.then(resolve, reject).finally(end);
  });
}
