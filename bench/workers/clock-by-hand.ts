/** How often what waits looks whether it may go on, in milliseconds: within its own request, because no other one can wake it. */
const LOOKS = 5;
const { setInterval, clearInterval, setTimeout } = globalThis;
const RealDate = Date;
let now = 0;

/** Moves the clock of {@link takeClock}, to milliseconds since 1970. */
export function moveClock(to: number): void {
  now = to;
}

/** Calls `then` once when a condition is met, and returns what `clearInterval` takes. */
export function onceTrue(condition: () => boolean, then: () => void): number {
  const timer = setInterval(() => {
    if (!condition()) return;
    clearInterval(timer);
    then();
  }, LOOKS) as unknown as number;
  return timer;
}

/** Has the isolate go by a clock that stands until it is moved, with all timers of at least `timersFrom` milliseconds. */
export function takeClock(timersFrom: number): void {
  Object.assign(globalThis, {
    Date: class extends RealDate {
      constructor(...given: ConstructorParameters<DateConstructor> | []) {
        super(...((given.length === 0 ? [now] : given) as ConstructorParameters<DateConstructor>));
      }
      static override now(): number {
        return now;
      }
    },
    setTimeout: (then: () => void, milliseconds = 0) => {
      if (milliseconds < timersFrom) return setTimeout(then, milliseconds);
      const at = now + milliseconds;
      return onceTrue(() => now >= at, then);
    },
  });
}
