/** Waits for `work`, but no longer than `milliseconds`; then rejects with a `TimeoutError`. The work itself goes on. */
export function withDeadline<T>(work: Promise<T>, milliseconds: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new DOMException("the deadline has passed", "TimeoutError")), milliseconds);
    const settled = (): void => clearTimeout(timer);
    work.then(resolve, reject).then(settled, settled);
  });
}
