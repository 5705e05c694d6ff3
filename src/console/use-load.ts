import { useCallback, useEffect, useState } from "preact/hooks";

/** What is being loaded: the last that came, what went wrong, and whether more is on its way. */
export interface Loading<T> {
  readonly value: T | undefined;
  readonly error: unknown;
  readonly loading: boolean;
  /** Loads it once more. What is there stays until then. */
  readonly reload: () => void;
}

/**
 * Loads something when the page is shown, and whenever one of `inputs` is another. What an earlier call brings then no longer counts.
 *
 * @param inputs What `load` depends on: texts and numbers.
 * @param may Whether the session may have it. What it may not have is not asked for: that would be a refusal in the log for each look at the page.
 */
export function useLoad<T>(
  load: (signal: AbortSignal) => Promise<T>,
  inputs: readonly (string | number | boolean | undefined | null)[],
  may = true,
): Loading<T> {
  const [state, setState] = useState<Omit<Loading<T>, "reload">>({ value: undefined, error: undefined, loading: may });
  const [turn, setTurn] = useState(0);
  const key = JSON.stringify(inputs);
  const [shownKey, setShownKey] = useState(key);
  // `key` stands for what `load` depends on.
  useEffect(() => {
    if (!may) return;
    const ending = new AbortController();
    setState((before) => ({ ...before, loading: true }));
    load(ending.signal)
      .then((value) => ({ value, error: undefined, loading: false }))
      .catch((error: unknown) => ({ value: undefined, error, loading: false }))
      .then((next) => {
        if (ending.signal.aborted) return;
        setState(next);
        setShownKey(key);
      });
    return () => ending.abort();
  }, [key, turn, may]);
  const reload = useCallback(() => setTurn((before) => before + 1), []);
  // What was loaded for something else is not shown as if it were this.
  return shownKey === key ? { ...state, reload } : { value: undefined, error: undefined, loading: may, reload };
}
