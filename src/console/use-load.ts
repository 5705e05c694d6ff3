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
 */
export function useLoad<T>(load: (signal: AbortSignal) => Promise<T>, inputs: readonly (string | number | boolean | undefined | null)[]): Loading<T> {
  const [state, setState] = useState<Omit<Loading<T>, "reload">>({ value: undefined, error: undefined, loading: true });
  const [turn, setTurn] = useState(0);
  const key = JSON.stringify(inputs);
  const [shownKey, setShownKey] = useState(key);
  // `key` stands for what `load` depends on.
  useEffect(() => {
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
  }, [key, turn]);
  const reload = useCallback(() => setTurn((before) => before + 1), []);
  // What was loaded for something else is not shown as if it were this.
  return shownKey === key ? { ...state, reload } : { value: undefined, error: undefined, loading: true, reload };
}
