import { useState } from "preact/hooks";

/** Something that a person starts: whether it runs, and what went wrong the last time. */
export interface Task<Input extends readonly unknown[]> {
  readonly running: boolean;
  readonly error: unknown;
  readonly run: (...input: Input) => void;
}

/** Runs `act` once at a time. */
export function useTask<Input extends readonly unknown[]>(act: (...input: Input) => Promise<void>): Task<Input> {
  const [state, setState] = useState<{ running: boolean; error: unknown }>({ running: false, error: undefined });
  const run = (...input: Input) => {
    if (state.running) return;
    setState({ running: true, error: undefined });
    act(...input)
      .then(() => setState({ running: false, error: undefined }))
      .catch((error: unknown) => setState({ running: false, error }));
  };
  return { ...state, run };
}
