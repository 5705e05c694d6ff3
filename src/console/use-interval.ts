import { useEffect } from "preact/hooks";

/** Calls `act` again and again, so many milliseconds apart, while the page is in sight; never where `period` is null. */
export function useInterval(act: () => void, period: number | null): void {
  useEffect(() => {
    if (period === null) return undefined;
    const timer = setInterval(() => {
      if (document.visibilityState === "visible") act();
    }, period);
    return () => clearInterval(timer);
  }, [act, period]);
}
