/** How long an answer may be given again from memory. Both are whole seconds. */
export interface Keeping {
  /**
   * How long ago the service may have been asked. An answer is kept for as long as its lease runs, counted from when it was
   * asked for, and never longer than this. 0, the default: the service is asked each time, and nothing is kept.
   */
  readonly maxAge?: number | undefined;
  /**
   * For how long after that an answer is still given while the service does not answer: it cannot be reached, is
   * unavailable or limits the rate. Never after it has refused. 0 unless told. Means something only with `maxAge`.
   */
  readonly staleIfError?: number | undefined;
}

/**
 * What a call says about keeping, and where it says nothing what was said for all.
 *
 * @throws {TypeError} for what is not whole seconds.
 */
export function keepingOf(call: Keeping, all: Keeping): { readonly maxAge: number; readonly staleIfError: number } {
  return {
    maxAge: wholeSeconds("maxAge", call.maxAge ?? all.maxAge ?? 0),
    staleIfError: wholeSeconds("staleIfError", call.staleIfError ?? all.staleIfError ?? 0),
  };
}

function wholeSeconds(name: string, value: number): number {
  if (!Number.isSafeInteger(value) || value < 0) throw new TypeError(`${name} is a number of whole seconds`);
  return value;
}
